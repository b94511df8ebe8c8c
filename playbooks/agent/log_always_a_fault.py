"""A log holds a text that no sound cluster writes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from playbooks.model.cilium.agent_steps import saved_log
from playbooks.model.cilium.agent_words import AgentWords, unheard
from playbooks.model.cilium.logs import LogLine
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.cilium.operator import OperatorRun, container_of
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pod
from playbooks.model.rule import Case, fault


@dataclass(frozen=True, slots=True)
class _Text:
    pattern: re.Pattern[str]
    what: str
    """What it means, after `the agent …`."""
    severity: Severity = Severity.WARN


_TEXTS = (
    _Text(
        re.compile(r"^panic: |[^\w\"]panic: (runtime|[a-z ]+ error)|^fatal error: "),
        "panicked",
        Severity.ERROR,
    ),
    _Text(
        re.compile(r"POTENTIAL DEADLOCK:"), "found two of its locks waiting for each other", Severity.ERROR
    ),
    _Text(re.compile(r"JoinEP: "), "failed to join an endpoint's state from before its restart"),
    _Text(
        re.compile(r"^(?!.*cilium_policy).*Removing map to allow for property upgrade"),
        "removed a map, and what it held, since its properties changed",
    ),
    _Text(re.compile(r"Skipping symbol substitution"), "loaded a program without values that belong into it"),
    _Text(re.compile(r"Uninitialized regeneration level"), "regenerated an endpoint without knowing how"),
    _Text(re.compile(r"BUG: stat\(\) has unstable behavior"), "sees a file system that contradicts itself"),
    _Text(re.compile(r"Missing iptables wait arg \(-w\):"), "runs iptables without waiting for its lock"),
    _Text(re.compile(r"Could not restore all CIDR identities"), "lost identities of CIDRs in its restart"),
    _Text(
        re.compile(r"Mismatch of router IPs found during restoration"),
        "found two addresses for the node's router in its restart",
    ),
    _Text(
        re.compile(r"Attempt to allocate a node ID for an empty node IP address"),
        "met a node without an address",
    ),
    _Text(
        re.compile(r"^(?=.*envoy).*\[(error|critical)\]|^\[[^\]]+\]\[\d+\]\[(error|critical)\]", re.I),
        "hears errors from Envoy",
    ),
)

_LONG_AGO = timedelta(hours=24)

# What a line holds if any of the above may match it: a fleet's logs are long, and nearly all lines hold none.
_ANY = re.compile(
    r"panic: |fatal error: |POTENTIAL DEADLOCK:|JoinEP: |Removing map to allow|Skipping symbol substitution"
    r"|Uninitialized regeneration|BUG: stat|Missing iptables wait|Could not restore all CIDR"
    r"|Mismatch of router IPs|Attempt to allocate a node ID|\[(?:error|critical)\]",
    re.IGNORECASE,
)


@fault(
    "AGT080",
    step="logs",
    cases=(
        Case("LOG-panic", proof="W", twin="the same log without that line"),
        Case("LOG-deadlock", proof="W", twin="the same log without that line"),
        Case("LOG-text", proof="W", twin="the same log without that line"),
    ),
)
def log_always_a_fault(
    fleet: Fleet[AgentWords], operator: OperatorRun | None
) -> Iterator[Finding | CouldNotLook]:
    """A log holds a text that no sound cluster writes.

    Most warnings of agents come and go in sound clusters, and Cilium's own tests tolerate them. A few texts
    they never tolerate: panics, locks that wait for each other, state that did not survive a restart. Each is
    a bug or a broken host, and what it names does not work until somebody acts.
    """
    yield from unheard(fleet)
    found: dict[int, list[_Hit]] = defaultdict(list)
    for _, words in fleet:
        for number, log, line in _hits(words.logs):
            found[number].append(_Hit(words.agent.pod, words.agent.container, log, line))
    if operator and operator.pod:
        logs = tuple(log for log in (operator.current, operator.log) if log)
        for number, log, line in _hits(logs):
            found[number].append(_Hit(operator.pod, container_of(operator.pod), log, line))
    for number, hits in sorted(found.items()):
        yield _finding(_TEXTS[number], hits)


@dataclass(frozen=True, slots=True)
class _Hit:
    pod: Pod
    container: str
    log: Log
    line: LogLine


def _holds(line: LogLine, pattern: re.Pattern[str]) -> bool:
    return pattern.search(line.text) is not None or pattern.search(line.raw) is not None


def _hits(logs: tuple[Log, ...]) -> Iterator[tuple[int, Log, LogLine]]:
    """The last line of each kind."""
    lines = [(log, line) for log in logs for line in reversed(log.lines) if _ANY.search(line.raw)]
    for number, text in enumerate(_TEXTS):
        hit = next(((log, line) for log, line in lines if _holds(line, text.pattern)), None)
        if hit:
            yield number, *hit


def _finding(text: _Text, hits: list[_Hit]) -> Finding:
    first = hits[0]
    times = [hit.line.time for hit in hits if hit.line.time]
    refs = tuple(dict.fromkeys(hit.pod.ref for hit in hits))
    # What ends an agent is told with its end.
    is_down = not any(hit.pod.is_ready for hit in hits)
    # A log holds what was said weeks ago, and an agent that is ready has gone on since.
    is_old = bool(times) and len(times) == len(hits) and first.log.taken_at - max(times) > _LONG_AGO
    return finding(
        Severity.INFO if is_old and not is_down else text.severity,
        refs,
        f"{refs[0]} {text.what}",
        evidence=[hit.log.evidence(hit.line.raw[:1000]) for hit in hits[:5]],
        because_of=[Condition(ConditionKind.AGENT_DOWN, ref.node) for ref in refs if is_down],
        impact="what the line names does not work until the agent is restarted or upgraded",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.UNKNOWN,
        fixes=(
            Fix.cure(
                "Report it with a sysdump, and look for a release that fixes it.",
                why="Such a line is a bug of Cilium or a broken host; both are seen in what surrounds it.",
                risk=Risk.LOW,
                steps=(
                    saved_log(first.pod, first.container, is_previous=False),
                    sysdump(),
                    step("Search github.com/cilium/cilium/issues for the text."),
                ),
                undo="Nothing is changed by reporting.",
                verify="The text does not come again.",
            ),
        ),
    )

"""An agent cannot write entries into policy maps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_words import AgentWords, Heard, unheard
from playbooks.model.cilium.restarting import captured_log, kubectl, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"Failed to add PolicyMap key|PolicyMap synchronization failed|syncPolicyMap failed", re.IGNORECASE
)
_FULL = re.compile(
    r"argument list too long|no space left on device|map is full|please consider resizing", re.IGNORECASE
)


@fault(
    "END020",
    step="identity",
    cases=(
        Case(
            "EP-06",
            proof="V",
            lines=(
                'level=error msg="Failed to add PolicyMap key Egress: 95078 0" error="Unable to update '
                'element for map with file descriptor 82: argument list too long"',
            ),
            twin="the same log without that line",
        ),
    ),
)
def policy_map_refuses_entries(fleet: Fleet[AgentWords]) -> Iterator[Finding | CouldNotLook]:
    """An agent cannot write entries into policy maps.

    A policy map holds one entry for each identity and port that is admitted, and has a fixed size. A full one
    takes no new entry: connections of new pods are refused although policy admits them, and endpoints cannot
    be regenerated. Either policies admit more identities than the map holds, or nobody collects identities
    that are no longer used, since the operator does not run.
    """
    yield from unheard(fleet)
    for node, words in fleet:
        heard = words.last_saying(_SAYS)
        if heard:
            yield _finding(node, words, heard)


def _finding(node: str, words: AgentWords, heard: Heard) -> Finding:
    is_full = bool(_FULL.search(heard.line.text))
    subject = words.agent.pod.ref if not words.agent.is_lone else Ref("Node", node, node=node)
    what = "policy maps are full" if is_full else "policy maps take no entries"
    return finding(
        # Entries of an endpoint that is going are refused too, and nobody misses them.
        Severity.ERROR if is_full else Severity.INFO,
        subject,
        f"{subject}: {what}",
        evidence=(heard.proof,),
        asserts=(Condition(ConditionKind.MAP_FULL, node),) if is_full else (),
        because_of=(Condition(ConditionKind.OPERATOR_DOWN),),
        alternatives=(
            "Identities were not collected: then far more CiliumIdentities than endpoints are there.",
            "Policies admit more identities than the map holds: then the endpoints have as many.",
        ),
        impact=f"new pods are refused by policies on {node} that admit them",
        first_seen=heard.line.time,
        last_seen=heard.line.time,
        ongoing=Ongoing.UNKNOWN,
        fixes=_fixes(words),
        same_as=what,
    )


def _fixes(words: AgentWords) -> tuple[Fix, ...]:
    agent = words.agent
    verify = "The agent's log does not say it again, and its endpoints are ready."
    return (
        Fix.mitigation(
            "Make policy maps larger.",
            why="They then hold what is admitted now.",
            risk=Risk.MEDIUM,
            steps=(
                captured_log(agent),
                sysdump(),
                step("Set the chart's bpf.policyMapMax to twice its value, and upgrade the release."),
            ),
            undo="Set bpf.policyMapMax back.",
            verify=verify,
        ),
        Fix.cure(
            "Bring the number of identities down.",
            why="A map holds an entry for each of them that a rule admits.",
            risk=Risk.LOW,
            steps=(
                step("Count identities.", kubectl("get", "ciliumidentities") + " | wc -l"),
                step("Count endpoints.", kubectl("get", "ciliumendpoints", "-A") + " | wc -l"),
                step("Start the operator if it does not run; it collects unused identities."),
            ),
            undo="Nothing is changed by looking.",
            verify=verify,
        ),
    )

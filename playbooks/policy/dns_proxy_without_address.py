"""The DNS proxy finds no free address to ask from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent_words import AgentWords
from playbooks.model.cilium.logs import LogLine
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.cilium.restarting import captured_log
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_REFUSED = re.compile(r"cannot assign(?:ed)? requested address", re.IGNORECASE)
_OF_DNS = re.compile(r"dns|fqdn", re.IGNORECASE)
_LATELY = timedelta(hours=1)
"""Under load it is said again and again."""


@fault(
    "POL009",
    step="names",
    cases=(
        Case(
            "PO-15",
            proof="V",
            twin="the same log without that line",
            lines=(
                'level=error msg="Cannot forward proxied DNS lookup" subsys=fqdn/dnsproxy '
                'error="cannot assigned requested address"',
            ),
        ),
    ),
)
def dns_proxy_without_address(words: OnNode[AgentWords]) -> Iterator[Finding]:
    """The DNS proxy finds no free address to ask from.

    The transparent DNS proxy asks the server with the address and port of the pod that asked. Under load the
    pair is still in use when the next question comes, and the kernel refuses it with `cannot assign requested
    address`; the pod's lookup fails. 1.14.4 and 1.14.6 are known for it.
    """
    found: list[tuple[Log, LogLine]] = [
        (log, line)
        for log in words.fact.logs
        for line in log.lines
        if _REFUSED.search(line.raw) and _OF_DNS.search(line.raw)
        if not (line.time and log.taken_at - line.time > _LATELY)
    ]
    if not found:
        return
    log, line = found[-1]
    agent = words.fact.agent
    times = [one.time for _, one in found if one.time]
    yield finding(
        Severity.WARN,
        agent.pod.ref,
        f"{agent.pod.ref}: its DNS proxy gets no free address, and lookups fail",
        evidence=(log.evidence(line.raw[:1000]),),
        impact=f"{len(found)} lookups of pods with DNS rules failed on {words.node}",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.UNKNOWN,
        same_as="no free address for the DNS proxy",
        fixes=(
            Fix.mitigation(
                "Let the DNS proxy ask with its own address.",
                why="The proxy then takes ports of its own, and none is in use twice.",
                risk=Risk.MEDIUM,
                steps=(
                    captured_log(agent),
                    step("Switch the transparent mode off.", "dnsProxy:\n  enableTransparentMode: false"),
                ),
                undo="Switch the transparent mode on again.",
                verify="The line does not come again under the same load.",
            ),
            Fix.cure(
                f"Update Cilium to a current patch release; this is {agent.version or 'an unknown version'}.",
                why="Newer releases share one connection for equal pairs of addresses.",
                risk=Risk.MEDIUM,
                steps=(step("Update the Helm release to the newest patch of the same minor version."),),
                undo="Roll the Helm release back.",
                verify="The line does not come again under the same load.",
            ),
        ),
    )

"""Lookups through the DNS proxy get no answer in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address

from playbooks.model.cilium.agent_words import AgentWords, unheard
from playbooks.model.cilium.logs import LogLine
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.cilium.restarting import captured_log
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_TEXT = "Timeout waiting for response to forwarded proxied DNS lookup"
_LATELY = timedelta(hours=1)
"""What was slow before that is over, or it would be said again."""
_SERVER = re.compile(r"->\[?([0-9a-fA-F.:]{2,45}?)\]?:(\d{1,5}): i/o timeout")
_POD, _LOCAL, _OTHER = "the cluster's DNS", "a cache on the node", "a server outside"
_FIXES = {
    _POD: "Look at the load and latency of the DNS pods, give them more, and let pods ask less (ndots).",
    _LOCAL: "Run the cache behind a LocalRedirectPolicy, or admit its address in the policies for DNS.",
    _OTHER: "Look whether that server answers from the node, and whether policy lets its answers in.",
}


@fault(
    "POL008",
    step="names",
    cases=(
        Case(
            "PO-06",
            proof="V",
            twin="the same log without that line",
            lines=(
                f'level=warn msg="{_TEXT}" module=agent.controlplane.fqdn.dns-proxy dnsName=example.com. '
                'error="read udp 10.244.2.80:46270->10.244.0.33:53: i/o timeout"',
            ),
        ),
    ),
)
def dns_proxy_times_out(fleet: Fleet[AgentWords], dns: ClusterDns | None) -> Iterator[Finding | CouldNotLook]:
    """Lookups through the DNS proxy get no answer in time.

    Questions of pods with a rule for DNS pass the agent's DNS proxy, which asks the server on their behalf.
    When no answer comes within its time the agent writes so, and the pod's lookup fails. The address behind
    the arrow tells whom it asked: a pod of CoreDNS that is overloaded or gone, the cache on the node, whose
    link-local address lost its identity in a restart, or a server outside.
    """
    yield from unheard(fleet)
    found: dict[tuple[str, str], list[tuple[AgentWords, Log, LogLine]]] = {}
    for _, words in fleet:
        for log in words.logs:
            for line in log.lines:
                if _TEXT not in line.raw or (line.time and log.taken_at - line.time > _LATELY):
                    continue
                match = _SERVER.search(line.text)
                address = match[1] if match else ""
                found.setdefault((_kind(address, dns), address), []).append((words, log, line))
    for (kind, address), lines in found.items():
        yield _finding(kind, address, lines, dns)


def _kind(address: str, dns: ClusterDns | None) -> str:
    try:
        is_link_local = ip_address(address).is_link_local
    except ValueError:
        return ""
    if is_link_local or (dns and address in dns.node_local_addresses):
        return _LOCAL
    is_pod = dns is not None and any(pod.status.pod_ip == address for pod in dns.pods)
    is_service = dns is not None and address in dns.addresses
    if is_pod or is_service or ip_address(address).is_private:
        return _POD
    return _OTHER


def _finding(
    kind: str, address: str, lines: list[tuple[AgentWords, Log, LogLine]], dns: ClusterDns | None
) -> Finding:
    words, log, line = lines[-1]
    pod = next((pod.ref for pod in (dns.pods if dns else ()) if pod.status.pod_ip == address), None)
    agents = tuple(dict.fromkeys(one.agent.pod.ref for one, _, _ in lines))
    subject: tuple[Ref, ...] = (pod, *agents) if pod else agents
    times = [one.time for _, _, one in lines if one.time]
    whom = f"{kind} ({address})" if kind else "the DNS server"
    return finding(
        Severity.WARN,
        subject,
        f"{subject[0]}: lookups through the DNS proxy wait for {whom}",
        evidence=[log.evidence(line.raw[:1000])],
        because_of=(
            Condition(ConditionKind.COREDNS_DOWN),
            *(Condition(ConditionKind.NODE_UNREACHABLE, ref.node) for ref in agents),
        ),
        impact=f"{len(lines)} lookups of pods with DNS rules failed or were slow",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.UNKNOWN,
        alternatives=() if kind else ("The line does not tell whom the proxy asked.",),
        fixes=(
            Fix.cure(
                "Remove what keeps the server from answering.",
                why="The proxy passes questions on one by one; it waits as long as the server needs.",
                risk=Risk.LOW,
                steps=(
                    captured_log(words.agent),
                    step("Ask the server from a pod without a DNS rule.", "nslookup kubernetes.default"),
                    step(_FIXES.get(kind, _FIXES[_POD])),
                ),
                undo="Undo what was changed at the DNS server.",
                verify="The line does not come again, and lookups are answered within milliseconds.",
            ),
        ),
    )

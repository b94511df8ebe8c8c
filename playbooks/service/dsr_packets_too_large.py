"""With DSR, connections through a node stall: their packets become larger than the network takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.model.cilium.agent.recent_flows import RecentFlow, RefusedFlows
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl, sysdump
from playbooks.model.fact import Fleet
from playbooks.model.finding import (
    Evidence,
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Risk,
    Severity,
    Verdict,
    finding,
    step,
)
from playbooks.model.policies.refused import unseen
from playbooks.model.rule import Case, fault

_TOO_LARGE = 136
_OFTEN, _LONG, _LATELY = 4, timedelta(seconds=10), timedelta(minutes=10)
_ADDED = {
    "opt": "an IP option (8 bytes, 24 for IPv6)",
    "ipip": "an IP header (20 bytes, 40 for IPv6)",
    "geneve": "a Geneve header (some 60 bytes)",
}


@fault(
    "SVC031",
    step="reach",
    cases=(Case("dsr-mtu", proof="W", twin="the same drops within a second, before the sender has learned"),),
)
def dsr_packets_too_large(config: CiliumConfig, refused: Fleet[RefusedFlows]) -> Iterator[Verdict]:
    """With DSR, connections through a node stall: their packets become larger than the network takes.

    With direct server return the node that a client reached tells the backend's node to whom to answer, in
    the packet itself. That makes it longer. What no longer fits is dropped, and the sender is told by ICMP to
    send less; then all is well after the first packets. Where that message does not come through, the sender
    repeats the same packet again and again: small requests work, large ones hang.
    """
    if config.get("bpf-lb-mode", "snat").lower() not in ("dsr", "hybrid"):
        yield NotApplicable("DSR is not used (bpf-lb-mode)")
        return
    yield from unseen(refused)
    stalled = [one for _, fact in refused for one in _stalled(fact)]
    if stalled:
        yield _finding(sorted(stalled, key=lambda one: one.last), config)


@dataclass(frozen=True, slots=True)
class _Stalled:
    fact: RefusedFlows
    flow: RecentFlow
    count: int
    first: datetime
    last: datetime

    def evidence(self) -> Evidence:
        flow, seconds = self.flow, int((self.last - self.first).total_seconds())
        ends = f"{flow.addresses.source}:{flow.source_port} -> {flow.addresses.destination}:{flow.port}"
        said = f"{ends} TCP DROPPED Fragmentation needed ({_TOO_LARGE}), {self.count} times in {seconds} s"
        return self.fact.evidence(said)


def _stalled(fact: RefusedFlows) -> Iterator[_Stalled]:
    """Connections whose sender has not learned of it: a first burst of packets proves nothing."""
    found: dict[tuple[str, str, str, int, int], list[tuple[datetime, RecentFlow]]] = defaultdict(list)
    for flow in fact.items:
        if flow.drop_reason == _TOO_LARGE and flow.protocol == "TCP" and flow.time:
            found[flow.connection].append((flow.time, flow))
    for same in found.values():
        first, last = min(time for time, _ in same), max(time for time, _ in same)
        if len(same) >= _OFTEN and last - first >= _LONG and fact.taken_at - last <= _LATELY:
            yield _Stalled(fact, same[-1][1], len(same), first, last)


def _finding(stalled: list[_Stalled], config: CiliumConfig) -> Finding:
    way = config.get("bpf-lb-dsr-dispatch", "opt").lower()
    count = "1 connection stalls" if len(stalled) == 1 else f"{len(stalled)} connections stall"
    return finding(
        Severity.WARN,
        config.ref,
        f"With DSR packets become too large for the network: {count}",
        evidence=(
            config.evidence(f"bpf-lb-mode: {config.get('bpf-lb-mode')}, bpf-lb-dsr-dispatch: {way}"),
            *(one.evidence() for one in stalled[-3:]),
        ),
        impact="large requests through these nodes hang, small ones work",
        first_seen=min(one.first for one in stalled),
        last_seen=stalled[-1].last,
        ongoing=Ongoing.YES,
        alternatives=("A firewall before the nodes drops ICMP, by which senders learn what fits.",),
        owner=config.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Make room for what DSR adds.",
                why=f"DSR adds {_ADDED.get(way, 'bytes')} to each packet; clients may not send that much.",
                risk=Risk.MEDIUM,
                steps=(
                    sysdump(),
                    step("Let ICMP type 3, code 4 (IPv6: type 2) pass between the nodes and their clients."),
                    step("Else raise the MTU of the network between the nodes by what DSR adds."),
                    step(
                        "Else lead back through the first node: read first what that changes for clients.",
                        kubectl(
                            "-n",
                            config.metadata.namespace,
                            "get",
                            "configmap",
                            config.metadata.name,
                            "-o",
                            "jsonpath={.data.bpf-lb-mode}",
                        ),
                    ),
                ),
                undo="Set what was changed as it was.",
                verify="`hubble observe --verdict DROPPED` shows no more `Fragmentation needed`.",
            ),
        ),
    )

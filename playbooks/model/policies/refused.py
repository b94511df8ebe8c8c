"""What policies refused lately: who was refused by whose policy, in which direction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from playbooks.knowledge import drop_reasons
from playbooks.model.cilium.agent.recent_flows import (
    POLICY_DENIED,
    Party,
    RecentFlow,
    RefusedFlows,
    attempts,
)
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Evidence
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction


@dataclass(frozen=True, slots=True)
class Refusal:
    """One flow that a policy refused."""

    fact: RefusedFlows
    """Where it was seen."""
    flow: RecentFlow
    """The flow."""
    direction: Direction
    """Seen from the endpoint whose policy refused."""

    @property
    def own(self) -> Party:
        """Whose policy refused."""
        return self.flow.destination if self.direction is Direction.INGRESS else self.flow.source

    @property
    def peer(self) -> Party:
        """Who was refused."""
        return self.flow.source if self.direction is Direction.INGRESS else self.flow.destination

    @property
    def pod(self) -> tuple[str, str]:
        """Namespace and name of the pod whose policy refused."""
        return self.own.namespace, self.own.pod_name

    @property
    def peer_address(self) -> str:
        """The peer's address."""
        address = self.flow.addresses
        return address.source if self.direction is Direction.INGRESS else address.destination

    @property
    def as_peer(self) -> Peer:
        """Who was refused, as rules see it."""
        return Peer(Labels(self.peer.labels), self.peer_address)

    @property
    def said(self) -> str:
        """One line, as Hubble shows it."""
        flow, address = self.flow, self.flow.addresses
        reason = drop_reasons.told(flow.drop_reason)
        source, destination = _end(flow.source, address.source), _end(flow.destination, address.destination)
        return f"{source} -> {destination}:{flow.port} {self.direction} {reason} DROPPED"

    def evidence(self) -> Evidence:
        """The flow, with the command that shows it."""
        return self.fact.evidence(self.said)


def refusals(fleet: Fleet[RefusedFlows], reason: int = POLICY_DENIED) -> Iterator[Refusal]:
    """Every flow that was refused for a reason, on all nodes."""
    for _, fact in fleet:
        for flow in fact.items:
            if flow.drop_reason == reason and flow.direction:
                yield Refusal(fact, flow, Direction(flow.direction))


def is_admitted_now(policies: WrittenPolicies, labels: Labels, drop: Refusal) -> bool:
    """Whether policies admit by now what was refused: Hubble remembers it from before they were changed."""
    flow = drop.flow
    asked = Asked(labels, drop.direction, drop.as_peer, flow.port, flow.protocol)
    return decide(tuple(policies.selecting(labels)), asked).decision is Decision.ADMITTED


def unseen(fleet: Fleet[RefusedFlows]) -> Iterator[CouldNotLook]:
    """The doubt of rules that begin with flows, where some agent did not tell its own."""
    if fleet.missing:
        names = ", ".join(sorted(fleet.missing)[:3])
        yield CouldNotLook(
            f"the flows of {len(fleet.facts)} of {fleet.total} nodes are known; missing: {names}"
        )


def span(found: Iterable[Refusal]) -> tuple[datetime | None, datetime | None]:
    """When the first and the last were seen."""
    times = [one.flow.time for one in found if one.flow.time]
    return min(times, default=None), max(times, default=None)


def told(found: Sequence[Refusal]) -> str:
    """How much was refused, and whose."""
    peers = sorted({one.peer.workload for one in found})
    count = attempts(one.flow for one in found)
    tries = "1 attempt" if count == 1 else f"{count} attempts"
    return f"{tries} refused lately: {', '.join(peers[:3])}"


def _end(party: Party, address: str) -> str:
    return str(party) if party.pod_name else f"{address} ({party})"

"""Both sides of one connection: each by the node where it is decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from playbooks.engine.reaching.bystanders import beside
from playbooks.engine.reaching.deciding import Question, judge
from playbooks.engine.reaching.ends import End, Kind
from playbooks.engine.reaching.requests import Asked
from playbooks.engine.reaching.vantage import Vantage
from playbooks.engine.reaching.verdicts import Pair, Said, Side
from playbooks.engine.targets.resolving import Resolved
from playbooks.model.answer import Gap
from playbooks.model.kube.services import Service
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction


def paired(
    sources: Iterable[End], destinations: list[End], destination: Resolved
) -> Iterator[tuple[End, End]]:
    """Every source with every destination that it would call.

    An address that another node's agent saw for a name tells nothing of a source whose own agent saw none.
    """
    target = destination.target
    unseen = End(
        Kind.ADDRESS, destination.host, "", "", target.port, target.protocol, names=(destination.host,)
    )
    for one in sources:
        called = [end for end in destinations if not end.seen_by or one.node in end.seen_by]
        if destination.host and one.kind is Kind.POD and not called:
            called = [unseen]
        yield from ((one, other) for other in called if one.said != other.said)


@dataclass(frozen=True, slots=True)
class Pairing:
    """What is known of a connection, whoever its ends are."""

    vantages: Mapping[str, Vantage]
    policies: WrittenPolicies | Gap
    request: Asked | None
    service: Service | None
    """Through which the destination is called, if it is one."""

    def pair(self, source: End, end: End) -> Pair:
        """Both verdicts."""
        egress = self._judged(Direction.EGRESS, source, end, end)
        ingress = self._judged(Direction.INGRESS, end, source, end)
        return Pair(source.said, end.said, end.port, end.protocol, egress, ingress, end.port_names)

    def _judged(self, direction: Direction, own: End, peer: End, called: End) -> Side:
        vantage = self.vantages.get(own.node)
        if own.kind is not Kind.POD or vantage is None:
            return beside(direction, own, peer, self.vantages.values(), self.policies)
        is_newer = called.protocol == "ICMP" and ":" in own.address
        question = Question(
            direction,
            own.said,
            own.address,
            peer.address,
            peer.entity,
            called.port,
            "ICMPv6" if is_newer else called.protocol,
            self.request,
            peer.names,
            peer.kind is Kind.POD,
            called.port_names,
            direction is Direction.INGRESS and self._may_come_from_node(peer),
        )
        if called.port:
            return judge(question, vantage, self.policies)
        side = judge(replace(question, request=None), vantage, self.policies)
        if side.said is Said.CANNOT_TELL:
            return side
        return replace(side, why=f"{side.why} (no port was named)")

    def _may_come_from_node(self, peer: End) -> bool:
        """Whether a node may put its own address before that of a caller from outside."""
        if self.service is None or peer.kind is Kind.POD or peer.entity not in ("", "world"):
            return False
        spec = self.service.spec
        is_open = spec.type in ("NodePort", "LoadBalancer") or bool(spec.external_ips)
        return is_open and spec.external_traffic_policy != "Local" and peer.kind is not Kind.HOST_POD

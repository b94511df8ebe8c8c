"""The rules of all kinds of policies in one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from playbooks.model.cilium.policies import L7Rules
from playbooks.model.finding import Ref
from playbooks.model.kube.selectors import Selector
from playbooks.model.policies.labels import Labels, selects
from playbooks.model.policies.peers import Match, Peer, PeerRule, meant


class Direction(StrEnum):
    """Seen from the endpoint that a policy selects."""

    INGRESS = "ingress"
    EGRESS = "egress"

    @property
    def towards(self) -> str:
        """The word between the endpoint and its peer."""
        return "from" if self is Direction.INGRESS else "to"


@dataclass(frozen=True, slots=True)
class Ports:
    """One entry of a rule's ports."""

    protocol: str
    """`TCP`, `UDP`, `SCTP`, or `ANY`."""
    first: int
    """0 for all."""
    last: int
    """Equal to `first` for a single port."""
    name: str = ""
    """The name of a container's port, where the rule names it so."""

    def matches(self, port: int, protocol: str, names: tuple[str, ...] = ()) -> bool:
        """Whether a port is meant; `names` are the port's own in the pod it belongs to."""
        if self.protocol not in ("ANY", "", protocol.upper()):
            return False
        if self.name:
            return self.name in names
        return not self.first or self.first <= port <= self.last

    def __str__(self) -> str:
        """`6379/TCP`."""
        last = f"-{self.last}" if self.last != self.first else ""
        return f"{self.name or self.first or 'any port'}{last}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class PortsEntry:
    """One entry of a rule's list of ports, with the requests that may pass there."""

    place: str
    """Where in its object it stands, such as `.spec.ingress[0].toPorts[0]`."""
    ports: tuple[Ports, ...]
    """At which ports."""
    l7: L7Rules | None
    """Which requests pass; nothing for all."""
    has_more: bool
    """Whether listeners or names of servers decide, too."""

    def is_at(self, port: int, protocol: str, names: tuple[str, ...] = ()) -> bool:
        """Whether a port is meant."""
        return any(one.matches(port, protocol, names) for one in self.ports)


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of a policy: in one direction, some peers at some ports."""

    policy: Ref
    """The policy."""
    place: str
    """Where in its object it stands, such as `.spec.ingress[0]`."""
    direction: Direction
    """Seen from the selected endpoint."""
    is_deny: bool
    """Whether it refuses; refusal wins."""
    peers: tuple[PeerRule, ...] | None
    """Whom it is about; nothing for everybody, empty for nobody."""
    ports: tuple[Ports, ...] | None
    """At which ports; nothing for all."""
    entries: tuple[PortsEntry, ...] = ()
    """The list of ports, entry by entry; empty where no entry can say more than ports."""

    @property
    def l7(self) -> tuple[L7Rules, ...]:
        """Which requests pass, where it says so."""
        return tuple(one.l7 for one in self.entries if one.l7)

    def concerns(self, peer: Peer) -> Match:
        """Whether a peer is meant."""
        return Match.YES if self.peers is None else meant(self.peers, peer)

    def is_at(self, port: int, protocol: str, names: tuple[str, ...] = ()) -> bool:
        """Whether a port is meant."""
        return self.ports is None or any(one.matches(port, protocol, names) for one in self.ports)


@dataclass(frozen=True, slots=True)
class Written:
    """One rule set of a policy: whom it selects, and what it says for both directions."""

    policy: Ref
    """The policy."""
    place: str
    """Where in its object it stands: `.spec` or `.specs[0]`."""
    selector: Selector
    """Whom it selects."""
    is_for_nodes: bool
    """Whether it selects hosts instead of pods."""
    default_deny: frozenset[Direction]
    """Directions in which what it selects refuses whatever no rule admits."""
    rules: tuple[Rule, ...]
    """In the order of the object."""
    owner: str = ""
    """Who manages the object and would undo a change by hand; empty when nothing tells."""

    @property
    def namespace(self) -> str:
        """Of the policy; empty for one of the whole cluster."""
        return self.policy.namespace

    def selects(self, labels: Labels) -> bool:
        """Whether it selects an endpoint."""
        if self.is_for_nodes or (self.namespace and labels.namespace != self.namespace):
            return False
        return selects(self.selector, labels, self.namespace)

    @property
    def manifest(self) -> str:
        """What a person changes, in words."""
        owner = f", which {self.owner} manages" if self.owner else ""
        return f"the manifest of {self.policy}{owner}"

    def of(self, direction: Direction, *, deny: bool = False) -> Iterator[Rule]:
        """Its rules in a direction that admit, or that refuse."""
        return (rule for rule in self.rules if rule.direction is direction and rule.is_deny is deny)

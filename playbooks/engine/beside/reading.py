"""What the policies as written say about one entry of a policy map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from playbooks.engine.beside.endpoints import Found
from playbooks.engine.beside.peers import AGGREGATES, EVERYBODY, HOST, Directory
from playbooks.engine.beside.tables import SILENT, Cell, absent, held, unseen
from playbooks.model.answer import Gap
from playbooks.model.bpf.dumps import PROTOCOLS
from playbooks.model.bpf.policy import PolicyKey
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.policies.deciding import Asked, Decided, Decision, decide
from playbooks.model.policies.labels import CLUSTER, Labels
from playbooks.model.policies.peers import Match, Peer
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction, Rule, Written

_NAMES = {number: name for name, number in PROTOCOLS.items() if number}
_WITHOUT_PORTS = ("ICMP", "ICMPv6")
_PODS = 256
"""Identities from here on are not reserved."""
MOST_PEERS = 1000
"""Identities up to which everybody whom a rule admits is looked for."""


class Reading(StrEnum):
    """What policies want."""

    ADMITS = "admits"
    REFUSES = "refuses"
    NO_SAY = "no say"
    """It is admitted whatever policies say."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Read:
    """What policies want of one entry."""

    reading: Reading
    """What they want."""
    cell: Cell
    """In words."""
    why: str = ""
    """Why that is not known, where it is not."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the policies that select one endpoint."""

    labels: Labels
    """Of the endpoint."""
    namespace: str
    """Of its pod."""
    port_names: tuple[tuple[int, str], ...]
    """What its pod calls its ports."""
    selecting: tuple[Written, ...] | None
    """Rule sets that select it; nothing where policies are not known."""
    is_complete: bool
    """Whether no policy can be unknown."""
    directory: Directory
    """Labels of peers."""

    @classmethod
    def of(
        cls, one: Found, endpoint: Endpoint, policies: WrittenPolicies | Gap, directory: Directory
    ) -> Reader:
        """For an endpoint."""
        labels = Labels(endpoint.labels)
        containers = (one.pod.spec.containers or ()) if one.pod else ()
        names = tuple((p.container_port, p.name) for c in containers for p in c.ports or () if p.name)
        if isinstance(policies, Gap):
            return cls(labels, endpoint.namespace, names, None, is_complete=False, directory=directory)
        selecting = tuple(policies.selecting(labels))
        return cls(labels, endpoint.namespace, names, selecting, policies.is_complete, directory)

    def read(self, key: PolicyKey) -> Read:
        """What the policies say about the traffic of an entry."""
        direction = Direction(key.direction)
        if self.selecting is None:
            return _unknown("the policies were not seen")
        if self.is_complete and not any(_has_say(one, direction) for one in self.selecting):
            return Read(Reading.ADMITS, held("free: no policy"))
        if key.identity == HOST and direction is Direction.INGRESS:
            # The agent admits its own host, whatever policies say, unless told otherwise.
            return Read(Reading.NO_SAY, SILENT)
        peer = self._peer(key.identity)
        protocol = _NAMES.get(key.protocol, "")
        if peer is None or protocol in _WITHOUT_PORTS or (key.protocol and not protocol):
            return _unknown("labels do not tell whether policies mean this peer")
        names = tuple(name for number, name in self.port_names if number == key.port)
        own = names if direction is Direction.INGRESS else ()
        decided = decide(self.selecting, Asked(self.labels, direction, peer, key.port, protocol, own))
        if key.identity == EVERYBODY and decided.decision is Decision.NOT_ADMITTED:
            return _unknown("labels do not tell whether policies mean everybody")
        return self._said(decided, direction)

    def wanted(self) -> Iterator[PolicyKey]:
        """Entries for all pods of the cluster whom a rule admits by labels, at ports with a number."""
        if self.selecting is None or len(self.directory.labels) > MOST_PEERS:
            return
        cluster = self.labels.by_key.get(CLUSTER)
        pods = {
            identity: Peer(labels)
            for identity, labels in self.directory.labels.items()
            if identity >= _PODS and labels.namespace and labels.by_key.get(CLUSTER) == cluster
        }
        for rule in (rule for one in self.selecting for rule in one.rules):
            for identity, peer in pods.items():
                if rule.peers and not rule.is_deny and rule.concerns(peer) is Match.YES:
                    yield from _keys(rule, identity)

    def _peer(self, identity: int) -> Peer | None:
        if identity in AGGREGATES:
            return None
        if identity == EVERYBODY:
            # Only a rule without peers means everybody.
            return Peer(Labels(()))
        labels = self.directory.labels.get(identity)
        if labels is None:
            return None
        closest = max(labels.cidrs, key=_length, default="")
        return Peer(labels, closest.partition("/")[0])

    def _said(self, decided: Decided, direction: Direction) -> Read:
        names = ", ".join(dict.fromkeys(rule.policy.name for rule in decided.rules))
        match decided.decision:
            case Decision.ADMITTED:
                return Read(Reading.ADMITS, held(f"allow by {names}"))
            case Decision.FREE if self.is_complete:
                return Read(Reading.ADMITS, held("free: no policy"))
            case Decision.DENIED:
                return Read(Reading.REFUSES, held(f"deny by {names}"))
            case Decision.NOT_ADMITTED if self.is_complete and not self._has_named_ports(direction):
                return Read(Reading.REFUSES, absent("no rule admits it"))
        return _unknown("labels do not tell whether policies mean this peer")

    def _has_named_ports(self, direction: Direction) -> bool:
        """Whether what a rule means depends on names of ports of pods that are not looked at."""
        rules = (rule for one in self.selecting or () for rule in one.of(direction))
        named = any(port.name for rule in rules for port in rule.ports or ())
        return named and (direction is Direction.EGRESS or not self.port_names)


def _has_say(one: Written, direction: Direction) -> bool:
    return direction in one.default_deny or any(True for _ in one.of(direction, deny=True))


def _length(prefix: str) -> int:
    length = prefix.partition("/")[2]
    return int(length) if length.isdecimal() else 0


def _keys(rule: Rule, identity: int) -> Iterator[PolicyKey]:
    if rule.ports is None:
        yield PolicyKey(str(rule.direction), identity, 0, 0, 0)
    for port in rule.ports or ():
        if not port.name and port.protocol in ("TCP", "UDP", "SCTP"):
            yield PolicyKey(str(rule.direction), identity, PROTOCOLS[port.protocol], port.first, port.last)


def _unknown(why: str) -> Read:
    return Read(Reading.UNKNOWN, unseen("cannot tell"), why)

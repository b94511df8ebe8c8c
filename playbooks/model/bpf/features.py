"""Maps of features that are mostly off: authentication, egress gateway, fragments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.bpf.dumps import entries_of, lines_of, mapped, prefix_in
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scope, Way

_NO_GATEWAY = "Not Found"
_EXCLUDED = "Excluded CIDR"
_NOT_HERE = ("0.0.0.0", "::")
_TYPES = {0: "disabled", 1: "spire", 2: "test-always-fail"}


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Two identities that may talk, until when."""

    local_identity: int
    """Of the endpoint on this node."""
    remote_identity: int
    """Of the peer."""
    remote_node: int
    """The number of the peer's node; see `NodeMap`."""
    type: str
    """`spire` …; empty for one that is not known."""
    until: str
    """When it ends, as it stands."""


@dataclass(frozen=True, kw_only=True)
class AuthMap(Fact):
    """`cilium-dbg bpf auth list` of one node."""

    items: tuple[Authenticated, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Auth(msgspec.Struct, frozen=True, rename="pascal"):
    local_identity: int
    remote_identity: int
    auth_type: int
    remote_node_id: int = msgspec.field(name="RemoteNodeID")
    expiration: str = ""


def _auth_json(answer: Answer) -> AuthMap:
    items = tuple(
        Authenticated(
            one.local_identity,
            one.remote_identity,
            one.remote_node_id,
            _TYPES.get(one.auth_type, ""),
            one.expiration,
        )
        for one in entries_of(answer, _Auth)
    )
    return AuthMap(provenance=Provenance.of(answer.request, answer.end), items=items)


def _auth_text(answer: Answer) -> AuthMap:
    columns = ("SRC IDENTITY", "DST IDENTITY", "REMOTE NODE ID", "AUTH TYPE", "EXPIRATION")
    items = tuple(map(_auth_row, rows_in(lines, columns))) if (lines := lines_of(answer)) else ()
    return AuthMap(provenance=Provenance.of(answer.request, answer.end), items=items)


def _auth_row(row: Row) -> Authenticated:
    return Authenticated(
        row.number("SRC IDENTITY"),
        row.number("DST IDENTITY"),
        row.number("REMOTE NODE ID"),
        row.text("AUTH TYPE"),
        row.text("EXPIRATION"),
    )


@dataclass(frozen=True, slots=True)
class EgressRule:
    """Where traffic of one pod to a network leaves the cluster."""

    source: str
    """The pod's address."""
    destination: str
    """The network."""
    egress_ip: str
    """The address that it gets; empty where that is another node's matter, or nobody's."""
    gateway: str
    """The node's address; empty for none."""
    is_excluded: bool
    """Whether it leaves as if there were no policy."""


@dataclass(frozen=True, kw_only=True)
class EgressMap(Fact):
    """`cilium-dbg bpf egress list` of one node."""

    items: tuple[EgressRule, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Egress(msgspec.Struct, frozen=True):
    source: str = msgspec.field(name="SourceIP")
    destination: str = msgspec.field(name="DestCIDR")
    egress_ip: str = msgspec.field(name="EgressIP")
    gateway: str = msgspec.field(name="GatewayIP")


def _egress_json(answer: Answer) -> EgressMap:
    items = tuple(
        _rule(one.source, one.destination, one.egress_ip, one.gateway) for one in entries_of(answer, _Egress)
    )
    return EgressMap(provenance=Provenance.of(answer.request, answer.end), items=items)


def _egress_text(answer: Answer) -> EgressMap:
    columns = ("Source IP", "Destination CIDR", "Egress IP", "Gateway IP")
    rows = rows_in(lines, columns) if (lines := lines_of(answer)) else ()
    items = tuple(_rule(*(row.text(column) for column in columns)) for row in rows)
    return EgressMap(provenance=Provenance.of(answer.request, answer.end), items=items)


def _rule(source: str, destination: str, egress_ip: str, gateway: str) -> EgressRule:
    return EgressRule(
        prefix_in(source),
        prefix_in(destination),
        "" if egress_ip in _NOT_HERE else egress_ip,
        "" if gateway in (_NO_GATEWAY, _EXCLUDED) else gateway,
        gateway == _EXCLUDED,
    )


@dataclass(frozen=True, slots=True)
class Fragment:
    """A datagram of which a first fragment was seen."""

    id: int
    """Of the datagram."""
    protocol: str
    """Number or name, as it stands."""
    source: str
    """`ip:port`."""
    destination: str
    """`ip:port`."""


@dataclass(frozen=True, kw_only=True)
class FragmentMap(Fact):
    """`cilium-dbg bpf frag list` of one node."""

    items: tuple[Fragment, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Fragment(msgspec.Struct, frozen=True):
    id: int = msgspec.field(name="ID")
    proto: int | str = msgspec.field(name="Proto")
    source: str = msgspec.field(name="SourceAddress")
    destination: str = msgspec.field(name="DestAddress")


def _fragments_json(answer: Answer) -> FragmentMap:
    items = tuple(
        Fragment(one.id, str(one.proto), one.source, one.destination) for one in entries_of(answer, _Fragment)
    )
    return FragmentMap(provenance=Provenance.of(answer.request, answer.end), items=items)


def _fragments_text(answer: Answer) -> FragmentMap:
    columns = ("ID", "PROTO", "SOURCE ADDRESS:PORT", "DEST ADDRESS:PORT")
    rows = rows_in(lines, columns) if (lines := lines_of(answer)) else ()
    items = tuple(Fragment(row.number("ID"), *(row.text(column) for column in columns[1:])) for row in rows)
    return FragmentMap(provenance=Provenance.of(answer.request, answer.end), items=items)


_BPF = ("cilium-dbg", "bpf")
AuthMap.ways = (
    mapped("authentication map", asks(*_BPF, "auth", "list", "-o", "json"), _auth_json),
    mapped("authentication map as text", asks(*_BPF, "auth", "list"), _auth_text),
)
EgressMap.ways = (
    mapped("egress map", asks(*_BPF, "egress", "list", "-o", "json"), _egress_json),
    mapped("egress map as text", asks(*_BPF, "egress", "list"), _egress_text),
)
FragmentMap.ways = (
    mapped("fragment map", asks(*_BPF, "frag", "list", "-o", "json", since=(1, 17)), _fragments_json),
    mapped("fragment map as text", asks(*_BPF, "frag", "list", since=(1, 17)), _fragments_text),
)

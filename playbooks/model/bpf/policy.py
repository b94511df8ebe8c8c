"""The policy maps: whom the datapath lets through to and from each endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import msgspec

from playbooks.knowledge.identities import RESERVED
from playbooks.model.answer import Answer
from playbooks.model.bpf.dumps import PROTOCOLS, entries_of, lines_of, mapped, number_in, port_of, protocol_in
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_NAMES = {number: name for name, number in PROTOCOLS.items()}
_AUTH = {0: "", 1: "spire", 2: "test-always-fail"}
_AUTH_BITS = 0x7F
"""The highest bit only says whether it was asked for or follows from another rule."""
_UNCOUNTED = (1 << 64) - 1
_ANY = 40
"""Bits of a key that stands for all ports: identity and direction."""
_PORT_BITS = 24
"""Bits of protocol and port."""


@dataclass(frozen=True, slots=True, order=True)
class PolicyKey:
    """Which traffic of an endpoint an entry is about."""

    direction: str
    """`ingress` or `egress`."""
    identity: int
    """Of the peer; 0 for everybody."""
    protocol: int
    """IANA number; 0 for all."""
    port: int
    """0 for all."""
    last_port: int
    """The last of a range of ports; equal to `port` for a single one."""

    @property
    def said(self) -> str:
        """`ingress from 72500 at 6379/TCP`, in words."""
        name = RESERVED[self.identity] if self.identity < len(RESERVED) else ""
        peer = f"identity {self.identity}{f' ({name})' if name else ''}" if self.identity else "anybody"
        return f"{self.direction} {'from' if self.direction == 'ingress' else 'to'} {peer} at {self.ports}"

    @property
    def ports(self) -> str:
        """`6379/TCP`, `8080-8095/TCP`, or `any port`."""
        if not self.protocol and not self.port:
            return "any port"
        name = _NAMES.get(self.protocol, str(self.protocol))
        ports = (
            f"{self.port}-{self.last_port}" if self.last_port != self.port else str(self.port or "any port")
        )
        return f"{ports}/{name}"


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """One entry of a policy map."""

    key: PolicyKey
    """Which traffic it is about."""
    is_deny: bool
    """Whether it refuses."""
    proxy_port: int
    """Where traffic is led; 0 for nowhere."""
    packets: int | None
    """How many it decided about; nothing when not counted."""
    auth: str = ""
    """How both ends must have authenticated before it admits, such as `spire`; empty for not at all."""
    precedence: int | None = None
    """Which of several entries decides, the highest; nothing where agents do not tell, as before 1.19."""


@dataclass(frozen=True, slots=True)
class EndpointPolicyMap:
    """The policy map of one endpoint."""

    endpoint: int
    """Its number on the node."""
    entries: tuple[PolicyEntry, ...]
    """In no order."""


@dataclass(frozen=True, kw_only=True)
class PolicyMaps(Fact):
    """`cilium-dbg bpf policy get --all` of one node."""

    items: tuple[EndpointPolicyMap, ...]
    """One for each endpoint, the host's too."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @cached_property
    def by_endpoint(self) -> Mapping[int, EndpointPolicyMap]:
        """By the endpoint's number."""
        return {item.endpoint: item for item in self.items}


class _Key(msgspec.Struct, frozen=True, rename="pascal"):
    identity: int
    traffic_direction: int
    nexthdr: int
    dest_port_network: int
    prefixlen: int | None = None


class _Entry(msgspec.Struct, frozen=True, rename="pascal"):
    key: _Key
    flags: int
    proxy_port_network: int
    packets: int | None = None
    auth_requirement: int | None = None
    auth_type: int | None = None
    precedence: int | None = None


class _Map(msgspec.Struct, frozen=True, rename="pascal"):
    content: tuple[_Entry, ...] | None
    endpoint_id: str | None = msgspec.field(default=None, name="EndpointID")
    path: str = ""


def _decode_json(answer: Answer) -> PolicyMaps:
    items = tuple(map(_of_map, entries_of(answer, _Map)))
    return PolicyMaps(provenance=Provenance.of(answer.request, answer.end), items=items)


def _of_map(one: _Map) -> EndpointPolicyMap:
    # For the host's endpoint the number may be left empty; the name of the map ends with it.
    number = one.endpoint_id or (re.findall(r"_(\d{1,9})$", one.path[-40:]) or [""])[0]
    return EndpointPolicyMap(number_in(number), tuple(map(_of_entry, one.content or ())))


def _of_entry(entry: _Entry) -> PolicyEntry:
    key = entry.key
    if key.traffic_direction not in (0, 1) or not 0 <= key.identity < 1 << 32 or not 0 <= key.nexthdr < 256:
        raise Unreadable(f"not the key of a policy map: {str(key)[:120]}")
    port = port_of(key.dest_port_network)
    last = port | _wildcard(key.prefixlen) if port else 0
    direction = "egress" if key.traffic_direction else "ingress"
    return PolicyEntry(
        PolicyKey(direction, key.identity, key.nexthdr, port, last),
        bool(entry.flags & 1),
        port_of(entry.proxy_port_network),
        None if entry.packets == _UNCOUNTED else entry.packets,
        _auth(entry.auth_requirement if entry.auth_requirement is not None else entry.auth_type or 0),
        entry.precedence,
    )


def _auth(number: int) -> str:
    return _AUTH.get(number & _AUTH_BITS, f"type {number & _AUTH_BITS}")


def _wildcard(length: int | None) -> int:
    """The bits of a port that may be anything, by the length of the whole key."""
    if length is None:
        return 0
    if not _ANY <= length <= _ANY + _PORT_BITS:
        raise Unreadable(f"not the length of a key of a policy map: {length}")
    return (1 << min(16, _ANY + _PORT_BITS - length)) - 1


_COLUMNS = ("POLICY", "DIRECTION", "IDENTITY", "PORT/PROTO", "PROXY PORT", "PACKETS")
_HEAD = "Endpoint ID: "
_VERDICTS = {"Allow": False, "Deny": True}
_DIRECTIONS = {"Ingress": "ingress", "Egress": "egress"}


def _decode_text(answer: Answer) -> PolicyMaps:
    items = tuple(_sections(lines_of(answer)))
    if not items:
        raise Unreadable("the answer names no endpoint", 0)
    return PolicyMaps(provenance=Provenance.of(answer.request, answer.end), items=items)


def _sections(lines: list[str]) -> Iterator[EndpointPolicyMap]:
    starts = [number for number, line in enumerate(lines) if line.startswith(_HEAD)]
    if any(line.strip() for line in lines[: starts[0] if starts else None]):
        raise Unreadable("the answer begins with no endpoint", 0)
    if not starts:
        return
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        table = [line for line in lines[start + 1 : end] if line.strip() and not line.startswith("Path: ")]
        if not table:
            raise Unreadable(f"no table follows {lines[start][:80]!r}")
        number = number_in(lines[start].removeprefix(_HEAD).strip())
        yield EndpointPolicyMap(number, tuple(map(_of_row, rows_in(table, _COLUMNS))))


def _of_row(row: Row) -> PolicyEntry:
    direction = _DIRECTIONS.get(row.text("DIRECTION"))
    if direction is None:
        raise Unreadable(f"not a direction: {row.text('DIRECTION')[:40]!r}")
    proxy = row.text("PROXY PORT")
    first, last, protocol = _ports(row.text("PORT/PROTO"))
    return PolicyEntry(
        PolicyKey(direction, row.number("IDENTITY"), protocol, first, last),
        row.one_of("POLICY", _VERDICTS),
        0 if proxy == "NONE" else number_in(proxy),
        number_of(row.text("PACKETS")),
        "" if row.text("AUTH TYPE") == "disabled" else row.text("AUTH TYPE"),
    )


def _ports(text: str) -> tuple[int, int, int]:
    if text == "ANY":
        return 0, 0, 0
    ports, mark, protocol = text.partition("/")
    first, _, last = ports.partition("-")
    if not mark:
        raise Unreadable(f"not a port: {text[:40]!r}")
    number = 0 if first == "ANY" else number_in(first)
    return number, number_in(last) if last else number, protocol_in(protocol)


_ALL = ("cilium-dbg", "bpf", "policy", "get", "--all")
PolicyMaps.ways = (
    mapped("policy maps", asks(*_ALL, "-o", "json"), _decode_json),
    mapped("policy maps as text", asks(*_ALL, "-n"), _decode_text),
)

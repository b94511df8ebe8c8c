"""What a policy map decides about a packet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from playbooks.model.bpf.policy import EndpointPolicyMap, PolicyEntry

CLUSTER, MESH, WORLD, REMOTE_NODES = 11, 12, 13, 14
"""Identities that stand for many: the own cluster, all clusters, what is outside, other nodes."""


class MapVerdict(StrEnum):
    """What happens to the packet."""

    ALLOW = "allow"
    REDIRECT = "redirect"
    """A proxy looks at the request."""
    DENY = "deny"
    """An entry refuses it."""
    NO_ENTRY = "no entry"
    """Nothing matches, which refuses it too."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A verdict with the entry that decides it."""

    verdict: MapVerdict
    """What happens."""
    entry: PolicyEntry | None
    """By which entry; none when nothing matches."""


def look_up(
    held: EndpointPolicyMap, direction: str, identities: Collection[int], protocol: int, port: int
) -> Lookup:
    """Decide as the datapath does: by precedence; without, what refuses wins, then what leads to a proxy.

    `identities` are the peer's own and those that stand for it; `protocol` is the IANA number.
    """
    about = _about(held, direction, identities, protocol)
    matching = [one for one in about if not one.key.port or one.key.port <= port <= one.key.last_port]
    if not matching:
        return Lookup(MapVerdict.NO_ENTRY, None)
    knows = all(one.precedence is not None for one in matching)
    entry = max(matching, key=lambda one: ((one.precedence or 0) if knows else 0, *_strength(one)))
    if entry.is_deny:
        return Lookup(MapVerdict.DENY, entry)
    return Lookup(MapVerdict.REDIRECT if entry.proxy_port else MapVerdict.ALLOW, entry)


def differing_ports(
    held: EndpointPolicyMap, direction: str, identities: Collection[int], protocol: int
) -> tuple[PolicyEntry, ...]:
    """Entries for single ports that decide otherwise than what decides for all other ports."""
    rest = look_up(held, direction, identities, protocol, 0)
    about = _about(held, direction, identities, protocol)
    return tuple(
        one
        for one in about
        if one.key.port
        and look_up(held, direction, identities, protocol, one.key.port).verdict is not rest.verdict
    )


def _about(
    held: EndpointPolicyMap, direction: str, identities: Collection[int], protocol: int
) -> list[PolicyEntry]:
    return [
        entry
        for entry in held.entries
        if entry.key.direction == direction
        and (entry.key.identity == 0 or entry.key.identity in identities)
        and entry.key.protocol in (0, protocol)
    ]


def _strength(entry: PolicyEntry) -> tuple[bool, bool, tuple[bool, int]]:
    return entry.is_deny, bool(entry.proxy_port), _exactness(entry)


def _exactness(entry: PolicyEntry) -> tuple[bool, int]:
    key = entry.key
    span = key.last_port - key.port if key.port else 1 << 16
    return bool(key.identity), -span

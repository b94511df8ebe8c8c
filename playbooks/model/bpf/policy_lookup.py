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
    """Decide as the datapath does: an entry that refuses wins, then one that leads to a proxy.

    `identities` are the peer's own and those that stand for it; `protocol` is the IANA number.
    """
    matching = [
        entry
        for entry in held.entries
        if entry.key.direction == direction
        and (entry.key.identity == 0 or entry.key.identity in identities)
        and entry.key.protocol in (0, protocol)
        and (not entry.key.port or entry.key.port <= port <= entry.key.last_port)
    ]
    if not matching:
        return Lookup(MapVerdict.NO_ENTRY, None)
    entry = max(matching, key=lambda one: (one.is_deny, bool(one.proxy_port), _exactness(one)))
    if entry.is_deny:
        return Lookup(MapVerdict.DENY, entry)
    return Lookup(MapVerdict.REDIRECT if entry.proxy_port else MapVerdict.ALLOW, entry)


def _exactness(entry: PolicyEntry) -> tuple[bool, int]:
    key = entry.key
    span = key.last_port - key.port if key.port else 1 << 16
    return bool(key.identity), -span

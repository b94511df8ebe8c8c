"""Policy by three sides: rules with their selectors, entries that the agent wants, the policy maps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.bpf.dumps import PROTOCOLS
from playbooks.model.bpf.policy import PolicyEntry, PolicyKey, PolicyMaps
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.map_state import AgentMapState, WantedEntry, WantedMap
from playbooks.model.cilium.agent.realized import PolicyRule
from playbooks.model.cilium.agent.selectors import AgentSelectors
from playbooks.model.fact import Fact, Scene, Scope
from playbooks.model.views.differences import Difference, Kind, Side, sides

_PORT = re.compile(r"(?P<protocol>\w{1,10})(?:/(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?)?")
_AGGREGATES = range(11, 15)
"""Identities that stand for many: the cluster, the mesh, the world, other nodes."""
_DIRECTIONS = {"Ingress": "ingress", "Egress": "egress"}


@dataclass(frozen=True, kw_only=True)
class PolicyView(Fact):
    """Where the policy that one agent wants and its policy maps differ."""

    differences: tuple[Difference, ...]
    """Sorted; compare them between two looks, for policies and identities come and go."""
    is_exact: bool
    """Whether the agent told each entry that it wants; else only allowed traffic that is missing shows."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (AgentMapState, AgentEndpoints, AgentSelectors, PolicyMaps)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> PolicyView | Gap:
        """Compare them, by the entries that the agent wants, or else by its rules and selectors."""
        wanted, maps = scene.get(AgentMapState), scene.get(PolicyMaps)
        if isinstance(wanted, AgentMapState) and isinstance(maps, PolicyMaps):
            provenance = sides(wanted, maps)
            if isinstance(provenance, Gap):
                return provenance
            exact = (found for one in wanted.items for found in _exact(one, maps))
            return cls(provenance=provenance, differences=tuple(sorted({*exact})), is_exact=True)
        endpoints, selectors = scene.get(AgentEndpoints), scene.get(AgentSelectors)
        provenance = sides(endpoints, selectors, maps)
        if isinstance(provenance, Gap):
            return provenance
        assert isinstance(endpoints, AgentEndpoints)
        assert isinstance(selectors, AgentSelectors)
        assert isinstance(maps, PolicyMaps)
        identities = {one.selector: one.identities for one in selectors.items}
        missing = (found for one in endpoints.items for found in _by_rules(one, identities, maps))
        return cls(provenance=provenance, differences=tuple(sorted({*missing})), is_exact=False)


def _exact(wanted: WantedMap, maps: PolicyMaps) -> Iterator[Difference]:
    held = maps.by_endpoint.get(wanted.endpoint)
    if held is None:
        yield _difference(wanted.endpoint, Kind.MISSING, "the whole map", wanted.namespace, wanted.name)
        return
    keys = [key_of(entry) for entry in wanted.entries]
    if None in keys:
        # A version that writes ports in a way that is not known: nothing can be said of this endpoint.
        return
    agent = {key: decision_of(entry) for key, entry in zip(keys, wanted.entries, strict=True) if key}
    kernel = {entry.key: verdict_of(entry.is_deny, entry.proxy_port) for entry in held.entries}
    for key in {**agent, **kernel}:
        if key not in kernel:
            kind, detail = Kind.MISSING, f"{agent[key]} {key.said}"
        elif key not in agent:
            kind, detail = Kind.EXTRA, f"{kernel[key]} {key.said}"
        elif agent[key] != kernel[key]:
            kind, detail = Kind.STALE, f"{kernel[key]} instead of {agent[key]} {key.said}"
        else:
            continue
        yield _difference(wanted.endpoint, kind, detail, wanted.namespace, wanted.name)


def key_of(entry: WantedEntry) -> PolicyKey | None:
    """The key of an entry; nothing where a version writes it in a way that is not known."""
    direction = _DIRECTIONS.get(entry.direction)
    if direction is None or entry.identity is None:
        return None
    if entry.port == "*":
        return PolicyKey(direction, entry.identity, 0, 0, 0)
    match = _PORT.fullmatch(entry.port)
    if not match or match["protocol"] not in PROTOCOLS:
        return None
    first = int(match["first"] or 0)
    return PolicyKey(
        direction, entry.identity, PROTOCOLS[match["protocol"]], first, int(match["last"] or first)
    )


def decision_of(entry: WantedEntry) -> str:
    """What the agent wants to happen, in words."""
    return verdict_of(entry.verdict.lower() == "deny", entry.proxy_port or 0)


def verdict_of(is_deny: bool, proxy_port: int) -> str:
    """What an entry does, in words."""
    return "deny" if is_deny else f"redirect to {proxy_port}" if proxy_port else "allow"


def _by_rules(
    endpoint: Endpoint, identities: Mapping[str, tuple[int, ...]], maps: PolicyMaps
) -> Iterator[Difference]:
    policy = endpoint.realized
    if policy is None or policy.l4 is None or not endpoint.is_ready:
        return
    held = maps.by_endpoint.get(endpoint.id)
    if held is None:
        yield _difference(endpoint.id, Kind.MISSING, "the whole map", endpoint.namespace, "")
        return
    for direction, rules in (("ingress", policy.l4.ingress), ("egress", policy.l4.egress)):
        if not policy.holds_for(direction):
            continue
        for key in dict.fromkeys(key for rule in rules or () for key in keys_of(rule, direction, identities)):
            if not any(_covers(entry, key) for entry in held.entries):
                yield _difference(endpoint.id, Kind.MISSING, f"allow {key.said}", endpoint.namespace, "")


def keys_of(
    rule: PolicyRule, direction: str, identities: Mapping[str, tuple[int, ...]], *, deny: bool = False
) -> Iterator[PolicyKey]:
    """The keys that a rule admits, or refuses, by whom its selectors select."""
    port = rule.port
    if port is None or port.port_name or port.port is None or port.protocol not in PROTOCOLS:
        return
    last = port.end_port or port.port
    for selector, verdict in port.selectors.items():
        for identity in identities.get(selector, ()) if verdict.is_deny is deny else ():
            yield PolicyKey(direction, identity, PROTOCOLS[port.protocol], port.port, last)


def _covers(entry: PolicyEntry, key: PolicyKey) -> bool:
    """Whether an entry decides about some of the traffic of a key: what it refuses is refused on purpose."""
    held = entry.key
    return (
        held.direction == key.direction
        and (held.identity in (0, key.identity) or held.identity in _AGGREGATES)
        and (held.protocol in (0, key.protocol) or not key.protocol)
        and (not held.port or not key.port or (held.port <= key.last_port and key.port <= held.last_port))
    )


def _difference(endpoint: int, kind: Kind, detail: str, namespace: str, name: str) -> Difference:
    return Difference(f"endpoint {endpoint}", Side.MAP, Side.AGENT, kind, detail, namespace, name)

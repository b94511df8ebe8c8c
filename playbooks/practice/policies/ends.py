"""Both ends of a connection: where an address is, and which policy is in force there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks.practice.naming import stable
from playbooks.practice.objects import Json
from playbooks.practice.policies.book import Held, mode_of
from playbooks.practice.policies.census import End, serves_api
from playbooks.practice.policies.computing import Direction, Mode
from playbooks.practice.policies.peers import indexed
from playbooks.practice.policies.rows import Key, PolicyMap, blocks, numbered
from playbooks.practice.policies.rules import PROTOCOLS
from playbooks.practice.policies.universe import API_SERVER, HEALTH, HOST, REMOTE_NODE, WORLD

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World

_HOST_LABELS = ("reserved:host",)
_HEALTH_LABELS = ("reserved:health",)
_DNS_PORTS, _ENVOY_PORTS = (32768, 60999), (10000, 19999)


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint whose policy decides."""

    node: str
    """Its node."""
    number: int
    """Its number there."""
    identity: int
    """Its identity."""
    labels: tuple[str, ...]
    """Labels that policies select it by."""
    is_node: bool = False
    """Whether it is the host itself."""
    is_audited: bool = False
    """Whether refusals are only written down."""
    is_open: bool = False
    """Whether no policy applies to it."""

    def held(self, world: World) -> Held:
        """What its agent holds for it."""
        mode = Mode("never") if self.is_open else mode_of(config_of(world, self.node))
        return world.policies.held(self.node, self.labels, mode, is_node=self.is_node)

    def map(self, world: World) -> PolicyMap:
        """What the kernel holds for it: that without what was taken out behind the agent's back."""
        return world.policies.map_of(self.node, self.number, self.held(world))

    def asked(
        self, world: World, direction: Direction, peer: int, protocol: int, port: int
    ) -> Iterator[Json]:
        """What proxies ask of a request from or to a peer at a port; an empty request where nothing."""
        everybody = world.policies.universe(self.node)
        for one in direction.filters:
            for named in numbered(one.port, indexed(self.labels)):
                keys = [Key(False, peer, PROTOCOLS.get(named.protocol, 0), *block) for block in blocks(named)]
                if not any(key.covers(protocol, port) for key in keys):
                    continue
                for selector, outcome in one.outcomes:
                    if not outcome.is_deny and (
                        selector.is_everybody or peer in everybody.selected(selector)
                    ):
                        yield outcome.l7 or {"": [{}]}


def config_of(world: World, node: str) -> dict[str, str]:
    """The configuration of a node's agent."""
    run = world.agents.get(node)
    return run.config if run is not None else {}


def find(world: World, text: str) -> End:
    """The end behind an address, or behind a pod as `namespace/name`. Raises `ValueError`."""
    if "/" in text:
        return _of_pod(world, text)
    ipaddress.ip_address(text)
    return world.policies.census.ends.get(text) or End(text)


def endpoint_at(world: World, end: End) -> Place | None:
    """The endpoint at an end whose policy decides; nothing where none does."""
    if not end.node or end.identity:
        return None
    if end.pod[1]:
        return pod_place(world, world.policies.census.run_of(end.pod))
    if end.is_health:
        return health_place(world, end.node)
    place = host_place(world, end.node)
    return None if place.is_open else place


def pod_place(world: World, run: PodRun) -> Place:
    """The endpoint of a pod."""
    known = world.policies.census.known(run)
    endpoint = world.network.endpoints[run.namespace, run.name]
    is_audited = _is_audited(world, run.node)
    return Place(run.node, endpoint.id, known.identity, known.labels, is_audited=is_audited)


def health_place(world: World, node: str) -> Place:
    """The health endpoint of a node that has one."""
    health = world.network.nodes[node].health
    assert health is not None
    return Place(node, health.id, HEALTH, _HEALTH_LABELS, is_audited=_is_audited(world, node))


def host_place(world: World, node: str) -> Place:
    """The host's own endpoint, which policies select by the labels of the node."""
    labels = (*_HOST_LABELS, *world.policies.census.node_labels(node))
    is_open = config_of(world, node).get("enable-host-firewall") != "true"
    return Place(
        node,
        world.network.nodes[node].host_id,
        HOST,
        labels,
        is_node=True,
        is_audited=_is_audited(world, node),
        is_open=is_open,
    )


def _is_audited(world: World, node: str) -> bool:
    return config_of(world, node).get("policy-audit-mode") == "true"


def peer_identity(world: World, node: str, end: End) -> int:
    """The identity that the agent of a node knows an end by."""
    if end.identity:
        return end.identity
    if end.pod[1]:
        return world.policies.census.known(world.policies.census.run_of(end.pod)).identity
    if end.is_health:
        return HEALTH
    if end.node == node and end.node:
        return HOST
    if end.node:
        is_router = end.ip in world.network.nodes[end.node].routers.every
        return API_SERVER if serves_api(world, end.node) and not is_router else REMOTE_NODE
    outside = world.policies.universe(node).outside
    prefix = outside.find(end.ip)
    if prefix:
        return outside.number(prefix)
    if len(world.profile.families) > 1:
        return 10 if ":" in end.ip else 9
    return WORLD


def seen_from(world: World, node: str, end: End) -> End:
    """An end as the agent of a node has it, which may take a pod of which it has not heard for outside."""
    if not end.pod[1] or end.node == node or world.tampered.knows(world, node, end.pod):
        return end
    return End(end.ip)


def proxy_of(world: World, node: str, kind: str, *, is_ingress: bool) -> tuple[str, int]:
    """Name and port of the listener of a kind of proxy; nothing for none."""
    if not kind:
        return "", 0
    name = f"cilium-{kind}-{'ingress' if is_ingress else 'egress'}"
    low, high = _DNS_PORTS if kind == "dns" else _ENVOY_PORTS
    run = world.agents.get(node)
    return name, stable(f"{run.uid if run else node}{name}", low, high)


def _of_pod(world: World, text: str) -> End:
    namespace, _, name = text.partition("/")
    endpoint = world.network.endpoints.get((namespace, name))
    if endpoint is not None:
        return End(endpoint.ip, world.policies.census.run_of((namespace, name)).node, (namespace, name))
    run = next((one for one in world.runs.values() if (one.namespace, one.name) == (namespace, name)), None)
    if run is None or not run.ip:
        raise ValueError(f"there is no pod {text} with an address")
    return world.policies.census.ends.get(run.ip) or End(run.ip)

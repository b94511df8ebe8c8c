"""Asks everything that a verdict about a connection needs, and puts the verdicts together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.deciding import Question, judge
from playbooks.engine.reaching.drafting import drafted
from playbooks.engine.reaching.requests import Asked
from playbooks.engine.reaching.vantage import Vantage, look_from
from playbooks.engine.reaching.verdicts import Observed, Pair, Reach, Said, Side
from playbooks.engine.targets.resolving import Resolved, Spot
from playbooks.model.answer import Gap
from playbooks.model.kube.pods import ContainerPort
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction

MOST_PAIRS = 200
"""Pairs of pods that are judged; more say the same or take too long to read."""
_RESERVED = {
    "host": 1,
    "world": 2,
    "unmanaged": 3,
    "health": 4,
    "init": 5,
    "remote-node": 6,
    "kube-apiserver": 7,
}
_RESERVED |= {"ingress": 8}


@dataclass(frozen=True, slots=True)
class End:
    """One end of one connection."""

    said: str
    """`namespace/pod`, an address, a name."""
    node: str
    """Where its endpoint is; empty where it has none."""
    address: str
    """Its address; empty for an entity."""
    identity: int | None = None
    """Its identity, where the name tells it."""
    port: int = 0
    """The port at which it is called."""
    protocol: str = "TCP"
    names: tuple[str, ...] = ()
    """The DNS name by which it was asked for."""
    port_names: tuple[str, ...] = ()
    """What its pod calls the port."""


async def reach(
    knowing: Knowing, source: Resolved, destination: Resolved, request: Asked | None = None
) -> Reach:
    """Judge the connection from every pod of the source to every one of the destination."""
    policies = await knowing.know(WrittenPolicies)
    sources = list(_ends(source))
    nodes = {end.node for end in sources if end.node}
    vantages = {node: await look_from(knowing, node) for node in sorted(nodes)}
    destinations = list(_ends(destination)) or list(_of_name(destination, vantages))
    more = sorted({end.node for end in destinations if end.node} - nodes)
    vantages |= dict(
        zip(more, await asyncio.gather(*(look_from(knowing, node) for node in more)), strict=True)
    )
    every = [(one, other) for one in sources for other in destinations if one.said != other.said]
    pairs = tuple(_pair(one, other, vantages, policies, request) for one, other in every[:MOST_PAIRS])
    return Reach(
        source.said,
        destination.said,
        tuple(_observed(every[:MOST_PAIRS], vantages)),
        pairs,
        max(0, len(every) - MOST_PAIRS),
        tuple(dict.fromkeys(_unchecked(source, destination, sources, destinations, policies, pairs))),
        tuple(drafted(pairs, policies, await knowing.know(LabelledPods))),
    )


def _ends(resolved: Resolved) -> Iterator[End]:
    target = resolved.target
    if resolved.entity:
        yield End(resolved.entity, "", "", _RESERVED.get(resolved.entity), target.port, target.protocol)
    elif resolved.address:
        yield End(resolved.address, "", resolved.address, None, target.port, target.protocol)
    for spot in resolved.spots:
        for port, protocol in _ports(spot):
            meta = spot.pod.pod.metadata
            address = spot.pod.pod.status.pod_ip
            node = spot.pod.pod.spec.node_name
            names = _names(spot.pod, port, protocol)
            said = f"{meta.namespace}/{meta.name}"
            yield End(said, node, address, None, port, protocol, port_names=names)


def _ports(spot: Spot) -> list[tuple[int, str]]:
    if spot.port:
        return [(spot.port, spot.protocol)]
    return _declared(spot.pod) or [(0, spot.protocol)]


def _declared(pod: LabelledPod) -> list[tuple[int, str]]:
    return list(dict.fromkeys((port.container_port, port.protocol) for port in _of_containers(pod)))


def _names(pod: LabelledPod, number: int, protocol: str) -> tuple[str, ...]:
    here = (
        port for port in _of_containers(pod) if (port.container_port, port.protocol) == (number, protocol)
    )
    return tuple(port.name for port in here if port.name)


def _of_containers(pod: LabelledPod) -> Iterator[ContainerPort]:
    return (port for container in pod.pod.spec.containers or () for port in container.ports or ())


def _of_name(resolved: Resolved, vantages: dict[str, Vantage]) -> Iterator[End]:
    """The addresses that agents of the sources saw for a name."""
    target, seen = resolved.target, set[str]()
    for vantage in vantages.values():
        for lookup in () if isinstance(vantage.lookups, Gap) else vantage.lookups.items:
            if lookup.fqdn.rstrip(".") != resolved.host:
                continue
            for address in lookup.ips or ():
                if address not in seen:
                    seen.add(address)
                    yield End(
                        f"{resolved.host} ({address})", "", address, None, target.port, target.protocol,
                        (resolved.host,),
                    )  # fmt: skip


def _pair(
    source: End,
    end: End,
    vantages: dict[str, Vantage],
    policies: WrittenPolicies | Gap,
    request: Asked | None,
) -> Pair:
    egress = _judged(Direction.EGRESS, source, end, end, vantages, policies, request)
    ingress = _judged(Direction.INGRESS, end, source, end, vantages, policies, request)
    return Pair(source.said, end.said, end.port, end.protocol, egress, ingress, end.port_names)


def _judged(
    direction: Direction,
    own: End,
    peer: End,
    called: End,
    vantages: dict[str, Vantage],
    policies: WrittenPolicies | Gap,
    request: Asked | None,
) -> Side:
    vantage = vantages.get(own.node)
    if vantage is None:
        # What has no endpoint has no policy of Cilium: its side lets everything through.
        return Side(
            direction, own.said, "", peer.said, Said.ADMITTED, f"{own.said} has no endpoint, so no policy"
        )
    question = Question(
        direction, own.said, own.address, peer.address, peer.identity, called.port, called.protocol, request,
        peer.names, bool(peer.node), called.port_names,
    )  # fmt: skip
    if not called.port:
        side = judge(replace(question, request=None), vantage, policies)
        return replace(side, why=f"{side.why} (no port was named)")
    return judge(question, vantage, policies)


def _observed(pairs: list[tuple[End, End]], vantages: dict[str, Vantage]) -> Iterator[Observed]:
    wanted = {
        (one.address, other.address, other.port) for one, other in pairs if one.address and other.address
    }
    for vantage in vantages.values():
        if isinstance(vantage.refused, Gap):
            continue
        flows = tuple(
            flow
            for flow in vantage.refused.items
            if (flow.addresses.source, flow.addresses.destination, flow.port) in wanted
        )
        if flows:
            last = flows[-1]
            text = f"{last.time} {last.source} -> {last.destination}:{last.port} drop {last.drop_reason}"
            yield Observed(flows, vantage.refused.evidence(text))


def _unchecked(
    source: Resolved,
    destination: Resolved,
    sources: list[End],
    destinations: list[End],
    policies: WrittenPolicies | Gap,
    pairs: tuple[Pair, ...],
) -> Iterator[str]:
    for resolved, ends in ((source, sources), (destination, destinations)):
        if not ends and resolved.host:
            yield f"no agent of the source saw an address for {resolved.host}: rules on names admit those"
        elif not ends:
            yield f"{resolved.said} has no pods"
    if isinstance(policies, Gap):
        yield f"the policies as written: {policies.detail}"
    elif policies.missing:
        yield f"policies of some kinds: {policies.missing[0].detail}"
    for pair in pairs:
        for side in (pair.egress, pair.ingress):
            if side.said is Said.CANNOT_TELL:
                yield f"{side.direction} of {side.endpoint}: {side.why}"
    if destination.service is not None and not destination.spots:
        yield f"{destination.service.ref} has no backend: there is nobody to call"

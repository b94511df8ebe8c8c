"""Lists of objects for a screen, from what the runs have read: coroutines for the engine's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from playbooks.engine.targets.aim import Knows
from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.identities import CiliumIdentities
from playbooks.model.cilium.policies import (
    CiliumClusterwideNetworkPolicies,
    CiliumNetworkPolicies,
    CiliumNetworkPolicy,
)
from playbooks.model.fact import F, Fact
from playbooks.model.finding import Ref
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.network_policies import NetworkPolicies, NetworkPolicy
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from tui.view import object_rows as rows
from tui.view.objects import Item, Listed, Shelf, sorted_items, widths_of


async def listed(knows: Knows, shelf: Shelf) -> Listed:
    """What there is of a kind; what could not be read is told beside it."""
    read = _READ.get(shelf.key, _policies)
    return await read(knows, shelf)


async def _pods(knows: Knows, shelf: Shelf) -> Listed:
    pods = await knows.know(Pods)
    return _unseen(pods) if isinstance(pods, Gap) else await _made(shelf, pods, partial(rows.pods, pods))


async def _services(knows: Knows, shelf: Shelf) -> Listed:
    services, slices = await knows.know(Services), await knows.know(EndpointSlices)
    if isinstance(services, Gap):
        return _unseen(services)
    return await _made(shelf, services, partial(rows.services, services, _known(slices)), slices)


async def _nodes(knows: Knows, shelf: Shelf) -> Listed:
    nodes, agents = await knows.know(Nodes), await knows.know(Agents)
    if isinstance(nodes, Gap):
        return _unseen(nodes)
    return await _made(shelf, nodes, partial(rows.nodes, nodes, _known(agents)), agents)


async def _endpoints(knows: Knows, shelf: Shelf) -> Listed:
    endpoints, nodes = await knows.know(ClusterEndpoints), await knows.know(Nodes)
    if isinstance(endpoints, Gap):
        return _unseen(endpoints)
    return await _made(shelf, endpoints, partial(rows.endpoints, endpoints, _known(nodes)), nodes)


async def _identities(knows: Knows, shelf: Shelf) -> Listed:
    identities, endpoints = await knows.know(CiliumIdentities), await knows.know(ClusterEndpoints)
    if isinstance(identities, Gap):
        return _unseen(identities)
    return await _made(shelf, identities, partial(rows.identities, identities, _known(endpoints)), endpoints)


async def _slices(knows: Knows, shelf: Shelf) -> Listed:
    slices = await knows.know(EndpointSlices)
    return (
        _unseen(slices)
        if isinstance(slices, Gap)
        else await _made(shelf, slices, partial(rows.slices, slices))
    )


async def _policies(knows: Knows, shelf: Shelf) -> Listed:
    plain, cilium = await knows.know(NetworkPolicies), await knows.know(CiliumNetworkPolicies)
    wide, pods = await knows.know(CiliumClusterwideNetworkPolicies), await knows.know(LabelledPods)
    written = await knows.know(WrittenPolicies)
    wanted = {one.kind for one in shelf.resources}
    facts = {"NetworkPolicy": plain, "CiliumNetworkPolicy": cilium, "CiliumClusterwideNetworkPolicy": wide}
    gaps = [fact for kind, fact in facts.items() if kind in wanted and isinstance(fact, Gap)]
    if isinstance(written, Gap) or len(gaps) == len(wanted):
        return _unseen(*gaps)
    of_cilium = [one for fact in (cilium, wide) if not isinstance(fact, Gap) for one in fact.items]
    plain_ones = () if isinstance(plain, Gap) else plain.items
    make = partial(
        _policy_rows, written, _known(pods), (*plain_ones, *of_cilium), rows.refusals(of_cilium), wanted
    )
    # A kind that the cluster does not have has no policies.
    missing = [gap for gap in gaps if gap.kind is not GapKind.NOT_FOUND]
    return await _made(shelf, written, make, pods, *missing)


def _policy_rows(
    written: WrittenPolicies,
    pods: LabelledPods | None,
    every: tuple[CiliumNetworkPolicy | NetworkPolicy, ...],
    refused: dict[Ref, str],
    wanted: set[str],
) -> list[Item]:
    found = [one for one in rows.policies(written, pods, refused) if one.ref.kind in wanted]
    there = {one.ref for one in found}
    return [
        *found,
        *rows.without_rules(one for one in every if one.ref.kind in wanted and one.ref not in there),
    ]


_READ: dict[str, Callable[[Knows, Shelf], Awaitable[Listed]]] = {
    "pods": _pods,
    "services": _services,
    "nodes": _nodes,
    "endpoints": _endpoints,
    "identities": _identities,
    "slices": _slices,
}


def _unseen(*gaps: Gap) -> Listed:
    return Listed((), gaps, gaps[0].taken_at if gaps else None)


async def _made(shelf: Shelf, main: Fact, make: Callable[[], Iterable[Item]], *besides: Fact | Gap) -> Listed:
    """Rows are made beside the loop: twenty thousand would keep answers waiting."""
    gaps = tuple(dict.fromkeys(one for one in besides if isinstance(one, Gap)))
    items = await asyncio.to_thread(lambda: sorted_items(make()))
    widths = await asyncio.to_thread(widths_of, items, shelf.titles)
    return Listed(items, gaps, main.taken_at, main.provenance.namespace, widths)


def _known(fact: F | Gap) -> F | None:
    return None if isinstance(fact, Gap) else fact

"""Asks everything that a verdict about a connection needs, and puts the verdicts together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.drafting import drafted
from playbooks.engine.reaching.ends import End, ends_of, ends_of_name
from playbooks.engine.reaching.pairing import Pairing, paired
from playbooks.engine.reaching.requests import Asked
from playbooks.engine.reaching.unchecked import unchecked
from playbooks.engine.reaching.vantage import Vantage, look_from
from playbooks.engine.reaching.verdicts import Observed, Reach
from playbooks.engine.targets.resolving import Resolved
from playbooks.model.answer import Gap
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies

MOST_PAIRS = 200
"""Pairs of pods that are judged; more say the same or take too long to read."""


async def reach(
    knowing: Knowing, source: Resolved, destination: Resolved, request: Asked | None = None
) -> Reach:
    """Judge the connection from every pod of the source to every one of the destination."""
    policies = await knowing.know(WrittenPolicies)
    sources = list({(end.said, end.address): end for end in ends_of(source)}.values())
    vantages = await _looked(knowing, sources, {})
    destinations = list(ends_of(destination)) or list(ends_of_name(destination, vantages))
    vantages |= await _looked(knowing, destinations, vantages)
    every = list(paired(sources, destinations, destination))
    pairing = Pairing(vantages, policies, request, destination.service)
    pairs = tuple(pairing.pair(one, other) for one, other in every[:MOST_PAIRS])
    return Reach(
        source.said,
        destination.said,
        tuple(_observed(every[:MOST_PAIRS], vantages)),
        pairs,
        max(0, len(every) - MOST_PAIRS),
        tuple(dict.fromkeys(unchecked(source, destination, sources, destinations, policies, pairs))),
        tuple(drafted(pairs, policies, await knowing.know(LabelledPods))),
    )


async def _looked(knowing: Knowing, ends: Iterable[End], known: dict[str, Vantage]) -> dict[str, Vantage]:
    nodes = sorted({end.node for end in ends if end.node} - set(known))
    return dict(zip(nodes, await asyncio.gather(*(look_from(knowing, node) for node in nodes)), strict=True))


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

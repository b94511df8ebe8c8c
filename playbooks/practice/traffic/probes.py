"""Agents that ask the health endpoints of their own nodes whether they are reached."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from playbooks.practice import agents
from playbooks.practice.naming import stable
from playbooks.practice.policies.verdicts import Verdict
from playbooks.practice.traffic.call import Call, Scheme
from playbooks.practice.traffic.lane import SECOND, Lane, Outcome, Path
from playbooks.practice.traffic.party import HEALTH, HOST, Party

if TYPE_CHECKING:
    from playbooks.practice.network import Endpoint
    from playbooks.practice.world import World

PORT = 4240
"""Where health endpoints answer."""
_HOST_LABELS = ("reserved:host",)
_NOTHING = Verdict(0, 0, None, None)


def probing_interval(world: World) -> float:
    """Seconds between two rounds of probes; more nodes, longer rounds."""
    return 60.0 * math.log(2 + len(world.agents))


def probes_of(world: World) -> Iterator[Lane]:
    """The probes of every agent that is up."""
    every = probing_interval(world)
    for node, network in world.network.nodes.items():
        if network.health is not None and agents.is_up(world, node):
            router = Party(network.router, HOST, _HOST_LABELS, node)
            yield _probe(node, router, network.health, every)


def _probe(node: str, host: Party, health: Endpoint, every: float) -> Lane:
    labels = ("reserved:health",)
    server = Party(
        health.ip, HEALTH, labels, node, health.id, interface=health.interface, interface_index=health.index
    )
    call = Call("", "", Scheme.HTTP, health.ip, PORT, every, "/hello", latency=0.4, size=2)
    period = round(every * SECOND)
    first = stable(f"probe of {node}", 0, period - 1)
    return Lane(call, host, server, PORT, Outcome.ANSWERED, _NOTHING, Path.LOCAL, first, period)

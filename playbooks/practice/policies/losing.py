"""Entries that are taken out of policy maps behind the agents' backs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice.objects import Json, labels_of, matches
from playbooks.practice.policies.rows import Key
from playbooks.practice.policies.rules import PROTOCOLS

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World


def lose(world: World, what: Json) -> None:
    """Take out what `cilium-dbg bpf policy delete` would.

    `runs` are labels of the pods whose maps lose it, `peer` those of the other end; beside them `direction`,
    `port` and `protocol`. Raises `ValueError` where no pod fits.
    """
    subjects, peers = _pods(world, what["runs"]), _pods(world, what["peer"])
    protocol, port = PROTOCOLS[what.get("protocol", "TCP")], int(what.get("port", 0))
    for identity in {world.policies.census.known(run).identity for run in peers}:
        key = Key(what["direction"] == "egress", identity, protocol if port else 0, port, 16 if port else 0)
        for run in subjects:
            world.policies.lose(run.node, world.network.endpoints[run.namespace, run.name].id, key)


def _pods(world: World, labels: Json) -> list[PodRun]:
    found = [
        run
        for run in world.runs.values()
        if matches(labels, labels_of(run.pod)) and (run.namespace, run.name) in world.network.endpoints
    ]
    if not found:
        raise ValueError(f"no pod with an endpoint has the labels {labels}")
    return found

"""Endpoints that are shut off whole, since what policies want of them does not fit into their map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from playbooks.practice.policies.rows import Key, PolicyMap, Row
from playbooks.practice.policies.universe import OF_CLUSTER, OF_MESH, OF_NODES, OF_WORLD

if TYPE_CHECKING:
    from datetime import datetime

    from playbooks.practice.runs import PodRun, Run
    from playbooks.practice.world import World

ERROR = "policy map max entries limit exceeded"
"""Why an agent cannot regenerate such an endpoint."""
_USUAL = 16384
_FIRST = 0xFFFFFFFF


def is_locked(config: Mapping[str, str], wanted: PolicyMap) -> bool:
    """Whether an agent with this configuration shuts an endpoint off that needs these entries."""
    is_on = config.get("enable-endpoint-lockdown-on-policy-overflow", "false") == "true"
    return is_on and len(wanted.rows) > room(config)


def room(config: Mapping[str, str]) -> int:
    """How many entries fit into a policy map."""
    return int(config.get("bpf-policy-map-max", _USUAL))


def shut(wanted: PolicyMap) -> PolicyMap:
    """The map of such an endpoint: entries that refuse everything, and no others."""
    rows = (
        Row(Key(is_egress, identity), _FIRST, is_deny=True)
        for is_egress in (False, True)
        for identity in (0, OF_CLUSTER, OF_MESH, OF_WORLD, OF_NODES)
    )
    return PolicyMap(tuple(rows), wanted.cluster_id)


def watch(world: World) -> None:
    """Let the agents notice whom they shut off, and since when."""
    from playbooks.practice import agents

    for node, run in world.agents.items():
        if run.config.get("enable-endpoint-lockdown-on-policy-overflow") != "true":
            continue
        current = agents.container_of(run).run
        if current is not None and agents.is_up(world, node):
            _note(world, run, current)


def since(current: Run, endpoint: int) -> datetime | None:
    """Since when a run of an agent has shut an endpoint off; nothing for one that it has not."""
    return current.noticed.get(f"locked {endpoint}")


def _note(world: World, run: PodRun, current: Run) -> None:
    from playbooks.practice.policies.ends import pod_place

    for pod in world.policies.census.pods(run.node):
        place = pod_place(world, pod)
        key = f"locked {place.number}"
        if is_locked(run.config, place.held(world).map):
            current.noticed.setdefault(key, world.now)
        else:
            current.noticed.pop(key, None)

"""Changes to the world as data: what a scenario does to a healthy cluster, and what counts as its fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from playbooks.practice import writing
from playbooks.practice.access import Access, Permission
from playbooks.practice.catalog import PODS, Kind
from playbooks.practice.hubble.state import Loss
from playbooks.practice.objects import Json, labels_of, matches, name_of, namespace_of
from playbooks.practice.ownership import Writer
from playbooks.practice.policies.losing import lose

if TYPE_CHECKING:
    from playbooks.practice.world import World


def carry_out(world: World, steps: list[Json]) -> None:
    """Do the steps in their order, as an administrator."""
    access, world.access = world.access, Access()
    for step in steps:
        for verb, argument in step.items():
            _VERBS[verb](world, argument)
    if world.access == Access():
        world.access = access


def duration_of(steps: list[Json]) -> float:
    """Seconds that the steps take."""
    return sum(float(step.get("wait", 0)) for step in steps)


def _wait(world: World, seconds: float) -> None:
    world.advance(seconds)


def _patch(world: World, what: Json) -> None:
    kind = _kind(world, what["kind"])
    writer = Writer(what.get("by", "kubectl-edit"))
    way = "merge" if "merge" in what else "strategic-merge"
    form = f"application/{way}-patch+json"
    name = what["name"] if "name" in what else _node(world, what)
    writing.patch(world, kind, what.get("namespace", ""), name, form, what[way], writer)


def _scale(world: World, what: Json) -> None:
    kind = _kind(world, what.get("kind", "Deployment"))
    writer = Writer(what.get("by", "kubectl"))
    writing.scale(world, kind, what["namespace"], what["name"], what["replicas"], writer)


def _delete(world: World, what: Json) -> None:
    kind = _kind(world, what["kind"])
    namespace = what.get("namespace", "")
    if "name" in what:
        writing.delete(world, kind, namespace, what["name"])
        return
    for item in world.store.all(kind, namespace):
        if matches(what.get("labels"), labels_of(item)) and name_of(item).endswith(what.get("ending", "")):
            writing.delete(world, kind, namespace, name_of(item))


def _restart_agent(world: World, where: Json) -> None:
    run = world.agents[_node(world, where)]
    writing.delete(world, PODS, run.namespace, run.name)


def _silence_agent(world: World, where: Json) -> None:
    world.silent_nodes.add(_node(world, where))


def _leak(world: World, what: Json) -> None:
    world.network.leak(_node(world, what), what.get("leave", 0), what["owner"])


def _leave_behind(world: World, what: Json) -> None:
    """Let the map of services on a node lead to an address that a service had before."""
    agent = world.agents[_node(world, what)]
    world.astray[agent.uid, what["service"]] = what["address"]


def _forget(world: World, what: Json) -> None:
    """Let the agent of a worker not know the pods with some labels."""
    for run in world.runs.values():
        if matches(what["runs"], labels_of(run.pod)):
            node = list(world.network.nodes)[what["worker"]]
            world.tampered.forget(world, node, (run.namespace, run.name))
    _look_again(world)


def _mislead(world: World, what: Json) -> None:
    world.tampered.mislead(world, _node(world, what), int(what["port"]))
    _look_again(world)


def _stall(world: World, where: Json) -> None:
    world.tampered.stall(world, _node(world, where))


def _network_of(world: World, what: Json) -> None:
    """Let the runtime of a node ask another network plugin, or Cilium's again."""
    change = world.tampered.foreign.add if what["is_foreign"] else world.tampered.foreign.discard
    change(_node(world, what))


def _look_again(world: World) -> None:
    """Work out anew what no object tells that it changed."""
    world.policies.renew()
    world.traffic.renew()


def _permit(world: World, what: Json) -> None:
    permissions = tuple(
        Permission(
            tuple(rule["groups"]),
            tuple(rule["resources"]),
            tuple(rule["verbs"]),
            tuple(rule.get("namespaces", ("*",))),
        )
        for rule in what["rules"]
    )
    world.access = replace(world.access, user=what["user"], permissions=permissions)


def _call(world: World, what: Json) -> None:
    world.traffic.add(what)


def _hush(world: World, what: Json) -> None:
    world.traffic.drop(what)


def _lead(world: World, what: Json) -> None:
    world.traffic.name(what["name"], tuple(what.get("to") or ()))


def _slow_hubble(world: World, what: Json) -> None:
    world.hubble.slow[_node(world, what)] = float(what["seconds"])


def _lose_flows(world: World, what: Json) -> None:
    source, node = what.get("source", "PERF_EVENT_RING_BUFFER"), _node(world, what)
    loss = Loss(world.traffic.now, node, source, int(what["count"]), what.get("cpu"))
    world.hubble.losses.append(loss)


def _apply(world: World, item: Json) -> None:
    kind = _kind(world, item["kind"])
    namespace, name = namespace_of(item), name_of(item)
    writer = Writer("kubectl-client-side-apply")
    if world.store.get(kind, namespace, name) is None:
        writing.create(world, kind, namespace, item, writer)
    else:
        writing.replace(world, kind, namespace, name, item, writer)


def _node(world: World, where: Json) -> str:
    """A node by what runs on it, or a worker by its number."""
    if "runs" in where:
        return next(run.node for run in world.runs.values() if matches(where["runs"], labels_of(run.pod)))
    return list(world.network.nodes)[where["worker"]]


def _kind(world: World, name: str) -> Kind:
    return next(kind for kind in world.store.kinds if kind.kind == name)


_VERBS: dict[str, Callable[[World, Json], None]] = {
    "wait": _wait,  # type: ignore[dict-item]
    "patch": _patch,
    "scale": _scale,
    "delete": _delete,
    "restart_agent": _restart_agent,
    "silence_agent": _silence_agent,
    "leak": _leak,
    "leave_behind": _leave_behind,
    "forget": _forget,
    "mislead": _mislead,
    "stall": _stall,
    "network_of": _network_of,
    "permit": _permit,
    "call": _call,
    "hush": _hush,
    "lead": _lead,
    "apply": _apply,
    "lose": lose,
    "slow_hubble": _slow_hubble,
    "lose_flows": _lose_flows,
}

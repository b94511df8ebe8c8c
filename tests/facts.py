"""Every kind of fact there is, and scenes in which their ways can be asked."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import playbooks.model
from playbooks.model.answer import Gap
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.fact import Fact, Provenance
from playbooks.model.kube.meta import Meta
from playbooks.model.kube.pods import (
    Container,
    ContainerState,
    ContainerStatus,
    Pod,
    PodSpec,
    PodStatus,
    Running,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@cache
def every_kind() -> tuple[type[Fact], ...]:
    """All facts of the model that are known by ways of their own, sorted by name."""
    for module in pkgutil.walk_packages(playbooks.model.__path__, "playbooks.model."):
        importlib.import_module(module.name)
    found = {kind for kind in _below(Fact) if kind.__module__.startswith("playbooks.") and kind.ways}
    return tuple(sorted((kind for kind in found if "<locals>" not in kind.__qualname__), key=_name))


def _below(kind: type[Fact]) -> Iterator[type[Fact]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)


def _name(kind: type[Fact]) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def running_agent(
    node: str,
    namespace: str,
    name: str,
    container: str,
    *,
    version: str = "",
    agents: Fact | Gap | None = None,
) -> Agents:
    """An agent that runs, whatever is known of it otherwise: every command can be asked of it."""
    image = f"images.example/cilium/cilium:v{version}" if version else ""
    pod = Pod(
        metadata=Meta(name=name, namespace=namespace),
        spec=PodSpec(node_name=node, containers=(Container(name=container, image=image),)),
        status=PodStatus(
            container_statuses=(ContainerStatus(name=container, state=ContainerState(running=Running())),)
        ),
    )
    by_node = {node: Agent(node, pod, container)}
    if isinstance(agents, Agents):
        return replace(agents, by_node=by_node)
    provenance = Provenance("kubectl get pods", "API server", LONG_AGO)
    return Agents(provenance=provenance, by_node=by_node, lacking=(), by_design=(), nodes_known=False)

"""Logs of what stands beside agents and operator: Relay, Envoy, the clustermesh-apiserver and CoreDNS.

Where a component has several pods these are the words of one: of one that was restarted, if any was.
`log_places` has the log of every container.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.log_places import Component, LogPlaces, Place
from playbooks.model.cilium.logs_agent import Log, log_way
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way
from playbooks.model.request import ContainerLog, Request


@dataclass(frozen=True, kw_only=True)
class RelayLog(Log):
    """What Hubble Relay wrote in this run."""

    needs: ClassVar[tuple[type[Fact], ...]] = (LogPlaces,)


@dataclass(frozen=True, kw_only=True)
class MeshLog(Log):
    """What the clustermesh-apiserver wrote in this run, in its first container that does not end."""

    needs: ClassVar[tuple[type[Fact], ...]] = (LogPlaces,)


@dataclass(frozen=True, kw_only=True)
class CorednsLog(Log):
    """What CoreDNS wrote in this run."""

    needs: ClassVar[tuple[type[Fact], ...]] = (LogPlaces,)


@dataclass(frozen=True, kw_only=True)
class EnvoyLog(Log):
    """What the Envoy of a node wrote in this run; none where Envoy runs in the agent, or not at all."""

    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (LogPlaces,)


def _asks(kind: type[Log], component: Component) -> Callable[[Scene], Request | Gap | Fact]:
    def ask(scene: Scene) -> Request | Gap | Fact:
        places = scene.get(LogPlaces)
        if isinstance(places, Gap):
            return places
        found = [place for place in places.items if place.component is component]
        chosen = _chosen([place for place in found if scene.node in ("", place.node)])
        if chosen is None:
            return kind(provenance=Provenance("", "", places.taken_at, scene.node))
        return ContainerLog(chosen.namespace, chosen.pod, chosen.container, chosen.node)

    return ask


def _chosen(places: list[Place]) -> Place | None:
    there = [place for place in places if place.has_run and not place.is_init]
    return next((place for place in there if place.has_previous), next(iter(there), None))


def _way(kind: type[Log], component: Component) -> tuple[Way, ...]:
    return (log_way(f"{component.value} log", kind, _asks(kind, component)),)


RelayLog.ways = _way(RelayLog, Component.RELAY)
MeshLog.ways = _way(MeshLog, Component.CLUSTERMESH)
CorednsLog.ways = _way(CorednsLog, Component.COREDNS)
EnvoyLog.ways = _way(EnvoyLog, Component.ENVOY)

"""Which containers of Cilium and of the cluster's DNS have logs, and the log of each as a fact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.logs_agent import Log, log_way
from playbooks.model.fact import Fact, Scene, Way
from playbooks.model.kube.pods import ContainerStatus, Pod, Pods
from playbooks.model.request import ContainerLog


class Component(StrEnum):
    """What writes logs that tell of the network."""

    AGENT = "agent"
    OPERATOR = "operator"
    RELAY = "relay"
    ENVOY = "envoy"
    CLUSTERMESH = "clustermesh"
    COREDNS = "coredns"


LABELS: dict[Component, tuple[dict[str, str], ...]] = {
    Component.OPERATOR: ({"io.cilium/app": "operator"}, {"name": "cilium-operator"}),
    Component.RELAY: ({"k8s-app": "hubble-relay"},),
    Component.ENVOY: ({"k8s-app": "cilium-envoy"},),
    Component.CLUSTERMESH: ({"k8s-app": "clustermesh-apiserver"},),
    Component.COREDNS: (
        {"k8s-app": "kube-dns"},
        {"app.kubernetes.io/name": "coredns"},
        {"k8s-app": "node-local-dns"},
    ),
}
"""How the pods of each are labelled; agents are found otherwise."""


@dataclass(frozen=True, slots=True)
class Place:
    """One container that writes a log."""

    component: Component
    """What it is a part of."""
    node: str
    """Where its pod runs; empty while it is not scheduled."""
    namespace: str
    """Of the pod."""
    pod: str
    """Name of the pod."""
    container: str
    """Name of the container."""
    is_init: bool
    """Whether it is an init container."""
    has_run: bool
    """Whether it runs or has ever run, so that there is a log."""
    has_previous: bool
    """Whether it has run before, so that there is a log of the run before."""
    is_done: bool
    """Whether it is an init container that has ended well: its log is of use to few."""
    waits: str
    """Why it does not run; empty when it does."""

    @property
    def name(self) -> str:
        """Namespace and name of the pod."""
        return f"{self.namespace}/{self.pod}"


@dataclass(frozen=True, kw_only=True)
class LogPlaces(Fact):
    """Every container whose log may tell of the network."""

    items: tuple[Place, ...]
    """By component, node and pod, each pod's containers in their order."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation, Pods)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> LogPlaces | Gap:
        """Find the pods by label."""
        installation, pods = scene.get(Installation), scene.get(Pods)
        if isinstance(installation, Gap):
            return installation
        if isinstance(pods, Gap):
            return pods
        found = [place for component in Component for place in _places(component, installation, pods)]
        return cls(provenance=replace(pods.provenance, way="pods with logs"), items=tuple(found))


def _places(component: Component, installation: Installation, pods: Pods) -> Iterator[Place]:
    # DNS is a part of Kubernetes: it stays where it is, wherever Cilium was put.
    namespace = "" if component is Component.COREDNS else installation.namespace
    wanted = (installation.selector,) if component is Component.AGENT else LABELS[component]
    mine = [
        pod
        for pod in pods.items
        if namespace in ("", pod.metadata.namespace) and any(map(pod.metadata.has_labels, wanted))
    ]
    for pod in sorted(mine, key=lambda pod: (pod.spec.node_name, pod.metadata.namespace, pod.metadata.name)):
        for container in pod.spec.init_containers or ():
            yield _place(component, pod, container.name, is_init=True)
        for container in pod.spec.containers or ():
            yield _place(component, pod, container.name, is_init=False)


def _place(component: Component, pod: Pod, container: str, *, is_init: bool) -> Place:
    status = pod.container(container) or ContainerStatus()
    ended = status.state.terminated
    waits = "" if status.state.running or ended else status.waiting_reason or "no status yet"
    return Place(
        component=component,
        node=pod.spec.node_name,
        namespace=pod.metadata.namespace,
        pod=pod.metadata.name,
        container=container,
        is_init=is_init,
        has_run=bool(status.state.running or status.last_end),
        has_previous=status.last_state.terminated is not None,
        is_done=is_init and ended is not None and ended.exit_code == 0,
        waits=waits,
    )


@cache
def log_at(place: Place, *, is_previous: bool = False, tail: int = 500, since_seconds: int = 0) -> type[Log]:
    """The kind of fact that is the log of one container."""

    class PlaceLog(Log):
        ways: ClassVar[tuple[Way, ...]]

    request = ContainerLog(
        place.namespace, place.pod, place.container, place.node, is_previous, tail, since_seconds
    )
    before = " before" if is_previous else ""
    PlaceLog.ways = (log_way(f"{place.component.value} log{before}", PlaceLog, lambda scene: request),)
    return PlaceLog

"""DaemonSets and Deployments: how many pods they want, have and have ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.fact import Fact, Scene, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import KubeCondition, Meta, Object, listing
from playbooks.model.kube.pods import PodSpec
from playbooks.model.kube.resources import DAEMON_SETS, DEPLOYMENTS
from playbooks.model.request import Objects


class LabelSelector(Object, frozen=True):
    """A selector; expressions are rare here and left out."""

    match_labels: dict[str, str] | None = None


class PodTemplate(Object, frozen=True):
    """What pods are made from."""

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()


class UpdateStrategy(Object, frozen=True):
    """How pods are replaced."""

    type: str = ""


class WorkloadSpec(Object, frozen=True):
    """A workload as asked for."""

    replicas: int | None = None
    selector: LabelSelector = LabelSelector()
    template: PodTemplate = PodTemplate()
    update_strategy: UpdateStrategy = UpdateStrategy()


class DaemonSetStatus(Object, frozen=True):
    """A DaemonSet as it is."""

    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    number_misscheduled: int = 0
    updated_number_scheduled: int = 0
    observed_generation: int = 0


class DaemonSet(Object, frozen=True):
    """A DaemonSet."""

    metadata: Meta
    spec: WorkloadSpec = WorkloadSpec()
    status: DaemonSetStatus = DaemonSetStatus()

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("DaemonSet", self.metadata.name, self.metadata.namespace)

    @property
    def is_rolling_out(self) -> bool:
        """Whether pods are being replaced; with `OnDelete` somebody else decides when, perhaps never."""
        status = self.status
        if self.spec.update_strategy.type == "OnDelete":
            return False
        return (
            status.observed_generation < self.metadata.generation
            or status.updated_number_scheduled < status.desired_number_scheduled
        )


class DeploymentStatus(Object, frozen=True):
    """A Deployment as it is."""

    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    updated_replicas: int = 0
    unavailable_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[KubeCondition, ...] | None = None


class Deployment(Object, frozen=True):
    """A Deployment."""

    metadata: Meta
    spec: WorkloadSpec = WorkloadSpec()
    status: DeploymentStatus = DeploymentStatus()

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("Deployment", self.metadata.name, self.metadata.namespace)

    @property
    def wanted(self) -> int:
        """How many replicas are asked for; the API's default is one."""
        return 1 if self.spec.replicas is None else self.spec.replicas


@dataclass(frozen=True, kw_only=True)
class DaemonSets(Fact):
    """DaemonSets of the cluster."""

    items: tuple[DaemonSet, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def get(self, ref: Ref | None) -> DaemonSet | None:
        """A DaemonSet by its name and namespace."""
        return next((item for item in self.items if item.ref == ref), None)


@dataclass(frozen=True, kw_only=True)
class Deployments(Fact):
    """Deployments of the cluster."""

    items: tuple[Deployment, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def labelled(self, key: str, value: str, namespace: str) -> Deployment | None:
        """The Deployment whose pods carry a label, in one namespace."""
        for item in self.items:
            template = item.spec.template.metadata.label(key)
            if item.metadata.namespace == namespace and value in (template, item.metadata.label(key)):
                return item
        return None


def _cilium_namespace(scene: Scene) -> str:
    return scene.choice.cilium_namespace or "kube-system"


DaemonSets.ways = (
    listing(
        "daemonsets",
        lambda scene: Objects(DAEMON_SETS),
        DaemonSet,
        lambda provenance, items: DaemonSets(provenance=provenance, items=items),
    ),
    listing(
        "daemonsets of Cilium's namespace",
        lambda scene: Objects(DAEMON_SETS, namespace=_cilium_namespace(scene)),
        DaemonSet,
        lambda provenance, items: DaemonSets(provenance=provenance, items=items),
    ),
)
Deployments.ways = (
    listing(
        "deployments",
        lambda scene: Objects(DEPLOYMENTS),
        Deployment,
        lambda provenance, items: Deployments(provenance=provenance, items=items),
    ),
    listing(
        "deployments of Cilium's namespace",
        lambda scene: Objects(DEPLOYMENTS, namespace=_cilium_namespace(scene)),
        Deployment,
        lambda provenance, items: Deployments(provenance=provenance, items=items),
    ),
)

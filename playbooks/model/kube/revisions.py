"""What workloads were before: revisions of DaemonSets, ReplicaSets of Deployments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Fact, Scene, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import Meta, Object, listing, objects
from playbooks.model.kube.resources import CONTROLLER_REVISIONS, REPLICA_SETS
from playbooks.model.kube.workloads import PodTemplate
from playbooks.model.request import Objects, Request

REVISION = "deployment.kubernetes.io/revision"
"""The annotation that numbers a Deployment's ReplicaSets."""


class ControllerRevision(Object, frozen=True):
    """One revision of a DaemonSet or StatefulSet; what it says is left out."""

    metadata: Meta
    revision: int = 0

    @property
    def of(self) -> Ref | None:
        """The workload, if it is told."""
        owner = self.metadata.controller
        return Ref(owner.kind, owner.name, self.metadata.namespace) if owner else None


class ReplicaSetSpec(Object, frozen=True):
    """A ReplicaSet as asked for."""

    replicas: int | None = None
    template: PodTemplate = PodTemplate()


class ReplicaSet(Object, frozen=True):
    """One revision of a Deployment."""

    metadata: Meta
    spec: ReplicaSetSpec = ReplicaSetSpec()

    @property
    def of(self) -> Ref | None:
        """The workload, if it is told."""
        owner = self.metadata.controller
        return Ref(owner.kind, owner.name, self.metadata.namespace) if owner else None

    @property
    def revision(self) -> str:
        """Its number; it rises again when a rollout is undone."""
        return (self.metadata.annotations or {}).get(REVISION, "")

    @property
    def images(self) -> tuple[str, ...]:
        """The images of its containers."""
        return tuple(container.image for container in self.spec.template.spec.containers or ())


@dataclass(frozen=True, kw_only=True)
class ControllerRevisions(Fact):
    """Revisions of DaemonSets and StatefulSets in Cilium's namespace."""

    items: tuple[ControllerRevision, ...]
    """In the order of the API."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation,)
    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class ReplicaSets(Fact):
    """ReplicaSets of the cluster, also those that were replaced."""

    items: tuple[ReplicaSet, ...]
    """In the order of the API."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation,)
    ways: ClassVar[tuple[Way, ...]]


def _in_namespace(scene: Scene) -> Request | Gap:
    installation = scene.get(Installation)
    if isinstance(installation, Gap):
        return installation
    return Objects(REPLICA_SETS, namespace=installation.namespace)


def _revisions(scene: Scene) -> Request | Gap:
    installation = scene.get(Installation)
    if isinstance(installation, Gap):
        return installation
    return Objects(CONTROLLER_REVISIONS, namespace=installation.namespace)


ControllerRevisions.ways = (
    listing(
        "controller revisions",
        _revisions,
        ControllerRevision,
        lambda provenance, items: ControllerRevisions(provenance=provenance, items=items),
    ),
)
ReplicaSets.ways = (
    objects("replicasets", REPLICA_SETS, ReplicaSet, ReplicaSets),
    listing(
        "replicasets of Cilium's namespace",
        _in_namespace,
        ReplicaSet,
        lambda provenance, items: ReplicaSets(provenance=provenance, items=items),
    ),
)

"""Whether agents are told where the API server is, or take the address that a proxy has to translate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Fact, Provenance, Way
from playbooks.model.kube.meta import Meta, Object, listing
from playbooks.model.kube.resources import DAEMON_SETS
from playbooks.model.request import Objects

HOST = "KUBERNETES_SERVICE_HOST"
"""The variable that the chart sets from `k8sServiceHost`; every pod has it, but from the service itself."""


class EnvironmentVariable(Object, frozen=True):
    """A variable by its name; values are never read."""

    name: str = ""


class EnvironmentContainer(Object, frozen=True):
    """A container with its variables."""

    name: str = ""
    env: tuple[EnvironmentVariable, ...] | None = None

    @property
    def is_told(self) -> bool:
        """Whether it is told where the API server is."""
        return any(one.name == HOST for one in self.env or ())


class EnvironmentPodSpec(Object, frozen=True):
    """The containers of a pod."""

    containers: tuple[EnvironmentContainer, ...] | None = None
    init_containers: tuple[EnvironmentContainer, ...] | None = None


class EnvironmentTemplate(Object, frozen=True):
    """What pods are made from."""

    spec: EnvironmentPodSpec = EnvironmentPodSpec()


class EnvironmentSpec(Object, frozen=True):
    """A DaemonSet as asked for."""

    template: EnvironmentTemplate = EnvironmentTemplate()


class EnvironmentDaemonSet(Object, frozen=True):
    """A DaemonSet, read for its variables."""

    metadata: Meta
    spec: EnvironmentSpec = EnvironmentSpec()


@dataclass(frozen=True, kw_only=True)
class Environments(Fact):
    """The DaemonSets of the cluster with the variables of their containers."""

    items: tuple[EnvironmentDaemonSet, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def told(self, installation: Installation) -> bool | None:
        """Whether the agent's container is told where the API server is; nothing where it is not there."""
        for item in self.items:
            if installation.workload and item.metadata.name == installation.workload.name:
                every = item.spec.template.spec.containers or ()
                return next((one.is_told for one in every if one.name == installation.container), None)
        return None


def _make(provenance: Provenance, items: tuple[EnvironmentDaemonSet, ...]) -> Environments:
    return Environments(provenance=provenance, items=items)


Environments.ways = (listing("daemonsets", lambda scene: Objects(DAEMON_SETS), EnvironmentDaemonSet, _make),)

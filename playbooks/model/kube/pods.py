"""Pods: where they run, how their containers are, how they last ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import KubeCondition, Meta, Object, listing
from playbooks.model.kube.resources import PODS
from playbooks.model.request import Objects


class Waiting(Object, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Running(Object, frozen=True):
    """Since when a container runs."""

    started_at: datetime | None = None


class Terminated(Object, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    signal: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(Object, frozen=True):
    """One of waiting, running and terminated."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Object, frozen=True):
    """How a container is."""

    name: str = ""
    image: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()

    @property
    def waiting_reason(self) -> str:
        """Why it waits; empty when it does not."""
        return self.state.waiting.reason if self.state.waiting else ""

    @property
    def last_end(self) -> Terminated | None:
        """How it ended last: now, or before the run under way."""
        return self.state.terminated or self.last_state.terminated


class Volume(Object, frozen=True):
    """What a pod mounts; only what can be missing."""

    name: str = ""
    secret: SecretVolume | None = None
    config_map: ConfigMapVolume | None = None


class SecretVolume(Object, frozen=True):
    """A mounted Secret, by name (its content is never read)."""

    secret_name: str = ""
    optional: bool | None = None


class ConfigMapVolume(Object, frozen=True):
    """A mounted ConfigMap, by name."""

    name: str = ""
    optional: bool | None = None


class ContainerPort(Object, frozen=True):
    """A declared port."""

    container_port: int = 0
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0


class Resources(Object, frozen=True):
    """How much a container may use."""

    limits: dict[str, str] | None = None


class Variable(Object, frozen=True):
    """A variable that a container is given; its value may be a secret and is not read."""

    name: str = ""


class HttpProbe(Object, frozen=True):
    """A question over HTTP."""

    port: int | str = 0


class Probe(Object, frozen=True):
    """How the kubelet asks a container whether it is well."""

    http_get: HttpProbe | None = None


class Container(Object, frozen=True):
    """A container as asked for."""

    name: str = ""
    image: str = ""
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    env: tuple[Variable, ...] | None = None
    resources: Resources | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None


class Toleration(Object, frozen=True):
    """A taint that a pod puts up with."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, key: str, value: str, effect: str) -> bool:
        """Whether it covers this taint (Kubernetes' matching rules)."""
        if self.effect and self.effect != effect:
            return False
        if self.operator == "Exists":
            return not self.key or self.key == key
        return self.key == key and self.value == value


class FieldRequirement(Object, frozen=True):
    """What a field of a node must be."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class NodeTerm(Object, frozen=True):
    """Nodes that a pod may run on."""

    match_fields: tuple[FieldRequirement, ...] | None = None


class NodeTerms(Object, frozen=True):
    """Nodes that a pod may run on: any of these."""

    node_selector_terms: tuple[NodeTerm, ...] | None = None


class NodeAffinity(Object, frozen=True):
    """Which nodes a pod is for."""

    required: NodeTerms | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Object, frozen=True):
    """What a pod wants to be near to; only nodes by name."""

    node_affinity: NodeAffinity | None = None


class DnsOption(Object, frozen=True):
    """An option of a pod's resolver."""

    name: str = ""
    value: str | None = None


class DnsConfig(Object, frozen=True):
    """What a pod itself says of its resolver."""

    nameservers: tuple[str, ...] | None = None
    searches: tuple[str, ...] | None = None
    options: tuple[DnsOption, ...] | None = None


class PodSpec(Object, frozen=True):
    """A pod as asked for."""

    node_name: str = ""
    host_network: bool = False
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    tolerations: tuple[Toleration, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    node_selector: dict[str, str] | None = None
    service_account_name: str = ""
    affinity: Affinity | None = None
    dns_policy: str = ""
    dns_config: DnsConfig | None = None


class PodStatus(Object, frozen=True):
    """A pod as it is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    host_ip: str = msgspec.field(default="", name="hostIP")
    start_time: datetime | None = None
    conditions: tuple[KubeCondition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(Object, frozen=True):
    """A pod."""

    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("Pod", self.metadata.name, self.metadata.namespace, self.spec.node_name)

    @property
    def is_ready(self) -> bool:
        """Whether its Ready condition is True."""
        return self.condition("Ready") == "True"

    @property
    def is_going(self) -> bool:
        """Whether it is being deleted or has ended."""
        return self.metadata.deletion_timestamp is not None or self.status.phase in ("Succeeded", "Failed")

    def condition(self, kind: str) -> str:
        """A condition's status; empty when absent."""
        found = self.condition_of(kind)
        return found.status if found else ""

    def condition_of(self, kind: str) -> KubeCondition | None:
        """A condition, if the pod has it."""
        return next((c for c in self.status.conditions or () if c.type == kind), None)

    @property
    def unready_since(self) -> datetime | None:
        """Since when it has not been ready without a break; none while it is."""
        ready = self.condition_of("Ready")
        return ready.last_transition_time if ready and ready.status == "False" else None

    @property
    def meant_for(self) -> str:
        """The node that it runs on or, for a DaemonSet's pod that waits, the one it is for."""
        affinity = self.spec.affinity and self.spec.affinity.node_affinity
        terms = (affinity.required and affinity.required.node_selector_terms) if affinity else None
        for term in terms or ():
            for field in term.match_fields or ():
                if field.key == "metadata.name" and field.values and not self.spec.node_name:
                    return field.values[0]
        return self.spec.node_name

    def container(self, name: str) -> ContainerStatus | None:
        """The status of a container or init container."""
        every = (*(self.status.init_container_statuses or ()), *(self.status.container_statuses or ()))
        return next((status for status in every if status.name == name), None)

    @property
    def stuck_init(self) -> ContainerStatus | None:
        """The first init container that has not ended well."""
        for status in self.status.init_container_statuses or ():
            ended = status.state.terminated
            if not (ended and ended.exit_code == 0) and not (status.ready and status.state.running):
                return status
        return None


@dataclass(frozen=True, kw_only=True)
class Pods(Fact):
    """All pods of the cluster."""

    items: tuple[Pod, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def matching(self, labels: dict[str, str], namespace: str = "") -> tuple[Pod, ...]:
        """Pods with all these labels, in one namespace if given."""
        return tuple(
            pod
            for pod in self.items
            if pod.metadata.has_labels(labels) and namespace in ("", pod.metadata.namespace)
        )


Pods.ways = (
    listing(
        "pods",
        lambda scene: Objects(PODS),
        Pod,
        lambda provenance, items: Pods(provenance=provenance, items=items),
    ),
    listing(
        "pods of Cilium's namespace",
        lambda scene: Objects(PODS, namespace=scene.choice.cilium_namespace or "kube-system"),
        Pod,
        lambda provenance, items: Pods(provenance=provenance, items=items),
    ),
)

"""Services: what address leads to which pods, as asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import KubeCondition, Meta, Object, objects
from playbooks.model.kube.resources import SERVICES


class ServicePort(Object, frozen=True):
    """One port of a service."""

    port: int = 0
    name: str = ""
    protocol: str = "TCP"
    target_port: int | str | None = None
    node_port: int = 0
    app_protocol: str = ""


class ServiceSpec(Object, frozen=True):
    """A service as asked for."""

    type: str = "ClusterIP"
    selector: dict[str, str] | None = None
    ports: tuple[ServicePort, ...] | None = None
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] | None = msgspec.field(default=None, name="clusterIPs")
    external_ips: tuple[str, ...] | None = msgspec.field(default=None, name="externalIPs")
    external_name: str = ""
    external_traffic_policy: str = ""
    internal_traffic_policy: str = ""
    traffic_distribution: str = ""
    session_affinity: str = "None"
    load_balancer_class: str = ""
    load_balancer_ip: str = msgspec.field(default="", name="loadBalancerIP")
    load_balancer_source_ranges: tuple[str, ...] | None = None
    health_check_node_port: int = 0
    publish_not_ready_addresses: bool = False
    ip_families: tuple[str, ...] | None = None
    ip_family_policy: str = ""


class Ingress(Object, frozen=True):
    """An address that a load balancer gave."""

    ip: str = ""
    hostname: str = ""
    ip_mode: str = ""


class LoadBalancerStatus(Object, frozen=True):
    """Addresses that load balancers gave."""

    ingress: tuple[Ingress, ...] | None = None


class ServiceStatus(Object, frozen=True):
    """A service as it is."""

    load_balancer: LoadBalancerStatus = LoadBalancerStatus()
    conditions: tuple[KubeCondition, ...] | None = None


class Service(Object, frozen=True):
    """A service."""

    metadata: Meta
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("Service", self.metadata.name, self.metadata.namespace)

    @property
    def is_headless(self) -> bool:
        """Whether clients get pod addresses instead of one of its own."""
        return self.spec.cluster_ip == "None"

    @property
    def selects_pods(self) -> bool:
        """Whether Kubernetes finds its backends by a selector."""
        return bool(self.spec.selector) and self.spec.type != "ExternalName"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Cluster, external and load-balancer addresses."""
        cluster = self.spec.cluster_ips or ((self.spec.cluster_ip,) if self.spec.cluster_ip else ())
        balanced = tuple(one.ip for one in self.status.load_balancer.ingress or () if one.ip)
        named = (*cluster, *(self.spec.external_ips or ()), *balanced)
        return tuple(dict.fromkeys(address for address in named if address != "None"))

    def annotation(self, *keys: str) -> str:
        """The value of the first of these annotations that is there."""
        annotations = self.metadata.annotations or {}
        return next((annotations[key] for key in keys if key in annotations), "")


@dataclass(frozen=True, kw_only=True)
class Services(Fact):
    """All services of the cluster."""

    items: tuple[Service, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def get(self, namespace: str, name: str) -> Service | None:
        """A service by name."""
        return next((one for one in self.items if one.ref == Ref("Service", name, namespace)), None)


Services.ways = (objects("services", SERVICES, Service, Services),)

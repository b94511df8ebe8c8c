"""Endpoint slices: the backends that Kubernetes found for services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import ENDPOINT_SLICES

SERVICE_LABEL = "kubernetes.io/service-name"


class EndpointConditions(Object, frozen=True):
    """How a backend is; absent means yes for ready and serving, no for terminating."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetRef(Object, frozen=True):
    """The pod behind a backend."""

    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""


class SliceEndpoint(Object, frozen=True):
    """One backend."""

    addresses: tuple[str, ...] | None = None
    conditions: EndpointConditions = EndpointConditions()
    node_name: str = ""
    zone: str = ""
    target_ref: TargetRef | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it takes new connections."""
        return self.conditions.ready is not False


class SlicePort(Object, frozen=True):
    """A port that all backends of a slice share."""

    name: str | None = None
    port: int | None = None
    protocol: str = "TCP"


class EndpointSlice(Object, frozen=True):
    """A slice of a service's backends."""

    metadata: Meta
    address_type: str = "IPv4"
    endpoints: tuple[SliceEndpoint, ...] | None = None
    ports: tuple[SlicePort, ...] | None = None

    @property
    def service(self) -> str:
        """Name of its service; empty when it belongs to none."""
        return self.metadata.label(SERVICE_LABEL)


@dataclass(frozen=True, kw_only=True)
class EndpointSlices(Fact):
    """All endpoint slices of the cluster."""

    items: tuple[EndpointSlice, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def of_service(self, namespace: str, name: str) -> tuple[EndpointSlice, ...]:
        """The slices of a service."""
        return tuple(one for one in self.items if (one.metadata.namespace, one.service) == (namespace, name))


EndpointSlices.ways = (objects("endpoint slices", ENDPOINT_SLICES, EndpointSlice, EndpointSlices),)

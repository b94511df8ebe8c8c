"""The endpoints that Cilium published to Kubernetes: which pods it manages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Provenance, Way
from playbooks.model.kube.meta import Meta, Object, listing
from playbooks.model.kube.resources import CILIUM_ENDPOINT_SLICES, CILIUM_ENDPOINTS
from playbooks.model.request import Objects


class Networking(msgspec.Struct, frozen=True):
    """Where an endpoint is."""

    node: str = ""


class PublishedIdentity(msgspec.Struct, frozen=True):
    """The identity of an endpoint."""

    id: int | None = None


class EndpointState(msgspec.Struct, frozen=True):
    """An endpoint as its agent last published it."""

    id: int | None = None
    state: str = ""
    networking: Networking | None = None
    identity: PublishedIdentity | None = None


class CiliumEndpoint(Object, frozen=True):
    """A CiliumEndpoint."""

    metadata: Meta
    status: EndpointState | None = None


class SlicedEndpoint(msgspec.Struct, frozen=True):
    """An endpoint in a slice; its `id` there is the identity."""

    name: str = ""
    id: int | None = None
    networking: Networking | None = None


class CiliumEndpointSlice(Object, frozen=True):
    """Endpoints of one namespace, packed together."""

    metadata: Meta
    namespace: str = ""
    endpoints: tuple[SlicedEndpoint, ...] | None = None


@dataclass(frozen=True, slots=True)
class PublishedEndpoint:
    """One pod that Cilium manages."""

    namespace: str
    """Of the pod."""
    name: str
    """Of the pod."""
    node_address: str
    """The node's address; empty when not told."""
    id: int | None
    """The endpoint's id on its node; slices do not tell it."""
    state: str
    """`ready`, `not-ready` …; slices do not tell it."""
    identity: int | None = None
    """Its identity; nothing while it has none."""


@dataclass(frozen=True, kw_only=True)
class ClusterEndpoints(Fact):
    """All endpoints of the cluster, from CiliumEndpoints or else from their slices."""

    items: tuple[PublishedEndpoint, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def pod_of(self, endpoint: int, addresses: frozenset[str]) -> tuple[str, str] | None:
        """Namespace and name of the pod of an endpoint id on the node with these addresses."""
        for item in self.items:
            if item.id == endpoint and item.node_address in addresses:
                return item.namespace, item.name
        return None


def _of_endpoints(provenance: Provenance, items: tuple[CiliumEndpoint, ...]) -> ClusterEndpoints:
    return ClusterEndpoints(provenance=provenance, items=tuple(map(_published, items)))


def _published(item: CiliumEndpoint) -> PublishedEndpoint:
    status = item.status or EndpointState()
    node = status.networking.node if status.networking else ""
    identity = status.identity.id if status.identity else None
    meta = item.metadata
    return PublishedEndpoint(meta.namespace, meta.name, node, status.id, status.state, identity)


def _of_slices(provenance: Provenance, items: tuple[CiliumEndpointSlice, ...]) -> ClusterEndpoints:
    every = tuple(one for item in items for one in _unpacked(item))
    return ClusterEndpoints(provenance=provenance, items=every)


def _unpacked(item: CiliumEndpointSlice) -> Iterator[PublishedEndpoint]:
    for endpoint in item.endpoints or ():
        node = endpoint.networking.node if endpoint.networking else ""
        yield PublishedEndpoint(item.namespace, endpoint.name, node, None, "", endpoint.id)


ClusterEndpoints.ways = (
    listing("CiliumEndpoints", lambda scene: Objects(CILIUM_ENDPOINTS), CiliumEndpoint, _of_endpoints),
    listing(
        "CiliumEndpointSlices",
        lambda scene: Objects(CILIUM_ENDPOINT_SLICES),
        CiliumEndpointSlice,
        _of_slices,
    ),
)

"""The backends of a service as Kubernetes lists them: ready or not, on which node, since when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from playbooks.model.kube.endpoint_slices import EndpointSlice, EndpointSlices, SliceEndpoint
from playbooks.model.kube.services import Service

_TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
SETTLED = timedelta(minutes=1)
"""After so long without a change, what slices say is no change under way."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What the slices of one service list."""

    slices: tuple[EndpointSlice, ...]
    """All of them."""

    @property
    def endpoints(self) -> Iterator[SliceEndpoint]:
        """All backends, ready or not."""
        return (endpoint for one in self.slices for endpoint in one.endpoints or ())

    @property
    def ready(self) -> tuple[SliceEndpoint, ...]:
        """Backends that take new connections."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.is_ready)

    @property
    def nodes(self) -> frozenset[str]:
        """Nodes with a ready backend."""
        return frozenset(endpoint.node_name for endpoint in self.ready if endpoint.node_name)

    @property
    def has_unplaced(self) -> bool:
        """Whether it is not told of a ready backend where it runs."""
        return any(not endpoint.node_name for endpoint in self.ready)

    @property
    def changed_at(self) -> datetime | None:
        """When one of them was written last, if anything tells."""
        return max((time for one in self.slices for time in _times(one)), default=None)

    def is_settled(self, now: datetime) -> bool:
        """Whether nothing has changed of late; not where nothing tells."""
        changed = self.changed_at
        return changed is not None and now - changed >= SETTLED

    def has_port(self, name: str) -> bool:
        """Whether a slice lists a port of this name."""
        return any((port.name or "") == name and port.port for one in self.slices for port in one.ports or ())


def listed(service: Service, slices: EndpointSlices) -> Listed:
    """What the slices of a service list."""
    return Listed(slices.of_service(service.metadata.namespace, service.metadata.name))


def _times(one: EndpointSlice) -> Iterator[datetime]:
    change = one.metadata.last_change
    if change and change.time:
        yield change.time
    triggered = (one.metadata.annotations or {}).get(_TRIGGERED, "")
    if triggered:
        try:
            yield msgspec.convert(triggered, datetime)
        except msgspec.ValidationError:
            return

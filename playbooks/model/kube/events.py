"""Events: what kubelet, scheduler and controllers complained about of late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Fact, Scene, Way
from playbooks.model.kube.meta import Meta, Object, listing
from playbooks.model.kube.pods import Pod
from playbooks.model.kube.resources import EVENTS
from playbooks.model.request import Objects, Request

_WARNINGS = "type=Warning"


class Involved(Object, frozen=True):
    """What an event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class Series(Object, frozen=True):
    """How often an event of the newer kind came."""

    count: int | None = None
    last_observed_time: datetime | None = None


class EventSource(Object, frozen=True):
    """Who reported an event of the older kind."""

    component: str | None = None
    host: str | None = None


class Event(Object, frozen=True):
    """An event."""

    metadata: Meta
    involved_object: Involved = Involved()
    type: str = ""
    reason: str | None = ""
    message: str | None = ""
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: Series | None = None
    source: EventSource | None = None

    @property
    def text(self) -> str:
        """What it says."""
        return self.message or ""

    @property
    def times(self) -> int:
        """How often it came."""
        return (self.series and self.series.count) or self.count or 1

    @property
    def first(self) -> datetime | None:
        """When it came first."""
        return self.first_timestamp or self.event_time or self.metadata.creation_timestamp

    @property
    def last(self) -> datetime | None:
        """When it came last."""
        observed = self.series.last_observed_time if self.series else None
        return observed or self.last_timestamp or self.event_time or self.metadata.creation_timestamp

    def is_about(self, pod: Pod) -> bool:
        """Whether it is about this very pod, not one that had its name before."""
        about, meta = self.involved_object, pod.metadata
        if about.kind != "Pod" or (about.namespace, about.name) != (meta.namespace, meta.name):
            return False
        return not about.uid or not meta.uid or about.uid == meta.uid

    @property
    def excerpt(self) -> str:
        """The event on one line, as evidence."""
        last = f"{self.last:%Y-%m-%dT%H:%M:%SZ} " if self.last else ""
        return f"{last}{self.reason} x{self.times} {self.text}"


@dataclass(frozen=True, kw_only=True)
class Warnings(Fact):
    """Events of type Warning; Kubernetes forgets them after an hour."""

    items: tuple[Event, ...]
    """In the order of the API."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation,)
    ways: ClassVar[tuple[Way, ...]]

    def about(self, pod: Pod, *reasons: str) -> Iterator[Event]:
        """Events about this pod, with one of these reasons if any is given."""
        for event in self.items:
            if event.is_about(pod) and (not reasons or event.reason in reasons):
                yield event


def _in_namespace(scene: Scene) -> Request | Gap:
    installation = scene.get(Installation)
    if isinstance(installation, Gap):
        return installation
    return Objects(EVENTS, namespace=installation.namespace, fields=_WARNINGS)


Warnings.ways = (
    listing(
        "events",
        lambda scene: Objects(EVENTS, fields=_WARNINGS),
        Event,
        lambda provenance, items: Warnings(provenance=provenance, items=items),
    ),
    listing(
        "events of Cilium's namespace",
        _in_namespace,
        Event,
        lambda provenance, items: Warnings(provenance=provenance, items=items),
    ),
)

"""A message of a stream of flows, of which only the first level is parsed."""

from __future__ import annotations

from typing import Protocol, cast

from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.shallow import shallow


class ShallowEvent(Protocol):
    """A GetFlowsResponse or ExportEvent with its sub-messages as bytes."""

    flow: bytes
    node_name: str
    time: bytes

    def HasField(self, name: str) -> bool:  # noqa: N802  as protobuf names it
        """Whether a sub-message is there, be it empty."""

    def WhichOneof(self, name: str) -> str | None:  # noqa: N802  as protobuf names it
        """Which kind of event it is."""


def event_of(raw: bytes) -> ShallowEvent:
    """A serialized message. Raises `DecodeError`."""
    return cast("ShallowEvent", _parse(raw))


def kind_of(event: ShallowEvent) -> str:
    """Which kind of event it is; empty for none, and for a kind that we do not know."""
    return "flow" if event.flow else event.WhichOneof("response_types") or ""


_parse = shallow(ExportEvent.DESCRIPTOR).FromString

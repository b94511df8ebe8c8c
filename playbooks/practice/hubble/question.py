"""A request, looked at once: what it asks for, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from playbooks.model.hubble.filters.masks import mask
from playbooks.model.hubble.filters.matching import FilterRefused, matching
from playbooks.model.hubble.filters.wording import WrongValue
from playbooks.model.hubble.proto import flow_pb2, observer_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.timestamp_pb2 import Timestamp

    from playbooks.practice.hubble.encoding import Encoder
    from playbooks.practice.traffic.flows import WorldFlow
    from playbooks.practice.traffic.sight import Sight

    Asked = (
        observer_pb2.GetFlowsRequest | observer_pb2.GetAgentEventsRequest | observer_pb2.GetDebugEventsRequest
    )

_DIFFERING = frozenset({"uuid", "source_port", "destination_port", "experimental"})
"""Filters whose answer may differ between flows of one kind."""


class WrongRequest(ValueError):
    """A request that a server refuses; the text is Hubble's kind of message."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which of the events that match are asked for."""

    number: int
    """How many; 0 for no limit."""
    is_first: bool
    """Whether the oldest are meant and not the newest."""
    is_followed: bool
    """Whether to go on as events come."""
    since: int | None
    """The earliest time, in nanoseconds after 1970."""
    until: int | None
    """The latest time."""

    @classmethod
    def of(cls, request: Asked) -> Range:
        """The range of a request. Raises `WrongRequest`."""
        if request.first and request.follow:
            raise WrongRequest("first cannot be specified with follow")
        return cls(
            request.number,
            request.first,
            request.follow,
            _nanoseconds(request.since) if request.HasField("since") else None,
            _nanoseconds(request.until) if request.HasField("until") else None,
        )

    @property
    def is_from_now(self) -> bool:
        """Whether nothing of the past is asked for."""
        return self.is_followed and not self.number and self.since is None

    @property
    def counts_forward(self) -> bool:
        """Whether the number counts from the oldest on; with a time to begin at it always does."""
        return self.is_first or self.since is not None


class Question:
    """A GetFlows request: its filters compiled, its mask checked."""

    def __init__(self, request: observer_pb2.GetFlowsRequest) -> None:
        """Raises `WrongRequest`."""
        self.range = Range.of(request)
        try:
            self.matcher = matching(request.whitelist, request.blacklist)
            self._mask: FieldMask | None = (
                mask(request.field_mask.paths) if request.field_mask.paths else None
            )
        except (FilterRefused, WrongValue) as error:
            raise WrongRequest(str(error)) from None
        used = {
            field.name for one in (*request.whitelist, *request.blacklist) for field, _ in one.ListFields()
        }
        self.is_open = not used
        """Whether there are no filters."""
        self.is_by_kind = not used & _DIFFERING
        """Whether all flows of a kind match, or none."""

    def wanted(self, encoder: Encoder) -> Callable[[Sight], bool]:
        """Whether flows of a kind may match: none of the others is made at all."""
        if not self.is_by_kind:
            return lambda _sight: True
        return lambda sight: self.matcher.flow(encoder.shared(sight))

    def chosen(self, flows: Iterable[WorldFlow], encoder: Encoder) -> Iterable[WorldFlow]:
        """The flows that match, of those of wanted kinds."""
        if self.is_by_kind:
            return flows
        return (one for one in flows if self.matcher.flow(encoder.flow(one)))

    def told(self, one: WorldFlow, encoder: Encoder) -> bytes:
        """One of them as it is sent."""
        if self._mask is None:
            return encoder.response(one)
        flow = self.masked(encoder.flow(one))
        time = flow.time if flow.HasField("time") else None
        return observer_pb2.GetFlowsResponse(
            flow=flow, node_name=flow.node_name, time=time
        ).SerializeToString()

    def masked(self, flow: flow_pb2.Flow) -> flow_pb2.Flow:
        """The fields that are asked for."""
        if self._mask is None:
            return flow
        found = flow_pb2.Flow()
        self._mask.MergeMessage(flow, found)
        return found


def _nanoseconds(when: Timestamp) -> int:
    return when.seconds * 1_000_000_000 + when.nanos

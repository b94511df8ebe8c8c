"""What is asked of a stream: which call, which events, and how it goes on after a break."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from playbooks.model.hubble.proto import flow_pb2, observer_pb2

SECOND = 1_000_000_000
"""Nanoseconds."""


class Call(StrEnum):
    """A stream of the Observer service; the value is the method's name."""

    FLOWS = "GetFlows"
    AGENT_EVENTS = "GetAgentEvents"
    DEBUG_EVENTS = "GetDebugEvents"


class Request(Protocol):
    """What the requests of the three calls have in common."""

    number: int
    follow: bool
    first: bool

    def SerializeToString(self) -> bytes:  # noqa: N802
        """The bytes on the wire."""

    def ClearField(self, field_name: str) -> None:  # noqa: N802
        """Unset a field."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A request, with all that must survive a reconnect."""

    request: (
        observer_pb2.GetFlowsRequest | observer_pb2.GetAgentEventsRequest | observer_pb2.GetDebugEventsRequest
    )
    """As it is sent at first."""
    is_full: bool = False
    """Whether it asks for all flows, which is dear through the API server."""
    first_nodes: tuple[str, ...] = ()
    """Nodes to ask first where not all can be asked: those of the target."""

    @property
    def call(self) -> Call:
        """Which stream it is."""
        if isinstance(self.request, observer_pb2.GetAgentEventsRequest):
            return Call.AGENT_EVENTS
        if isinstance(self.request, observer_pb2.GetDebugEventsRequest):
            return Call.DEBUG_EVENTS
        return Call.FLOWS

    @property
    def is_followed(self) -> bool:
        """Whether it goes on until somebody stops it."""
        return self.request.follow

    def since(self, nanoseconds: int) -> Wish:
        """The same, going on from a time: no more counting of the last or first ones."""
        request = type(self.request)()
        request.CopyFrom(self.request)  # type: ignore[arg-type]
        request.number = 0
        request.first = False
        request.since.FromNanoseconds(max(0, nanoseconds))
        return Wish(request, self.is_full, self.first_nodes)


def everything(last: int = 0) -> Wish:
    """All flows, beginning with the last ones of each node."""
    return Wish(observer_pb2.GetFlowsRequest(follow=True, number=last), is_full=True)


def troubles(targets: Sequence[str] = (), nodes: Iterable[str] = (), last: int = 0) -> Wish:
    """Drops, errors, and all flows from and to the targets (`namespace/pod`, or `namespace/` for all of one).

    Lost events and what becomes of nodes pass every filter.
    """
    bad = flow_pb2.FlowFilter(verdict=[flow_pb2.Verdict.DROPPED, flow_pb2.Verdict.ERROR])
    allowed = [bad]
    if targets:
        allowed.append(flow_pb2.FlowFilter(source_pod=targets))
        allowed.append(flow_pb2.FlowFilter(destination_pod=targets))
    request = observer_pb2.GetFlowsRequest(follow=True, number=last, whitelist=allowed)
    return Wish(request, first_nodes=tuple(nodes))

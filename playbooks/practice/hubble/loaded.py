"""An observer over the events of a file: what it has is answered as the hubble command reads the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from playbooks.model.hubble.filters.matching import FilterRefused
from playbooks.model.hubble.filters.selection import selected
from playbooks.model.hubble.jsonpb import Reader
from playbooks.model.hubble.proto import observer_pb2
from playbooks.practice.hubble.observers import NotOffered, namespaces_of
from playbooks.practice.hubble.question import Question, Range, WrongRequest
from playbooks.practice.hubble.streams import Immediate

if TYPE_CHECKING:
    from pathlib import Path

    from playbooks.practice.hubble.past import Past
    from playbooks.practice.hubble.question import Asked
    from playbooks.practice.hubble.streams import Stream


class Loaded:
    """The observer of one agent that remembers what a file holds, and sees nothing new."""

    header = ("hubble-server-version", "1.20.2+g0000000000")

    def __init__(self, events: Sequence[observer_pb2.ExportEvent]) -> None:
        """`events` in the order of the file."""
        self._flows = [one for one in events if one.HasField("flow") or one.HasField("lost_events")]
        self._agent_events = [one for one in events if one.HasField("agent_event")]
        self._debug_events = [one for one in events if one.HasField("debug_event")]

    @classmethod
    def of(cls, path: Path) -> Loaded:
        """From a file of JSON lines. Raises `OSError` and `Unreadable`."""
        reader = Reader()
        return cls([reader.event(line) for line in path.read_bytes().splitlines() if line.strip()])

    def is_serving(self, past: Past) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def flows(self, request: observer_pb2.GetFlowsRequest) -> Stream:
        """The flows and losses that match. Raises `WrongRequest`."""
        question = Question(request)
        try:
            found = selected(request, self._flows)
        except FilterRefused as error:
            raise WrongRequest(str(error)) from None
        return _Told([] if question.range.is_from_now else [_response(one, question) for one in found])

    def agent_events(self, request: observer_pb2.GetAgentEventsRequest) -> Stream:
        """What agents did. Raises `WrongRequest`."""
        return _Told(
            observer_pb2.GetAgentEventsResponse(
                agent_event=one.agent_event, node_name=one.node_name, time=one.time
            ).SerializeToString()
            for one in _within(request, self._agent_events)
        )

    def debug_events(self, request: observer_pb2.GetDebugEventsRequest) -> Stream:
        """What the datapath said for debugging. Raises `WrongRequest`."""
        return _Told(
            observer_pb2.GetDebugEventsResponse(
                debug_event=one.debug_event, node_name=one.node_name, time=one.time
            ).SerializeToString()
            for one in _within(request, self._debug_events)
        )

    def status(self, past: Past) -> observer_pb2.ServerStatusResponse:  # noqa: ARG002
        """What the file holds."""
        count = sum(one.HasField("flow") for one in self._flows)
        return observer_pb2.ServerStatusResponse(
            num_flows=count, max_flows=count, seen_flows=count, version=f"cilium v{self.header[1]}"
        )

    def nodes(self, past: Past) -> observer_pb2.GetNodesResponse:  # noqa: ARG002
        """Only Relay knows. Raises `NotOffered`."""
        raise NotOffered("GetNodes not implemented")

    def namespaces(self, past: Past) -> observer_pb2.GetNamespacesResponse:  # noqa: ARG002
        """The namespaces of its flows."""
        ends = (end for one in self._flows for end in (one.flow.source, one.flow.destination))
        return namespaces_of("", {end.namespace for end in ends} - {""})


class _Told(Immediate):
    """An answer that is known from the beginning."""

    def __init__(self, raws: Iterable[bytes]) -> None:
        self._raws = list(raws)

    def begin(self, past: Past) -> Iterator[bytes]:  # noqa: ARG002
        return iter(self._raws)

    def more(self, past: Past) -> Iterator[bytes]:  # noqa: ARG002
        return iter(())


def _response(one: observer_pb2.ExportEvent, question: Question) -> bytes:
    time = one.time if one.HasField("time") else None
    told = observer_pb2.GetFlowsResponse(node_name=one.node_name, time=time)
    if one.HasField("flow"):
        told.flow.CopyFrom(question.masked(one.flow))
    else:
        told.lost_events.CopyFrom(one.lost_events)
    return told.SerializeToString()


def _within(request: Asked, events: Sequence[observer_pb2.ExportEvent]) -> list[observer_pb2.ExportEvent]:
    asked = Range.of(request)
    if asked.is_from_now:
        return []
    found = [
        one
        for one in events
        if (asked.since is None or asked.since <= one.time.ToNanoseconds())
        and (asked.until is None or one.time.ToNanoseconds() <= asked.until)
    ]
    if not asked.number:
        return found
    most = min(asked.number, len(found))
    return list(islice(found, most)) if asked.counts_forward else found[len(found) - most :]

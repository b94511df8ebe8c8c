"""A small Observer on loopback, or on a socket, that sends what a test says; and a clock that never waits.

with Observed() as server:
    server.say(flow("node-1", 1), flow("node-1", 2))
    server.script.append(Cut())              # the next call's answer
    with Stream([Dialled(server.target)], everything(), clock=Hurry()) as stream: ...
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import grpc

from playbooks.model.hubble.proto import flow_pb2, observer_pb2, relay_pb2
from playbooks.sources.hubble import Batch, Event, Phase, State
from playbooks.sources.hubble.dial import Target
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import SECOND

T = TypeVar("T")
Until = Callable[[list[Event]], bool]
NOW = 1_790_000_000 * SECOND


def at(seconds: float) -> int:
    """Nanoseconds of a time so many seconds after the tests' beginning."""
    return NOW + round(seconds * SECOND)


def response(node: str, seconds: float, **more: Any) -> bytes:
    message = observer_pb2.GetFlowsResponse(node_name=node, **more)
    message.time.FromNanoseconds(at(seconds))
    return message.SerializeToString()


def flow(node: str, seconds: float, uuid: str = "", **more: Any) -> bytes:
    """A flow seen on a node; its uuid follows from both unless said."""
    made = flow_pb2.Flow(node_name=node, uuid=uuid or f"{node}@{seconds}", **more)
    made.time.FromNanoseconds(at(seconds))
    return response(node, seconds, flow=made)


def status(seconds: float, state: int, *nodes: str, message: str = "") -> bytes:
    event = relay_pb2.NodeStatusEvent(state_change=state, node_names=nodes, message=message)  # type: ignore[arg-type]
    return response("relay", seconds, node_status=event)


def lost(node: str, seconds: float, count: int) -> bytes:
    event = flow_pb2.LostEvent(source=flow_pb2.LostEventSource.PERF_EVENT_RING_BUFFER, num_events_lost=count)
    return response(node, seconds, lost_events=event)


def uuids(events: Sequence[Event]) -> list[str]:
    """The flows among events."""
    raws = [raw for event in events if isinstance(event, Batch) for raw in event.raws]
    return [observer_pb2.GetFlowsResponse.FromString(raw).flow.uuid for raw in raws]


def of(kind: type[T], events: Sequence[Event]) -> list[T]:
    """Events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def phases(events: Sequence[Event]) -> list[Phase]:
    return [state.phase for state in of(State, events)]


class Hurry:
    """A clock that stands still but when somebody waits."""

    def __init__(self, seconds: float = 100.0) -> None:
        self.time = at(seconds)
        self.pauses: list[float] = []
        self.on_pause: Callable[[], None] = lambda: None

    def now(self) -> int:
        return self.time

    def pause(self, seconds: float, stop: threading.Event) -> None:
        self.pauses.append(seconds)
        self.time += round(seconds * SECOND)
        self.on_pause()


@dataclass
class Answer:
    """One call's answer."""

    raws: Sequence[bytes] = ()
    code: grpc.StatusCode | None = None
    """How it ends; nothing for well."""
    details: str = ""
    hangs: bool = False
    """Whether it stays open when all was sent."""


@dataclass
class Observed:
    """The server; `script` has the answers of the calls of GetFlows to come, the last one again and again."""

    script: list[Answer] = field(default_factory=list)
    oldest: Sequence[bytes] | None = ()
    """Answers the question for the oldest flows; nothing for an error."""
    lacks: frozenset[str] = frozenset()
    """Methods that it does not know."""
    credentials: grpc.ServerCredentials | None = None
    address: str = "127.0.0.1:0"
    asked: list[observer_pb2.GetFlowsRequest] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        self._server = grpc.server(
            futures.ThreadPoolExecutor(8),
            options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((_Handlers(self),))
        if self.credentials:
            self.port = self._server.add_secure_port(self.address, self.credentials)
        else:
            self.port = self._server.add_insecure_port(self.address)
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.stop(None).wait(5)

    @property
    def target(self) -> Target:
        where = self.address if self.address.startswith("unix:") else f"127.0.0.1:{self.port}"
        return Target(where, where, seconds=5.0)

    def flows(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        wanted = observer_pb2.GetFlowsRequest.FromString(request)
        if wanted.first and wanted.number == 1:
            if self.oldest is None:
                context.abort(grpc.StatusCode.INTERNAL, "no")
            yield from self.oldest or ()
            return
        self.asked.append(wanted)
        self.metadata.append({str(key): str(value) for key, value in context.invocation_metadata()})
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        yield from answer.raws
        if answer.hangs:
            self.ended.wait(20)
        if answer.code:
            context.abort(answer.code, answer.details)

    def unary(self, method: str) -> bytes:
        if method == "ServerStatus":
            return observer_pb2.ServerStatusResponse(num_flows=7, version="v1").SerializeToString()
        if method == "GetNodes":
            return observer_pb2.GetNodesResponse(nodes=[observer_pb2.Node(name="node-1")]).SerializeToString()
        space = observer_pb2.Namespace(namespace="shop")
        return observer_pb2.GetNamespacesResponse(namespaces=[space]).SerializeToString()


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, server: Observed) -> None:
        self._server = server

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = details.method.rpartition("/")[2]
        if method in self._server.lacks:
            return None
        if method in ("GetFlows", "GetAgentEvents", "GetDebugEvents"):
            return grpc.unary_stream_rpc_method_handler(self._server.flows)
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._server.unary(method))


def gathered(stream: Stream, until: Until = lambda events: False) -> list[Event]:
    """All events until a condition holds or the stream is over."""
    found: list[Event] = []
    with stream:
        for events in stream.events():
            found += events
            if until(found):
                break
    return found

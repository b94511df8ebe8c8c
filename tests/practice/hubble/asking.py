"""Observers of the practice world on a socket, and a client of plain gRPC."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from playbooks.model.hubble.proto import flow_pb2, observer_pb2, relay_pb2
from playbooks.practice.hubble.observers import Observer
from playbooks.practice.hubble.past import Past, past_of
from playbooks.practice.hubble.service import Server, Service
from playbooks.practice.world import World

Flows = observer_pb2.GetFlowsRequest
Filter = flow_pb2.FlowFilter
Response = observer_pb2.GetFlowsResponse
EVERYTHING = (1 << 64) - 1
SECOND = 1_000_000_000
NOTHING = Past(0, 0, (), {}, (), {}, ())
"""The past of an observer that needs none."""


@dataclass(frozen=True, slots=True)
class Client:
    """Asks an observer over gRPC."""

    channel: grpc.Channel

    def stream(self, method: str, request: Any) -> Any:
        """The call; iterate it for the answers, serialized."""
        ask = self.channel.unary_stream(
            f"/observer.Observer/{method}",
            request_serializer=lambda message: message.SerializeToString(),
        )
        return ask(request, timeout=20)

    def flows(self, **asked: Any) -> list[Response]:
        """All answers to GetFlows."""
        return [Response.FromString(raw) for raw in self.stream("GetFlows", Flows(**asked))]

    def single(self, method: str, kind: Any) -> Any:
        """One answer."""
        return kind.FromString(self.channel.unary_unary(f"/observer.Observer/{method}")(b"", timeout=20))


@contextlib.contextmanager
def served(observer: Observer, look: Callable[[], Past], folder: Path) -> Iterator[Client]:
    """An observer on a socket."""
    server = Server(Service(observer, look))
    path = f"unix:{folder / 's'}"
    server.listen(path)
    server.start()
    with grpc.insecure_channel(path) as channel:
        yield Client(channel)
    server.stop()


def begun(observer: Observer, world: World, **asked: Any) -> list[Response]:
    """What an observer tells at first, asked in process."""
    past = past_of(world)
    stream = observer.flows(Flows(**asked))
    return [Response.FromString(raw) for raw in (*stream.greet(past), *stream.begin(past))]


def only_flows(told: list[Response]) -> list[flow_pb2.Flow]:
    """The flows among answers."""
    return [one.flow for one in told if one.HasField("flow")]


def states(told: list[Response]) -> list[tuple[str, list[str]]]:
    """What answers say of nodes: the state, and the nodes without their cluster."""
    return [
        (
            relay_pb2.NodeState.Name(one.node_status.state_change),
            [name.rpartition("/")[2] for name in one.node_status.node_names],
        )
        for one in told
        if one.HasField("node_status")
    ]

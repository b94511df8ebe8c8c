"""Streams of flows that say what a test says, and consoles that watch them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from textual.pilot import Pilot

from playbooks.model.answer import Source
from playbooks.model.hubble.filters.asked import Observe
from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.sources.hubble.events import Batch, Event, Lost, NodeStatus, Phase, Rung, State
from tests.engine.toy import ToyCluster
from tests.sources.hubble.observing import lost, status
from tests.tui.consoles import NARROW, connecting_to, console, is_settled, running, until
from tui.app import Console

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = 1_000_000_000
LIVE = State(Phase.LIVE, Rung.RELAY)


def flow(number: int = 0, **more: Any) -> bytes:
    """A drop between two pods, `number` seconds after noon."""
    made: dict[str, Any] = {
        "verdict": flow_pb2.DROPPED,
        "drop_reason_desc": flow_pb2.POLICY_DENIED,
        "uuid": f"flow-{number}",
        "node_name": "lab/node-1",
        "IP": {"source": "10.0.0.1", "destination": "10.0.0.2"},
        "l4": {"TCP": {"source_port": 41000 + number, "destination_port": 6379, "flags": {"SYN": True}}},
        "source": {
            "namespace": "shop",
            "pod_name": f"cart-{number}",
            "identity": 20817,
            "labels": ["k8s:app=cart"],
        },
        "destination": {
            "namespace": "shop",
            "pod_name": "redis-0",
            "identity": 41233,
            "labels": ["k8s:app=redis"],
        },
        "traffic_direction": flow_pb2.INGRESS,
        "event_type": {"type": 1, "sub_type": 133},
        **more,
    }
    response = observer_pb2.GetFlowsResponse(flow=flow_pb2.Flow(**made), node_name=made["node_name"])
    for one in (response, response.flow):
        one.time.FromNanoseconds(round(NOW.timestamp()) * SECOND + number * SECOND)
    return response.SerializeToString()


def flows(count: int, begin: int = 0) -> Batch:
    """So many of them."""
    return Batch(tuple(flow(begin + number) for number in range(count)))


def loss(node: str, count: int) -> Lost:
    """Events that were lost on a node."""
    return Lost(lost(node, 1, count), node, 1, count)


def gone(node: str, why: str) -> NodeStatus:
    """A node that Relay cannot reach."""
    return NodeStatus(status(1, 2, node, message=why), 2, (node,), why, "relay")


@dataclass
class Said:
    """A stream that says what it is told to."""

    waiting: list[Event] = field(default_factory=list)
    is_over: bool = False
    is_closed: bool = False
    state: State = LIVE

    def say(self, *events: Event) -> None:
        """To be drained next."""
        self.waiting.extend(events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def drain(self) -> Sequence[Event]:
        taken, self.waiting = self.waiting, []
        return taken

    def events(self) -> Iterator[Sequence[Event]]:
        yield self.drain()

    def close(self) -> None:
        self.is_closed = self.is_over = True


@dataclass
class SaidFlows:
    """Flows of a cluster, as a test has them; `first` is what every stream begins with."""

    first: Sequence[Event] = (LIVE,)
    is_live: bool = True
    now: datetime = NOW
    refusal: Exception | None = None
    asked: list[Observe] = field(default_factory=list)
    nodes: list[tuple[str, ...]] = field(default_factory=list)
    streams: list[Said] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)

    def open(self, asked: Observe, nodes: Sequence[str]) -> Said:
        if self.refusal:
            raise self.refusal
        self.asked.append(asked)
        self.nodes.append(tuple(nodes))
        stream = Said(list(self.first))
        self.streams.append(stream)
        return stream

    def keep(self, raws: Sequence[bytes]) -> str:
        self.kept.extend(raws)
        return ""

    @property
    def stream(self) -> Said:
        """The newest."""
        return self.streams[-1]


@asynccontextmanager
async def watching(
    said: SaidFlows, size: tuple[int, int] = NARROW, source: Source | None = None, **options: Any
) -> AsyncIterator[tuple[Console, Pilot[None]]]:
    """A console whose pane of flows is open, when its first stream was drained."""
    is_checked = source is not None
    connect = connecting_to(source or ToyCluster(), flows=said)
    app = console(connect, **{"is_quiet": not is_checked, **options})
    async with running(app, size) as pilot:
        await until(pilot, lambda: is_settled(app) if is_checked else app.session.watch)
        await pilot.press("w")
        await until(pilot, lambda: said.refusal or (said.streams and not said.stream.waiting))
        await shown(app, pilot)
        yield app, pilot


async def shown(app: Console, pilot: Pilot[None]) -> None:
    """Draw what has come, without waiting for the timer."""
    app.diagnose.draw_flows()
    await pilot.pause()

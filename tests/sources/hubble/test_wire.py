"""What HTTP/2 can do to a stream: GOAWAY, RST, a cut; and many messages over windows of any size."""

from __future__ import annotations

import struct

import pytest

from playbooks.model.hubble.proto import observer_pb2
from playbooks.sources.hubble import Event, Phase, State
from playbooks.sources.hubble.dial import Target
from playbooks.sources.hubble.dialled import Dialled
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import Wish, everything
from tests.sources.hubble.framing import GOAWAY, RST, Framed, Script, frame
from tests.sources.hubble.observing import Hurry, flow, gathered, of, phases, uuids

RAWS = [flow("node-1", n, Summary="x" * 500) for n in range(50)]
CANCEL, NO_ERROR, ENHANCE_YOUR_CALM = 8, 0, 11
ENDINGS = {
    "cut": b"",
    "RST": frame(RST, 0, 3, struct.pack("!I", CANCEL)),
    "GOAWAY": frame(GOAWAY, 0, 0, struct.pack("!II", 1, NO_ERROR)),
    "GOAWAY, too many pings": frame(
        GOAWAY, 0, 0, struct.pack("!II", 0, ENHANCE_YOUR_CALM) + b"too_many_pings"
    ),
}


@pytest.fixture(params=[True, False], ids=["read by ourselves", "read by the library"])
def is_fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def stream(server: Framed, wish: Wish, is_fast: bool = True) -> Stream:
    address = f"127.0.0.1:{server.port}"
    return Stream([Dialled(Target(address, address), is_fast=is_fast)], wish, clock=Hurry())


def test_many_messages_through_small_windows(is_fast: bool) -> None:
    with Framed(Script(RAWS, 5000)) as server:
        events = gathered(stream(server, Wish(observer_pb2.GetFlowsRequest(number=5000)), is_fast))
    assert len(uuids(events)) == 5000
    assert of(State, events)[-1].gap is None


@pytest.mark.parametrize("name", ENDINGS)
def test_a_stream_that_breaks_is_said_to_be_incomplete(name: str, is_fast: bool) -> None:
    with Framed(Script(RAWS, 50, ENDINGS[name])) as server:
        made = stream(server, Wish(observer_pb2.GetFlowsRequest(number=50)), is_fast)
        events = gathered(made, lambda events: released(server, events))
    last = of(State, events)[-1]
    assert last.phase is Phase.ENDED
    assert "not complete" in last.detail
    assert last.gap is not None
    assert len(uuids(events)) == 50, "what had come is not lost"


@pytest.mark.parametrize("name", ENDINGS)
def test_a_stream_that_breaks_goes_on_when_it_is_followed(name: str, is_fast: bool) -> None:
    with Framed(Script(RAWS, 50, ENDINGS[name])) as server:
        made = stream(server, everything(), is_fast)
        events = gathered(
            made, lambda events: released(server, events) or phases(events).count(Phase.LIVE) >= 3
        )
    assert uuids(events) == [f"node-1@{n}" for n in range(50)], "and shows nothing twice"


def released(server: Framed, events: list[Event]) -> bool:
    """Lets the stream end once all of it was read."""
    if len(uuids(events)) == 50:
        server.may_end.set()
    return False

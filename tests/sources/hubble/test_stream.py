"""The stream over one server: all that comes, breaks, what came twice, and of what nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import grpc

from playbooks.model.hubble.proto import flow_pb2, observer_pb2, relay_pb2
from playbooks.sources.hubble import (
    Batch,
    Event,
    Hole,
    Lost,
    NodeStatus,
    Phase,
    Rung,
    State,
    Traffic,
)
from playbooks.sources.hubble.dial import Target
from playbooks.sources.hubble.dialled import Dialled
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import SECOND, Wish, everything
from tests.sources.hubble.observing import (
    Answer,
    Hurry,
    Observed,
    at,
    flow,
    gathered,
    lost,
    of,
    phases,
    response,
    status,
    uuids,
)

ONCE = Wish(observer_pb2.GetFlowsRequest(number=20))
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def stream(server: Observed, wish: Wish | None = None, clock: Hurry | None = None, budget: int = 0) -> Stream:
    step = Dialled(server.target)
    step.is_dear = budget > 0
    return Stream([step], wish or everything(), clock=clock or Hurry(), budget=budget)


def count(number: int):  # type: ignore[no-untyped-def]
    return lambda events: len(uuids(events)) >= number


def live(times: int):  # type: ignore[no-untyped-def]
    return lambda events: phases(events).count(Phase.LIVE) >= times


def test_all_that_comes_is_handed_on_as_it_was_and_the_stream_ends() -> None:
    raws = [flow("node-1", 1), flow("node-2", 2), flow("node-1", 3)]
    with Observed([Answer(raws)]) as server:
        events = gathered(stream(server, ONCE))
    assert [raw for batch in of(Batch, events) for raw in batch.raws] == raws
    assert phases(events) == [Phase.CONNECTING, Phase.LIVE, Phase.ENDED]
    assert of(State, events)[-1].gap is None
    assert of(State, events)[-1].rung is Rung.SERVER
    assert server.asked[0].number == 20


def test_nodes_and_losses_are_told_apart_from_flows_in_their_place() -> None:
    raws = [
        status(0, relay_pb2.NODE_CONNECTED, "node-1", "node-2"),
        flow("node-1", 1),
        lost("node-2", 2, 33),
        flow("node-1", 3),
    ]
    with Observed([Answer(raws)]) as server:
        events = gathered(stream(server, ONCE))
    kept = [event for event in events if not isinstance(event, State | Traffic)]
    assert [type(event) for event in kept] == [NodeStatus, Batch, Lost, Batch]
    assert of(NodeStatus, events)[0].nodes == ("node-1", "node-2")
    assert (of(Lost, events)[0].node, of(Lost, events)[0].count) == ("node-2", 33)
    assert of(Lost, events)[0].raw == raws[2]


def test_after_a_break_it_goes_on_two_seconds_before_and_nothing_comes_twice() -> None:
    first = [flow("node-1", 1), flow("node-1", 9), flow("node-1", 10)]
    again = [flow("node-1", 9), flow("node-1", 9.5), flow("node-1", 10), flow("node-1", 11)]
    clock = Hurry()
    answers = [Answer(first, UNAVAILABLE, "going away"), Answer(again, hangs=True)]
    with Observed(answers, oldest=[flow("node-1", 0)]) as server:
        events = gathered(
            stream(server, Wish(observer_pb2.GetFlowsRequest(follow=True, number=5)), clock), count(5)
        )
    assert uuids(events) == ["node-1@1", "node-1@9", "node-1@10", "node-1@9.5", "node-1@11"]
    assert of(Hole, events) == []
    assert server.asked[1].since.ToNanoseconds() == at(8)
    assert server.asked[1].number == 0
    waiting = next(state for state in of(State, events) if state.phase is Phase.WAITING)
    assert "going away" in waiting.detail
    assert clock.pauses == [0.5]


def test_flows_without_uuid_are_told_apart_by_their_bytes() -> None:
    def bare(seconds: float) -> bytes:
        return response("node-1", seconds, flow=flow_pb2.Flow(verdict=flow_pb2.Verdict.DROPPED))

    answers = [Answer([bare(9), bare(10)], UNAVAILABLE), Answer([bare(9), bare(10), bare(11)], hangs=True)]
    with Observed(answers, oldest=[flow("node-1", 0)]) as server:
        events = gathered(stream(server), lambda events: len(uuids(events)) >= 3)
    assert len(uuids(events)) == 3


def test_a_large_flow_is_not_shown_twice() -> None:
    large = flow("node-1", 10, Summary="x" * 50_000)
    answers = [Answer([large], UNAVAILABLE), Answer([large, flow("node-1", 11)], hangs=True)]
    with Observed(answers, oldest=[flow("node-1", 0)]) as server:
        events = gathered(stream(server), count(2))
    assert uuids(events) == ["node-1@10", "node-1@11"]


def test_what_a_node_no_longer_has_is_a_hole() -> None:
    answers = [
        Answer([flow("node-1", 9), flow("node-3", 10)], UNAVAILABLE),
        Answer([flow("node-3", 60), flow("node-1", 61)], hangs=True),
    ]
    with Observed(answers, oldest=[flow("node-1", 2), flow("node-3", 50)]) as server:
        events = gathered(stream(server), count(4))
    (hole,) = of(Hole, events)
    assert hole.node == "node-3"
    assert hole.until is not None
    assert (hole.until - hole.since).total_seconds() == 40
    assert str(hole).startswith("nothing known from ")
    assert (
        str(replace(hole, until=None, reason="gone"))
        == f"nothing known since {hole.since:%H:%M:%S} on node-3: gone"
    )
    assert str(hole).endswith("on node-3: the node no longer has the flows of that time")
    place = events.index(hole)
    assert (len(uuids(events[:place])), len(uuids(events[place:]))) == (2, 2), (
        "it stands where time is missing"
    )


def test_a_node_that_does_not_come_back_is_a_hole_until_it_does() -> None:
    answers = [
        Answer([flow("node-1", 9), flow("node-3", 10)], UNAVAILABLE),
        Answer([flow("node-1", 11), flow("node-3", 300)], hangs=True),
    ]
    with Observed(answers, oldest=[flow("node-1", 2)]) as server:
        events = gathered(stream(server), count(4))
    begun, ended = of(Hole, events)
    assert (begun.node, begun.until) == ("node-3", None)
    assert ended.since == begun.since
    assert ended.until == datetime.fromtimestamp(at(300) / SECOND, UTC)


def test_where_nobody_tells_how_far_back_a_node_goes_only_a_repetition_proves_that_nothing_is_missing() -> (
    None
):
    for again, holes in ((9.9, 0), (20, 1)):
        answers = [Answer([flow("node-1", 10)], UNAVAILABLE), Answer([flow("node-1", again)], hangs=True)]
        with Observed(answers, oldest=None) as server:
            events = gathered(stream(server), count(2))
        assert len(of(Hole, events)) == holes


def test_nodes_whose_clocks_differ_lose_nothing_and_repeat_nothing() -> None:
    late, early = -300, 0
    first = [flow("behind", late + n) for n in range(5)] + [flow("right", early + n) for n in range(5)]
    # One time for all nodes: the one with the right clock repeats five minutes.
    again = [flow("right", seconds) for seconds in range(-200, 7)]
    again += [flow("behind", late + n) for n in range(3, 7)]
    answers = [Answer(first, UNAVAILABLE), Answer(again, hangs=True)]
    with Observed(answers, oldest=[flow("behind", -400), flow("right", -400)]) as server:
        events = gathered(stream(server), lambda events: "behind@-294" in uuids(events))
    new = uuids(events)[len(first) :]
    assert new == ["right@5", "right@6", "behind@-295", "behind@-294"]
    assert server.asked[1].since.ToNanoseconds() <= at(late + 4 - 2)


def test_a_node_that_relay_loses_is_a_hole_until_it_is_connected_again() -> None:
    raws = [
        flow("c/node-3", 1),
        status(2, relay_pb2.NODE_UNAVAILABLE, "node-3", message="i/o timeout"),
        status(30, relay_pb2.NODE_CONNECTED, "node-3"),
        flow("c/node-3", 31),
    ]
    with Observed([Answer(raws)]) as server:
        events = gathered(stream(server, ONCE))
    begun, ended = of(Hole, events)
    assert (begun.node, begun.until, begun.reason) == ("c/node-3", None, "i/o timeout")
    assert ended.until == datetime.fromtimestamp(at(30) / SECOND, UTC)
    assert len(of(NodeStatus, events)) == 2


def test_a_stream_that_is_not_followed_says_that_it_is_not_complete() -> None:
    with Observed([Answer([flow("node-1", 1)], UNAVAILABLE, "reset")]) as server:
        events = gathered(stream(server, ONCE))
    last = of(State, events)[-1]
    assert last.phase is Phase.ENDED
    assert last.gap is not None
    assert "not complete" in last.detail
    assert uuids(events) == ["node-1@1"]


def test_it_waits_longer_and_longer_and_then_climbs_from_the_top() -> None:
    clock = Hurry()
    with Observed([Answer([flow("node-1", 1)], UNAVAILABLE), Answer((), UNAVAILABLE)]) as server:
        events = gathered(stream(server, clock=clock), live(6))
    assert clock.pauses[:5] == [0.5, 0.5, 1.0, 2.0, 0.5]
    assert [left.rung for left in of(State, events)[-1].left] == []


def test_a_refused_request_ends_it_with_the_servers_words() -> None:
    answer = Answer((), grpc.StatusCode.INVALID_ARGUMENT, "invalid regex")
    with Observed([answer]) as server:
        events = gathered(stream(server))
    last = of(State, events)[-1]
    assert (last.phase, last.detail) == (Phase.ENDED, "the request is refused: invalid regex")
    assert len(server.asked) == 1


def test_nobody_listens() -> None:
    with Observed([Answer()]) as server:
        target = server.target
    events = gathered(Stream([Dialled(target)], everything(), clock=Hurry()))
    last = of(State, events)[-1]
    assert (last.phase, last.rung) == (Phase.ENDED, Rung.NONE)
    assert "nobody listens at 127.0.0.1:" in last.detail
    assert [left.rung for left in last.left] == [Rung.SERVER]


def test_who_is_patient_goes_on_trying() -> None:
    clock = Hurry()
    with Observed([Answer([flow("node-1", 1)], hangs=True)]) as server:
        target = server.target
    clock.on_pause = lambda: rising.append(
        Observed([Answer([flow("node-1", 1)], hangs=True)], address=target.address).__enter__()
    )
    rising: list[Observed] = []
    events = gathered(Stream([Dialled(target)], everything(), clock=clock, is_patient=True), count(1))
    for server in rising:
        server.__exit__()
    assert phases(events)[:3] == [Phase.CONNECTING, Phase.WAITING, Phase.CONNECTING]


def test_empty_messages_and_messages_of_a_later_version_pass() -> None:
    later = b"\xa2\x06\x03abc"
    with Observed([Answer([b"", later, flow("node-1", 1)])]) as server:
        events = gathered(stream(server, ONCE))
    assert [raw for batch in of(Batch, events) for raw in batch.raws][:2] == [b"", later]


def test_garbage_is_handed_on_and_harms_nothing() -> None:
    garbage = [b"\n\xff\xff\xff", b"\xff" * 40, flow("n", 2, Summary="\x1b[31m")]
    answers = [Answer(garbage, UNAVAILABLE), Answer([*garbage, flow("n", 3)], hangs=True)]
    with Observed(answers, oldest=[flow("n", 0)]) as server:
        events = gathered(
            stream(server), lambda events: any(flow("n", 3) in batch.raws for batch in of(Batch, events))
        )
    assert of(State, events)[-1].phase is Phase.LIVE


def test_a_message_of_16_mb_arrives() -> None:
    raw = flow("node-1", 1, Summary="x" * 16 * 1024 * 1024)
    with Observed([Answer([raw])]) as server:
        events = gathered(stream(server, ONCE))
    assert uuids(events) == ["node-1@1"]


def test_closing_ends_a_quiet_stream_at_once() -> None:
    with Observed([Answer(hangs=True)]) as server:
        made = stream(server)
        with made:
            for events in made.events():
                if Phase.LIVE in phases(events):
                    break
        assert made.is_over
        assert phases(made.drain())[-1] is Phase.STOPPED


def test_a_unix_socket(tmp_path: Path) -> None:
    with Observed([Answer([flow("node-1", 1)])], address=f"unix:{tmp_path}/hubble.sock") as server:
        assert uuids(gathered(stream(server, ONCE))) == ["node-1@1"]


def test_a_server_without_a_status_is_one_all_the_same() -> None:
    with Observed([Answer([flow("node-1", 1)])], lacks=frozenset({"ServerStatus"})) as server:
        assert uuids(gathered(stream(server, ONCE))) == ["node-1@1"]


def test_nothing_is_told_of_a_step_that_fails_in_a_new_way() -> None:
    class Odd(Dialled):
        def open(self, wish: Wish, stop: object) -> object:  # type: ignore[override]
            raise RuntimeError("odd")

    target = Target("127.0.0.1:1", "nobody")
    events: list[Event] = gathered(Stream([Odd(target)], everything(), clock=Hurry()))
    last = of(State, events)[-1]
    assert (last.phase, last.detail) == (Phase.ENDED, "the stream failed: RuntimeError: odd")

"""Around a stream: its buffer, its budget, clocks, single questions, and what is asked."""

from __future__ import annotations

from datetime import UTC, datetime

import grpc
import pytest

from playbooks.model.answer import Gap, GapKind
from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.sources.hubble import (
    Batch,
    Dropped,
    Event,
    Phase,
    Skew,
    State,
    Traffic,
)
from playbooks.sources.hubble.clocks import Clocks
from playbooks.sources.hubble.dial import Target
from playbooks.sources.hubble.dialled import Dialled
from playbooks.sources.hubble.feed import Observer
from playbooks.sources.hubble.inbox import Inbox
from playbooks.sources.hubble.seen import Seen
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import SECOND, Call, Wish, everything, troubles
from tests.sources.hubble.observing import (
    Answer,
    Hurry,
    Observed,
    at,
    flow,
    gathered,
    of,
    phases,
    response,
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


def test_what_is_not_fetched_is_dropped_counted_and_told_in_its_place() -> None:
    times = iter(range(10))
    inbox = Inbox(lambda: datetime.fromtimestamp(next(times), UTC), count_limit=3)
    for n in range(5):
        inbox.put(flow("node-1", n))
    inbox.tell(Skew("node-1", 3.0))
    batch, dropped, skew = inbox.take()
    assert isinstance(batch, Batch)
    assert len(batch.raws) == 3
    assert isinstance(dropped, Dropped)
    assert (dropped.count, (dropped.until - dropped.since).total_seconds()) == (2, 1)
    assert isinstance(skew, Skew)
    inbox.put(b"x")
    assert inbox.take() == [Batch((b"x",))]
    assert inbox.take() == []


def test_a_full_stream_through_the_api_server_stops_at_its_budget_and_says_so() -> None:
    raws = [flow("node-1", n, Summary="x" * 1000) for n in range(100)]
    with Observed([Answer(raws, hangs=True)]) as server:
        events = gathered(stream(server, budget=20_000))
    last = of(State, events)[-1]
    assert last.phase is Phase.STOPPED
    assert "has used its" in last.detail
    assert 15 < len(uuids(events)) < 25
    with Observed([Answer(raws)]) as server:
        wish = Wish(observer_pb2.GetFlowsRequest(number=100))
        assert len(uuids(gathered(stream(server, wish, budget=20_000)))) == 100, "filtered streams have none"


def test_traffic_is_measured() -> None:
    class Ticking(Hurry):
        def now(self) -> int:
            self.time += SECOND // 10
            return self.time

    raws = [flow("node-1", n, Summary="x" * 1000) for n in range(100)]
    with Observed([Answer(raws)]) as server:
        events = gathered(stream(server, ONCE, Ticking()))
    told = of(Traffic, events)
    assert told[-1].total > 10_000
    assert all(traffic.bytes_per_second > 1000 and 1 < traffic.messages_per_second < 11 for traffic in told)


@pytest.mark.parametrize(
    ("off", "told"), [({"a": 60.0}, {"a": 60.0}), ({"b": -30.0}, {"b": -30.0}), ({"a": 1.0}, {}), ({}, {})]
)
def test_a_node_whose_clock_is_off_is_told_once(off: dict[str, float], told: dict[str, float]) -> None:
    clocks = Clocks()
    found = [
        skew
        for n in range(100)
        for node in ("a", "b", "c")
        for skew in clocks.note(node, at(n + off.get(node, 0.0) - 0.1), at(n))
    ]
    assert {skew.node: round(skew.seconds) for skew in found} == told
    assert len(found) == len(told)


def test_where_all_nodes_agree_it_is_our_clock_that_is_off() -> None:
    clocks = Clocks()
    assert not any(clocks.note(node, at(n - 600), at(n)) for n in range(100) for node in ("a", "b", "c"))


def test_single_questions_and_a_server_without_them() -> None:
    with Observed([Answer()], lacks=frozenset({"GetNodes"})) as server:
        observer = Observer(server.target)
        found = observer.status()
        assert not isinstance(found, Gap)
        assert found.num_flows == 7
        spaces = observer.namespaces()
        assert not isinstance(spaces, Gap)
        assert spaces.namespaces[0].namespace == "shop"
        gap = observer.nodes()
        assert isinstance(gap, Gap)
        assert gap.kind is GapKind.NOT_IN_THIS_VERSION
        observer.close()


def test_agent_events_that_a_server_does_not_offer_are_a_reason_to_leave_the_rung() -> None:
    wish = Wish(observer_pb2.GetAgentEventsRequest(number=20))
    with (
        Observed([Answer()], lacks=frozenset({"GetAgentEvents"})) as relay,
        Observed([Answer([response("node-1", 1)])]) as agent,
    ):
        events = gathered(Stream([Dialled(relay.target), Dialled(agent.target)], wish, clock=Hurry()))
    last = of(State, events)[-1]
    assert (last.phase, last.gap) == (Phase.ENDED, None)
    assert [left.gap.kind for left in last.left] == [GapKind.NOT_IN_THIS_VERSION]
    assert len([raw for batch in of(Batch, events) for raw in batch.raws]) == 1


def test_the_default_asks_for_drops_errors_and_the_targets_flows() -> None:
    request = troubles(["shop/cart"]).request
    assert isinstance(request, observer_pb2.GetFlowsRequest)
    assert request.follow
    first, *ends = request.whitelist
    assert list(first.verdict) == [flow_pb2.Verdict.DROPPED, flow_pb2.Verdict.ERROR]
    assert [list(end.source_pod) + list(end.destination_pod) for end in ends] == [["shop/cart"]] * 2
    assert not troubles().is_full


def test_from_a_lower_rung_the_better_ones_are_tried_again() -> None:
    with (
        Observed(
            [Answer([flow("node-1", 1), flow("node-1", 2)], hangs=True)], oldest=[flow("node-1", 0)]
        ) as good,
        Observed([Answer([flow("node-1", 1)], hangs=True)]) as low,
    ):
        better, lower = Dialled(Target("127.0.0.1:1", "nobody")), Dialled(low.target)
        made = Stream([better, lower], everything(), clock=Hurry(), climb_after=0.01)

        def until(events: list[Event]) -> bool:
            if len(uuids(events)) == 1:
                better._target = good.target
            return len(uuids(events)) >= 2

        events = gathered(made, until)
    assert uuids(events) == ["node-1@1", "node-1@2"]
    assert of(State, events)[-1].left == ()


def test_old_flows_say_nothing_of_a_clock() -> None:
    seen = Seen(Call.FLOWS)
    old = [flow("node-1", n) for n in range(100)]
    seen.opened(at(4000), is_live=False)
    assert not any(seen.note(raw, at(4000 + n)) for n, raw in enumerate(old))
    seen.opened(at(5000), is_live=True)
    assert not any(seen.note(raw, at(5000 + n / 20)) for n, raw in enumerate(old))
    fresh = [flow("node-1", 5060 + n) for n in range(50)]
    assert any(seen.note(raw, at(5030 + n)) for n, raw in enumerate(fresh))


def test_what_has_happened_waits_for_a_slow_reader_and_nothing_is_dropped() -> None:
    raws = [flow("node-1", n) for n in range(300)]
    with Observed([Answer(raws)]) as server:
        inbox = Inbox(lambda: datetime.now(UTC), count_limit=7, is_waiting=True)
        events = gathered(Stream([Dialled(server.target)], ONCE, clock=Hurry(), inbox=inbox))
    assert len(uuids(events)) == 300
    assert of(Dropped, events) == []


def test_who_waits_for_room_is_let_go_when_the_stream_is_closed() -> None:
    with Observed([Answer([flow("node-1", n) for n in range(300)])]) as server:
        inbox = Inbox(lambda: datetime.now(UTC), count_limit=7, is_waiting=True)
        made = Stream([Dialled(server.target)], ONCE, clock=Hurry(), inbox=inbox)
        with made:
            for events in made.events():
                if uuids(events):
                    break
        assert made.is_over

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.hubble.seen import Other, Reader, Seen
from playbooks.model.hubble.seen.order import WINDOW, Duplicates, Merge
from tests.model.hubble.seen.events import GOLDEN, raw

SECOND = 10**9
NOW = 1_800_000_000 * SECOND


def test_nodes_are_put_in_the_order_of_time() -> None:
    merge = Merge()
    merge.add(b"b", NOW - 20, NOW)
    merge.add(b"a", NOW - 30, NOW + 10)
    assert merge.due(NOW + WINDOW - 1) == ((), frozenset())
    assert merge.due(NOW + WINDOW) == ((b"a", b"b"), frozenset())


def test_what_comes_after_its_place_is_marked_late() -> None:
    merge = Merge()
    merge.add(b"b", NOW, NOW)
    merge.due(NOW + WINDOW)
    merge.add(b"a", NOW - 5, NOW + WINDOW)
    merge.add(b"c", NOW + 5, NOW + WINDOW)
    assert merge.due(NOW + 2 * WINDOW) == ((b"a", b"c"), frozenset({0}))


def test_a_node_in_the_future_makes_nobody_late() -> None:
    merge = Merge()
    for number in range(5):
        now = NOW + number * WINDOW
        merge.add(b"ahead", now + 300 * SECOND, now)
        merge.add(b"right", now - 1, now)
        assert not merge.due(now)[1]
    assert merge.rest()[1] == frozenset()


def test_a_node_in_the_past_is_late_and_the_others_are_not() -> None:
    merge = Merge()
    merge.add(b"right", NOW, NOW)
    merge.due(NOW + WINDOW)
    merge.add(b"behind", NOW - 300 * SECOND, NOW + WINDOW)
    merge.add(b"right", NOW + WINDOW, NOW + WINDOW)
    assert merge.rest() == ((b"behind", b"right"), frozenset({0}))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3))))
def test_nothing_is_lost_and_what_is_not_late_is_in_order(steps: list[tuple[int, int]]) -> None:
    merge, now = Merge(3), 100
    effective: list[int] = []
    went = []
    for number, (time, pause) in enumerate(steps):
        now += pause
        merge.add(b"%d" % number, time + 60, now)
        effective.append(min(time + 60, now))
        went.append(merge.due(now))
    went.append(merge.rest())
    assert sorted(int(raw) for raws, _ in went for raw in raws) == list(range(len(steps)))
    punctual = [effective[int(raw)] for raws, late in went for at, raw in enumerate(raws) if at not in late]
    assert punctual == sorted(punctual)


def test_what_comes_twice_is_told_by_its_uuid() -> None:
    reader, duplicates, raws = Reader(), Duplicates(), raw(GOLDEN)
    events = reader.read_all(raws)
    assert not duplicates.among(raws, events)
    again = duplicates.among(raws, events)
    dated = {
        number
        for number, event in enumerate(events)
        if event.time or (isinstance(event, Seen) and event.uuid)
    }
    assert again == dated
    assert duplicates.count == len(dated)


def test_what_comes_twice_in_one_batch_is_told_once() -> None:
    event = Other(7, "n", "agent event", "", 0)
    assert Duplicates().among([b"x", b"x", b"y"], [event] * 3) == frozenset({1})


def test_messages_without_time_are_no_duplicates() -> None:
    event = Other(0, "", "empty", "", 0)
    duplicates = Duplicates()
    assert not duplicates.among([b"", b""], [event] * 2)
    assert not duplicates.among([b""], [event])


def test_what_is_remembered_is_bounded() -> None:
    duplicates = Duplicates(10)
    for number in range(100):
        duplicates.among([b"%d" % number], [Other(1, "", "", "", 0)])
    assert len(duplicates._known) + len(duplicates._older) <= 20

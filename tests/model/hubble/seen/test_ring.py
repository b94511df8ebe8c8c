from __future__ import annotations

import pytest

from playbooks.model.hubble.seen import Other
from playbooks.model.hubble.seen.ring import Ring


def events(*numbers: int) -> list[Other]:
    return [Other(number, "", "empty", "", 0) for number in numbers]


def times(ring: Ring) -> list[int]:
    return [event.time for event in ring]


def test_the_newest_stay_and_keep_their_numbers() -> None:
    ring = Ring(5)
    ring.extend(events(0, 1, 2), 0)
    ring.extend(events(3, 4, 5, 6), 0)
    assert times(ring) == [2, 3, 4, 5, 6]
    assert (ring.begin, ring.end, len(ring)) == (2, 7, 5)
    assert ring[4].time == 4
    assert [event.time for event in ring.slice(0, 4)] == [2, 3]


def test_a_batch_larger_than_the_ring_leaves_its_end() -> None:
    ring = Ring(3)
    ring.extend(events(0), 0)
    ring.extend(events(*range(1, 11)), 0)
    assert times(ring) == [8, 9, 10]
    assert ring.end == 11
    assert ring[8].time == 8


@pytest.mark.parametrize("number", [-1, 1, 7])
def test_what_fell_out_is_not_there(number: int) -> None:
    ring = Ring(5)
    ring.extend(events(*range(7)), 0)
    with pytest.raises(IndexError):
        ring[number]


def test_large_messages_push_out_more() -> None:
    ring = Ring(100, limit_bytes=1000)
    for number in range(20):
        ring.extend(events(number), 300)
    assert times(ring) == [17, 18, 19]
    assert ring.end == 20


def test_nothing_added_changes_nothing() -> None:
    ring = Ring(5)
    ring.extend([], 0)
    assert times(ring) == []

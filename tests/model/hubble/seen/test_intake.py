from __future__ import annotations

from playbooks.model.hubble.seen import Seen
from playbooks.model.hubble.seen.intake import Intake
from tests.model.hubble.seen.events import RECORDED, raw


def test_what_comes_twice_is_taken_once_and_counted() -> None:
    intake, raws = Intake(), raw(RECORDED)
    first, events = intake.take(raws)
    assert len(events) == len(first) == len(raws) - intake.duplicates
    again, _ = intake.take(first[:10])
    assert list(again) == []
    assert intake.duplicates == len(raws) - len(first) + 10


def test_what_came_late_is_marked() -> None:
    _, events = Intake().take(raw(RECORDED)[:4], frozenset({1, 3}))
    assert [isinstance(event, Seen) and event.is_late for event in events] == [False, True, False, True]

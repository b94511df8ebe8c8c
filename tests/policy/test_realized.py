from __future__ import annotations

from tests.agent.judged import found, only

LAB = "09-ipcache-and-policymap-entry-deleted"


def test_an_entry_that_the_map_lacks_in_both_looks_is_told_with_the_endpoint() -> None:
    one = only("POL004", cluster=LAB)
    assert (one.subject.kind, one.subject.namespace) == ("Endpoint", "shop")
    assert one.subject.name.startswith("redis-")
    assert "72500" in one.evidence[0].excerpt.raw


def test_one_look_proves_nothing() -> None:
    assert found("POL004", cluster=LAB, looks=1) == []


def test_a_map_as_wanted_is_sound() -> None:
    assert found("POL004") == []

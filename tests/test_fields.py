"""What text and JSON of one recording both tell is equal; what text cannot tell is written down."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from playbooks.model.bpf.state import MapCount, MapCounts
from tests.fields import TABLE, Pair, pairs, table, unequal

AGAIN = "look at the difference, then write the table anew with `python -m tests.fields`"


@cache
def found() -> tuple[Pair, ...]:
    return pairs()


def test_fields_that_both_tell_are_equal() -> None:
    left_out = unequal()
    differing = {
        f"{pair.name}: {pair.way}": fields
        for pair in found()
        if (fields := pair.unequal(left_out.get(pair.name, {})))
    }
    assert differing == {}


def test_the_fields_that_text_cannot_hold_are_those_of_the_table() -> None:
    assert table(found()).splitlines() == TABLE.read_text("utf-8").splitlines(), AGAIN


def test_most_facts_of_an_agent_are_told_both_ways() -> None:
    assert len({pair.name for pair in found()}) >= 35


def test_no_field_is_left_out_that_is_equal() -> None:
    left_out = unequal()
    idle = [
        (name, field)
        for name, fields in left_out.items()
        for field in fields
        if not any(
            pair.unequal(set(fields) - {field}) or field in pair.only_text
            for pair in found()
            if pair.name == name
        )
    ]
    assert idle == [], "take these out of tests/unequal.tsv"
    assert all(why.strip() for fields in left_out.values() for why in fields.values())


def test_a_value_that_differs_or_belongs_to_another_row_is_noticed() -> None:
    pair = next(pair for pair in found() if pair.name == "MapCounts")
    assert isinstance(pair.text, MapCounts)
    one = replace(pair.text, items=(MapCount("a", 1, 0), MapCount("b", 2, 0)))
    other = replace(pair.text, items=(MapCount("a", 2, 0), MapCount("b", 1, 0)))
    less = replace(pair.text, items=(MapCount("a", 1, 0), MapCount("b", 3, 0)))
    assert replace(pair, json=one, text=one).unequal(()) == ()
    assert replace(pair, json=one, text=other).unequal(()) == ("(which belongs to which)",)
    assert replace(pair, json=one, text=less).unequal(()) == ("items[].entries",)

"""Damaged answers become facts or gaps: never an exception, never something that nobody told."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.model.answer import Gap
from playbooks.model.fact import Fact
from tests.model.damage import CI, damaged
from tests.model.decoding import (
    GONE,
    Path,
    Subject,
    encoded,
    enriched,
    invented,
    leaves,
    look_everywhere,
    paths_in,
    replaced,
    shortened,
    subjects,
    without_answer,
)

SUBJECTS = [pytest.param(subject, id=subject.name) for subject in subjects()]
IN_JSON = [pytest.param(subject, id=subject.name) for subject in subjects() if subject.documents]
AS_TEXT = [pytest.param(subject, id=subject.name) for subject in subjects() if not subject.documents]
WRONG = ("x", 7, -1.5, True, None, [], {}, [None], "9" * 30, 10**30)
MOST = 40
"""Places in an answer that are tried."""
LONG = 1_000_000

ZERO_WHEN_LEFT_OUT = frozenset(
    {
        "best",
        "consecutive_failure_count",
        "drop_reason",
        "error_retry",
        "features",
        "lost",
        "proxy_port",
        "socket_lb",
        "stale",
        "unknown",
        "verdict",
    }
)
"""Fields that agents leave out when they are zero or false."""


def test_every_way_of_every_fact_has_an_answer_to_damage() -> None:
    assert without_answer() == (), "write an answer for them in tests/model/samples.py"
    assert [subject.name for subject in subjects() if not isinstance(subject.read(subject.body), Fact)] == []


def cuts(body: bytes) -> Iterator[bytes]:
    places = random.Random(47)
    yield from (body[: len(body[:1024]) * part // 16] for part in range(16))
    yield body[:-1]
    yield from (body[: places.randrange(len(body))] for _ in range(47))


def some(paths: Iterable[Path]) -> list[Path]:
    every = list(paths)
    return every if len(every) <= MOST else random.Random(47).sample(every, MOST)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_cut_answer_tells_nothing_new(subject: Subject) -> None:
    for body in cuts(subject.body):
        result = subject.read(body, pieces=3)
        if isinstance(result, Fact) and not subject.is_log:
            assert invented(result, subject.fact) == set(), body[-60:]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_answer_that_is_known_to_be_cut_tells_nothing_new(subject: Subject) -> None:
    for body in (subject.body[:-1], subject.body[: len(subject.body) // 2]):
        result = subject.read(body, is_truncated=True)
        if isinstance(result, Fact) and not subject.is_log:
            assert invented(result, subject.fact) == set()


@pytest.mark.parametrize("subject", IN_JSON)
def test_fields_that_nobody_knows_change_nothing(subject: Subject) -> None:
    result = subject.read(encoded([enriched(document) for document in subject.documents]))
    assert isinstance(result, Fact)
    assert {*map(repr, leaves(subject.fact))} <= {*map(repr, leaves(result))}


@pytest.mark.parametrize("subject", IN_JSON)
def test_a_missing_field_is_not_made_up(subject: Subject) -> None:
    documents = [shortened(document, 2) for document in subject.documents[:4]]
    whole = subject.read(encoded(documents))
    for path in some(dict.fromkeys(paths_in(documents))):
        result = subject.read(encoded([replaced(document, path, GONE) for document in documents]))
        if isinstance(result, Fact):
            look_everywhere(result)
            new = invented(result, whole) if isinstance(whole, Fact) else set()
            assert {leaf[0] for leaf in new} <= ZERO_WHEN_LEFT_OUT or subject.is_object, path


@pytest.mark.parametrize("subject", IN_JSON)
def test_a_field_of_another_type_is_a_gap_or_left_out(subject: Subject) -> None:
    documents = [shortened(document, 1) for document in subject.documents[:2]]
    for path in some(dict.fromkeys(paths_in(documents))):
        for value in WRONG:
            result = subject.read(encoded([replaced(document, path, value) for document in documents]))
            if isinstance(result, Fact):
                look_everywhere(result)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_row_is_no_row(subject: Subject) -> None:
    for body in (b"", b"\n", b"[]", b"{}", b"null", b'""', b"0", b"\x00", b"\xff\xfe"):
        result = subject.read(body)
        if isinstance(result, Fact) and not subject.is_log:
            assert {value for _, value in leaves(result) if not isinstance(value, bool)} <= {0}, body


@pytest.mark.parametrize("subject", AS_TEXT)
def test_a_table_of_names_alone_has_no_row(subject: Subject) -> None:
    header = subject.body.split(b"\n", 1)[0]
    result = subject.read(header + b"\n")
    assert isinstance(result, Gap) or subject.is_log or invented(result, subject.fact) == set()


@pytest.mark.parametrize("subject", IN_JSON)
def test_one_row_of_a_megabyte(subject: Subject) -> None:
    documents = [shortened(document, 1) for document in subject.documents[:1]]
    paths = list(dict.fromkeys(paths_in(documents)))
    for path in paths[:: max(1, len(paths) // 2)]:
        subject.read(encoded([replaced(document, path, "x" * LONG) for document in documents]))
    subject.read(encoded([replaced(document, paths[0], [{}] * (LONG // 100)) for document in documents]))
    deep = b"[" * (LONG // 20) + b"]" * (LONG // 20)
    assert isinstance(subject.read(deep), Gap) or subject.is_log


@pytest.mark.parametrize("subject", AS_TEXT)
def test_one_line_of_a_megabyte(subject: Subject) -> None:
    first, _, rest = subject.body.partition(b"\n")
    for word in (b"x", b"9", b" ", b"a ", b"x: ", b"\xf0\x9f\x90\x9d"):
        line = word * (LONG // len(word))
        subject.read(first + b"\n" + line + b"\n" + rest)
    subject.read(b"a b  " * (LONG // 5) + b"\n" + rest)


@pytest.mark.parametrize("subject", AS_TEXT)
def test_other_line_ends_and_columns_are_facts_or_gaps(subject: Subject) -> None:
    lines = subject.body.split(b"\n")
    subject.read(subject.body.replace(b"\n", b"\r\n"))
    subject.read(subject.body.replace(b"  ", b"\t"))
    subject.read(b"\n".join(reversed(lines)))
    for number in range(min(12, len(lines))):
        result = subject.read(b"\n".join(lines[:number] + lines[number + 1 :]))
        if isinstance(result, Fact):
            look_everywhere(result)


@settings(CI)
@given(st.data())
def test_whatever_comes_is_a_fact_or_a_gap(data: st.DataObject) -> None:
    subject = data.draw(st.sampled_from(subjects()))
    result = subject.read(data.draw(damaged(subject)), pieces=data.draw(st.integers(1, 3)))
    if isinstance(result, Fact):
        look_everywhere(result)

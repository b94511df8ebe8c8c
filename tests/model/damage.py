"""Hypothesis' ways to damage an answer, and how long it tries."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.model.decoding import GONE, Subject, encoded, paths_in, replaced, shortened

CI = settings(
    max_examples=250,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
"""Small: a part of every run of the tests."""


def fuzz(examples: int) -> settings:
    """Long: new inputs each time."""
    return settings(CI, max_examples=examples, derandomize=False)


_SMALL = 4096
_WORDS = [
    "0",
    "-1",
    "99999999999999999999999",
    "1e400",
    "²",
    "NaN",
    "true",
    "null",
    "\x00",
    "\u2028",
    "🐝",
    "",
    "[",
    '"',
]
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.sampled_from(_WORDS)
)
values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
"""Any JSON."""


def damaged(subject: Subject) -> st.SearchStrategy[bytes]:
    """Answers that are like the subject's, but for something; and some that are nothing like it."""
    whole = subject.body[:_SMALL]
    anything = st.one_of(st.binary(max_size=200), values.map(lambda value: json.dumps(value).encode()))
    if not subject.documents:
        return st.one_of(_edited(whole), _lines(whole), anything)
    documents = [shortened(document, 2) for document in subject.documents[:2]]
    return st.one_of(_edited(whole), _fields(documents), anything)


def _fields(documents: list[Any]) -> st.SearchStrategy[bytes]:
    paths = sorted({path for document in documents for path in paths_in(document)})
    if not paths:
        return st.just(encoded(documents))
    change = st.tuples(st.sampled_from(paths), st.one_of(values, st.just(GONE)))
    return st.lists(change, min_size=1, max_size=4).map(lambda changes: encoded(_changed(documents, changes)))


def _changed(documents: list[Any], changes: list[tuple[tuple[str, ...], Any]]) -> list[Any]:
    for path, value in changes:
        documents = [replaced(document, path, value) for document in documents]
    return documents


def _edited(whole: bytes) -> st.SearchStrategy[bytes]:
    place = st.integers(0, len(whole))
    edit = st.tuples(
        place, st.integers(0, 40), st.one_of(st.binary(max_size=12), st.sampled_from(_WORDS).map(str.encode))
    )

    def applied(edits: list[tuple[int, int, bytes]]) -> bytes:
        body = whole
        for at, length, put in edits:
            body = body[:at] + put + body[at + length :]
        return body

    return st.lists(edit, min_size=1, max_size=4).map(applied)


_Move = Callable[[list[bytes], int], list[bytes]]
_MOVES: list[_Move] = [
    lambda lines, at: lines[:at] + lines[at + 1 :],
    lambda lines, at: [*lines[: at + 1], *lines[at:]],
    lambda lines, at: [*lines[at:], *lines[:at]],
    lambda lines, at: [*lines[:at], lines[at][3:], *lines[at + 1 :]],
    lambda lines, at: [*lines[:at], b"   " + lines[at], *lines[at + 1 :]],
    lambda lines, at: [*lines[:at], lines[at].upper(), *lines[at + 1 :]],
    lambda lines, at: [*lines[:at], lines[at].replace(b" ", b""), *lines[at + 1 :]],
    lambda lines, at: [*lines[:at], b"", *lines[at:]],
]


def _lines(whole: bytes) -> st.SearchStrategy[bytes]:
    lines = whole.split(b"\n")
    move = st.tuples(st.sampled_from(_MOVES), st.integers(0, len(lines) - 1))

    def applied(moves: list[tuple[_Move, int]]) -> bytes:
        told = lines
        for change, at in moves:
            told = change(told, min(at, len(told) - 1)) if told else told
        return b"\n".join(told)

    return st.lists(move, min_size=1, max_size=4).map(applied)

"""Ink: harmless, wrapped, cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from playbooks.model.text import Text
from tui.ink import BLANK, Ink, Line, clipped, cut, cut_middle, line, lines, piece, wrapped


def texts(rows: list[Line]) -> list[str]:
    return [" " * row.indent + row.text for row in rows]


def test_a_piece_is_harmless_whatever_it_is_made_of() -> None:
    assert piece("a\x1b[2Jb\u202e").text == "a\\e[2Jb\\u202e"
    assert piece(Text("[b]")).text == "[b]"


def test_text_of_several_lines_becomes_lines() -> None:
    assert texts(list(lines(Text("a\nb\tc"), Ink.PROOF, indent=2))) == ["  a", "  b       c"]


def test_long_lines_break_between_words_and_hang() -> None:
    whole = line("verify   ", "the new pod becomes ready", hang=9)
    assert texts(list(wrapped(whole, 20))) == ["verify   the new pod", "         becomes", "         ready"]


def test_words_longer_than_a_row_are_broken() -> None:
    assert texts(list(wrapped(line("x" * 25), 10))) == ["x" * 10, "x" * 10, "x" * 5]


def test_the_last_row_that_is_allowed_is_cut() -> None:
    assert texts(list(wrapped(line("one two three four five six"), 10, most=2))) == ["one two", "three fou…"]


def test_inks_stay_on_their_words() -> None:
    rows = list(wrapped(line(piece("aaaa ", Ink.KEY), piece("bbbb cccc", Ink.OK)), 9))
    assert [[(one.text, one.ink) for one in row.pieces] for row in rows] == [
        [("aaaa ", Ink.KEY), ("bbbb", Ink.OK)],
        [("cccc", Ink.OK)],
    ]


@given(st.text(max_size=80), st.integers(8, 40), st.integers(0, 6), st.integers(0, 6))
def test_rows_fit_and_lose_nothing_but_blanks(text: str, width: int, indent: int, hang: int) -> None:
    whole = line(text, indent=indent, hang=hang)
    rows = list(wrapped(whole, width + 12))
    assert all(row.width <= width + 12 for row in rows)
    assert "".join("".join(row.text for row in rows).split()) == "".join(whole.text.split())


@given(st.text(max_size=60), st.integers(1, 30))
def test_what_is_cut_fits(text: str, width: int) -> None:
    shown = Text(text).shown
    assert cell_len(cut(shown, width)) <= width
    assert cell_len(cut_middle(shown, width)) <= width
    assert clipped(line(text), width).width <= width


@pytest.mark.parametrize(
    ("shown", "ascii"), [("✗ ERROR … → │", "x ERROR ~ > |"), ("ü中", "\\xfc\\u4e2d"), ("plain", "plain")]
)
def test_every_sign_has_an_ascii_twin(shown: str, ascii: str) -> None:
    assert line(shown).in_ascii().text == ascii


def test_an_empty_line_takes_one_row() -> None:
    assert list(wrapped(BLANK, 10)) == [BLANK]

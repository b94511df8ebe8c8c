"""Raw answers as rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.view.sheet import ROW_BYTES, Sheet


def rows(sheet: Sheet) -> list[str]:
    return [sheet.row(index) for index in range(len(sheet))]


def test_lines_are_rows() -> None:
    assert rows(Sheet.of(b"a\nbb\r\n\nc")) == ["a", "bb", "", "c"]
    assert rows(Sheet.of(b"a\n")) == ["a"]
    assert rows(Sheet.of(b"")) == []


def test_an_endless_line_is_broken_between_characters() -> None:
    sheet = Sheet.of("ü".encode() * 1700)
    assert len(sheet) > 3
    assert "".join(rows(sheet)) == "ü" * 1700
    assert sheet.width <= ROW_BYTES


@given(st.binary(max_size=4000))
def test_any_bytes_become_rows_and_none_is_lost(body: bytes) -> None:
    sheet = Sheet.of(b"x" + body)
    assert sheet.starts[0] == 0
    assert sheet.starts[-1] == len(sheet.text)
    assert all(row.isprintable() for row in rows(sheet))


def test_json_of_one_line_is_laid_out_and_copied_as_it_came() -> None:
    sheet = Sheet.of(b'{"kind":"PodList","items":[]}\n{"kind":"PodList","items":[1]}\n')
    assert sheet.is_laid_out
    assert rows(sheet)[:3] == ["{", '  "kind": "PodList",', '  "items": []']
    assert sheet.body.startswith(b'{"kind":')


def test_what_only_looks_like_json_is_left_alone() -> None:
    for body in (b"{broken", b'{\n  "a": 1\n}\n', b"[info] started\n[info] ready\n"):
        assert not Sheet.of(body).is_laid_out


def test_an_excerpt_is_found_where_it_stands() -> None:
    sheet = Sheet.of(b"one\ntwo level=fatal\nthree\nfour\n")
    assert sheet.rows_of("two level=fatal") == range(1, 2)
    assert sheet.rows_of("  two level=fatal\nthree\n") == range(1, 3)
    assert sheet.rows_of("two level=fatal\nnot there") == range(1, 2)
    assert not sheet.rows_of("nowhere")
    assert not sheet.rows_of("")


def test_rows_that_hold_a_text() -> None:
    sheet = Sheet.of(b"Alpha alpha\nbeta\nALPHA\n")
    assert list(sheet.matching("alpha")) == [0, 2]
    assert list(sheet.matching("(")) == []


def test_a_large_answer_is_decoded_only_where_it_is_read() -> None:
    sheet = Sheet.of(b"0123456789abcde\n" * 2_000_000)
    assert len(sheet) == 2_000_000
    assert sheet.row(1_999_999) == "0123456789abcde"

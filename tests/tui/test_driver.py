"""What a terminal sends, decoded without ever failing; what it is sent, when it is gone."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.driver import TolerantDecoder, Writer


def decoded(*chunks: bytes) -> str:
    decoder = TolerantDecoder("utf-8")
    return "".join(decoder.decode(chunk) for chunk in chunks) + decoder.decode(b"", final=True)


def test_what_is_not_utf8_is_replaced() -> None:
    assert decoded(b"a\xff\xfeb") == "a\ufffd\ufffdb"


def test_characters_split_between_reads_are_joined() -> None:
    assert decoded(b"\xc3", b"\xbc") == "ü"


def test_legacy_mouse_reports_are_no_keys() -> None:
    assert decoded(b"j\x1b[M qqk") == "jk"
    assert decoded(b"j\x1b[M \xf1\xf1k") == "jk"
    assert decoded(b"j\x1b[M", b" q", b"qk") == "jk"


def test_other_sequences_pass() -> None:
    assert decoded(b"\x1b[<0;3;4M\x1b[A\x1b") == "\x1b[<0;3;4M\x1b[A\x1b"


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_nothing_makes_it_fail(chunks: list[bytes]) -> None:
    decoded(*chunks)


class HungUp(io.StringIO):
    """A terminal that is gone after some writes."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "Input/output error")
        return super().write(text)


@pytest.mark.parametrize("after", [0, 1, 100])
def test_drawing_and_leaving_never_wait_for_a_terminal_that_is_gone(after: int) -> None:
    terminal = HungUp(after)
    writer = Writer(terminal)
    writer.start()
    for number in range(200):
        writer.write(f"{number} ")
    writer.stop()
    assert not writer.is_alive()
    assert terminal.getvalue().split() == [str(number) for number in range(min(after, 200))]

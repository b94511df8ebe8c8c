"""Our own reading of HTTP/2: any split, padding, controls, headers packed as servers do, and garbage."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.answer import GapKind
from playbooks.sources.hubble import wire
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.hubble.hpack import Headers, Unreadable, literal, unpacked
from playbooks.sources.hubble.wire import Wire
from tests.sources.hubble.framing import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    RESPONSE,
    SETTINGS,
    WELL,
    frame,
    framed,
)

MESSAGES = [b"one", b"", b"x" * 40_000, b"four"]
TRAILERS = frame(HEADERS, END_HEADERS | END_STREAM, 3, WELL)
BEGINNING = frame(SETTINGS, 0, 0, struct.pack("!HI", 3, 100)) + frame(HEADERS, END_HEADERS, 3, RESPONSE)


def read(sent: bytes) -> tuple[list[bytes], bytes]:
    """The messages, and what was answered."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        found = list(Wire(ours, "the server"))
        ours.close()
        return found, theirs.recv(65_536)
    finally:
        ours.close()
        thread.join()
        theirs.close()


def failure(sent: bytes) -> Broken:
    with pytest.raises(Broken) as caught:
        read(sent)
    return caught.value


@pytest.mark.parametrize("piece", [1, 7, 13, 14, 4096, 1 << 20])
def test_messages_in_any_pieces(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PIECE", piece)
    body = b"".join(framed(message, 3) for message in MESSAGES)
    found, answered = read(BEGINNING + body + TRAILERS)
    assert found == MESSAGES
    assert answered == frame(SETTINGS, 1, 0)


@given(st.lists(st.binary(max_size=60), max_size=8), st.lists(st.integers(1, 50), max_size=20))
def test_messages_in_any_frames(messages: list[bytes], cuts: list[int]) -> None:
    body = b"".join(b"\x00" + struct.pack("!I", len(message)) + message for message in messages)
    sent = BEGINNING
    for cut in cuts:
        sent += frame(DATA, 0, 3, body[:cut])
        body = body[cut:]
    assert read(sent + frame(DATA, 0, 3, body) + TRAILERS)[0] == messages


def test_padding_pings_and_frames_of_others() -> None:
    padded = bytes((4,)) + b"\x00\x00\x00\x00\x02hi" + bytes(4)
    sent = frame(PING, 0, 0, b"12345678") + frame(0xBE, 0, 0, b"new") + frame(DATA, 8, 3, padded)
    found, answered = read(BEGINNING + sent + framed(b"stray", 5) + TRAILERS)
    assert found == [b"hi"]
    assert frame(PING, 1, 0, b"12345678") in answered


def test_headers_in_two_frames() -> None:
    cut = frame(HEADERS, END_STREAM, 3, WELL[:5]) + frame(CONTINUATION, END_HEADERS, 3, WELL[5:])
    assert read(BEGINNING + framed(b"x", 3) + cut)[0] == [b"x"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (framed(b"x", 3), "the server closed it"),
        (frame(DATA, END_STREAM, 3), "ended without saying how"),
        (b"\x7f\xff\xff" + bytes(60), "a frame that is too long"),
        (frame(DATA, 0, 3, b"\x01\x00\x00\x00\x01x"), "a compressed message"),
        (frame(DATA, 0, 3, b"\x00\xff\xff\xff\xff"), "a message of 4294967295 bytes"),
        (frame(HEADERS, END_HEADERS, 3, b"\xff\xff\xff\xff\xff\xff"), "headers that cannot be read"),
        (frame(HEADERS, END_HEADERS | END_STREAM, 3, b"\x8d"), "HTTP 404"),
        (frame(HEADERS, END_HEADERS | END_STREAM, 3, b"\x88"), "code 2"),
        (b"".join([frame(HEADERS, 0, 3), *[frame(CONTINUATION, 0, 3, bytes(16_000))] * 9]), "without an end"),
        (
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                3,
                literal(b"grpc-status", b"3") + literal(b"grpc-message", b"bad%20regex"),
            ),
            "the request is refused: bad regex",
        ),
    ],
)
def test_what_goes_wrong_is_said(sent: bytes, words: str) -> None:
    assert words in failure(BEGINNING + sent).gap.detail


@given(st.binary(max_size=200))
def test_garbage_ends_the_stream_and_nothing_else(sent: bytes) -> None:
    assert failure(sent).gap.kind in (GapKind.UNREACHABLE, GapKind.UNREADABLE, GapKind.TOO_LARGE)


def test_it_gives_way_for_more_once_half_of_the_window_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "WINDOW", 100)
    _, answered = read(framed(b"x" * 95, 3) + TRAILERS)
    assert answered == frame(8, 0, 0, struct.pack("!I", 100)) + frame(8, 0, 3, struct.pack("!I", 100))


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        ("f1e3c2e5f23a6ba0ab90f4ff", b"www.example.com"),
        ("d07abe941054d444a8200595040b8166e082a62d1bff", b"Mon, 21 Oct 2013 20:13:21 GMT"),
        ("6402", b"302"),
        ("", b""),
    ],
)
def test_packed_text_as_in_the_standards_examples(packed: str, text: bytes) -> None:
    assert unpacked(bytes.fromhex(packed)) == text


def test_headers_that_are_remembered_and_forgotten() -> None:
    headers = Headers()
    # The standard's examples of responses (RFC 7541, C.6.1 and C.6.2), with a table of 256 bytes.
    first = bytes.fromhex(
        "3fe101"
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3"
    )
    assert headers.decode(first)[b":status"] == b"302"
    again = headers.decode(bytes.fromhex("4883640effc1c0bf"))
    assert again[b":status"] == b"307"
    assert b"https://www.example.com" in again.values()


@pytest.mark.parametrize(
    "block", [b"\xff\xff\xff\xff\xff\xff\xff", b"\x40", b"\x00\x05ab", b"\xfe", b"\x00\x81\x00\x00"]
)
def test_headers_that_are_none(block: bytes) -> None:
    with pytest.raises(Unreadable):
        Headers().decode(block)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_headers(block: bytes) -> None:
    with contextlib.suppress(Unreadable):
        Headers().decode(block)


@pytest.mark.parametrize("size", [0, 126, 127, 300, 20_000])
def test_literals_of_any_length(size: int) -> None:
    assert Headers().decode(literal(b"name", b"x" * size)) == {b"name": b"x" * size}

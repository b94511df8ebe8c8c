"""A server of HTTP/2 frames made beforehand: it serializes nothing while it sends, and so is no bottleneck.

It answers the first call of a connection (the status) with nothing, the second with the same messages, over
and over up to a number. Windows are honoured. It knows just enough of HTTP/2 for one gRPC client.
"""

from __future__ import annotations

import bisect
import itertools
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PIECE = 256 * 1024
FRAME_LIMIT = 16_384


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes((kind, flags)) + struct.pack("!I", stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header that is not to be remembered."""
    return b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value


RESPONSE = b"\x88" + literal(b"content-type", b"application/grpc")
WELL = literal(b"grpc-status", b"0")


def framed(message: bytes, stream: int) -> bytes:
    """A message as DATA frames: one, unless it is too long for that."""
    body = b"\x00" + struct.pack("!I", len(message)) + message
    pieces = [body[start : start + FRAME_LIMIT] for start in range(0, len(body), FRAME_LIMIT)]
    return b"".join(frame(DATA, 0, stream, piece) for piece in pieces)


@dataclass
class Script:
    """What a stream is answered."""

    messages: Sequence[bytes]
    """Sent in turn."""
    count: int
    """How many in all."""
    ending: bytes | None = None
    """Frames after the last message: nothing for a proper end; empty to cut the connection."""


class Framed:
    """The server on loopback or a unix socket; one thread for each connection."""

    def __init__(self, script: Script, address: str = "") -> None:
        """`address` is a socket's path, empty for a port."""
        self.script = script
        self.sent = 0
        self.may_end = threading.Event()
        """Set when endings may be sent: a client throws away what it has not read when a stream breaks."""
        if address:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(address)
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = 0 if address else self._listener.getsockname()[1]
        self._blob, self._ends = _blob(script.messages, 3)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def serve(self) -> None:
        """Accept until closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                Connection(connection, self).run()
            except OSError:
                return

    @property
    def blob(self) -> tuple[memoryview, list[int]]:
        """All messages as frames of stream 3, and where each ends."""
        return self._blob, self._ends


def _blob(messages: Sequence[bytes], stream: int) -> tuple[memoryview, list[int]]:
    made = [framed(message, stream) for message in messages]
    return memoryview(b"".join(made)), list(itertools.accumulate(map(len, made)))


@dataclass
class Connection:
    """One client."""

    socket: socket.socket
    server: Framed
    _waiting: bytearray = field(default_factory=bytearray)
    _initial: int = 65_535
    _window: int = 65_535
    _streams: dict[int, int] = field(default_factory=dict)
    _called: list[int] = field(default_factory=list)

    def run(self) -> None:
        self._waiting += self._exactly(len(PREFACE))
        self._waiting.clear()
        self.socket.sendall(frame(SETTINGS, 0, 0, struct.pack("!HI", 3, 100)))
        answered = 0
        while True:
            self._read()
            while len(self._called) > answered:
                stream = self._called[answered]
                answered += 1
                if stream == 3:
                    self._stream(stream)
                else:
                    body = frame(HEADERS, END_HEADERS, stream, RESPONSE) + framed(b"", stream)
                    self.socket.sendall(body + frame(HEADERS, END_HEADERS | END_STREAM, stream, WELL))

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            piece = self.socket.recv(size - len(found))
            if not piece:
                raise ConnectionResetError
            found += piece
        return found

    def _read(self, flags: int = 0) -> None:
        """Take frames: all that are there, at least one unless told not to wait."""
        try:
            piece = self.socket.recv(65_536, flags)
        except BlockingIOError:
            return
        if not piece:
            raise ConnectionResetError
        self._waiting += piece
        while len(self._waiting) >= 9:
            size = int.from_bytes(self._waiting[:3], "big")
            if len(self._waiting) < 9 + size:
                return
            head, payload = self._waiting[3:9], bytes(self._waiting[9 : 9 + size])
            del self._waiting[: 9 + size]
            self._take(head[0], head[1], int.from_bytes(head[2:6], "big"), payload)

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            for start in range(0, len(payload), 6):
                name, value = struct.unpack_from("!HI", payload, start)
                if name == 4:
                    for known in self._streams:
                        self._streams[known] += value - self._initial
                    self._initial = value
            self.socket.sendall(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.socket.sendall(frame(PING, ACK, 0, payload))
        elif kind == WINDOW:
            more = int.from_bytes(payload, "big")
            if stream:
                self._streams[stream] = self._streams.get(stream, self._initial) + more
            else:
                self._window += more
        elif kind == HEADERS:
            self._streams.setdefault(stream, self._initial)
            self._called.append(stream)
        elif kind == RST:
            raise ConnectionResetError

    def _stream(self, stream: int) -> None:
        """Send the messages, as many at once as the windows allow."""
        script = self.server.script
        self.socket.sendall(frame(HEADERS, END_HEADERS, stream, RESPONSE))
        blob, ends = self.server.blob
        done = place = 0
        while done < script.count:
            begin = ends[place - 1] if place else 0
            room = min(self._window, self._streams[stream], PIECE)
            # Windows count what is behind the nine bytes of a frame's head: this errs by that little.
            last = min(bisect.bisect_right(ends, begin + room, place), place + script.count - done)
            if last == place:
                self._read()
                continue
            size = ends[last - 1] - begin
            self._window -= size
            self._streams[stream] -= size
            self.socket.sendall(blob[begin : begin + size])
            self.server.sent = done = done + last - place
            place = last % len(ends)
            self._read(socket.MSG_DONTWAIT)
        if script.ending is not None:
            self.server.may_end.wait(20)
        if script.ending == b"":
            raise ConnectionResetError
        self.socket.sendall(script.ending or frame(HEADERS, END_HEADERS | END_STREAM, stream, WELL))

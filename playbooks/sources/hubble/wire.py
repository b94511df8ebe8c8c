"""One server stream over HTTP/2, read by ourselves: a sixth of what the library costs for each message.

Only what a gRPC stream needs: one request, then messages until the trailers. Whether the server is there and
lets us in has been found out by the library before, whose words about a failing connection are better.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Self

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.hubble.broken import Broken, meaning
from playbooks.sources.hubble.dial import MESSAGE_LIMIT, Target, host_and_port, plain
from playbooks.sources.hubble.hpack import Headers, Unreadable, literal

STREAM = 3
"""Ours; any odd number will do."""
WINDOW = 8 * 1024 * 1024
"""Bytes that may be on their way."""
PIECE = 256 * 1024
REQUEST_LIMIT = 48 * 1024
"""A larger request would have to wait for the server's window; the library can do that."""
FRAME_LIMIT = 16_384
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 1, 1, 4, 8, 32
_POST, _HTTP, _HTTPS = b"\x83", b"\x86", b"\x87"
_message = struct.Struct(">IBIBI")
_OK, _UNKNOWN = 0, 2
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")


def is_possible(target: Target, request: bytes) -> bool:
    """Whether a stream can be read this way: through a proxy only the library goes."""
    is_proxied = not target.address.startswith("unix:") and any(map(os.environ.get, _PROXIES))
    return len(request) <= REQUEST_LIMIT and not is_proxied


class Wire:
    """One call on a connection of its own."""

    @classmethod
    def begun(cls, target: Target, method: str, request: bytes) -> Self:
        """Connect and send the request. Raises `OSError`."""
        connection = _secured(target) if target.is_tls else plain(target)
        try:
            connection.sendall(_opening(target, method, request))
            connection.settimeout(None)
            if connection.family != socket.AF_UNIX:
                _stay_alive(connection)
        except BaseException:
            connection.close()
            raise
        return cls(connection, target.shown)

    def __init__(self, connection: socket.socket, shown: str) -> None:
        """The request has been sent; `shown` names the server."""
        self._shown = shown
        self._socket = connection
        self._headers = Headers()
        self._block = bytearray()
        self._is_ending = self._is_last = False
        self._partial = bytearray()
        self._taken = 0

    def __iter__(self) -> Iterator[bytes]:
        """The messages; ends when the server ends well. Raises `Broken`."""
        rest, unpack, least = b"", _message.unpack_from, _message.size
        while not self._is_last:
            data = rest + self._received()
            place, size = 0, len(data)
            while size - place >= 9:
                if size - place >= least:
                    head, flags, stream, packed, length = unpack(data, place)
                    end = place + least + length
                    # Servers in Go send each message as one frame: then there is nothing to put together.
                    if (
                        head == length + 5 << 8
                        and stream == STREAM
                        and not (flags or packed or self._partial)
                    ):
                        if end > size:
                            break
                        yield data[place + least : end]
                        self._taken += length + 5
                        place = end
                        continue
                length = int.from_bytes(data[place : place + 3], "big")
                end = place + 9 + length
                if length > FRAME_LIMIT:
                    raise self._odd("a frame that is too long")
                if end > size:
                    break
                yield from self._frame(data[place:end])
                place = end
            rest = data[place:]
            self._give_way()

    def stop(self) -> None:
        """Let the iteration end, from any thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _received(self) -> bytes:
        try:
            piece = self._socket.recv(PIECE)
        except (OSError, ValueError) as error:
            raise self._lost(str(error)) from error
        if not piece:
            raise self._lost("the server closed it")
        return piece

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except (OSError, ValueError) as error:
            raise self._lost(str(error)) from error

    def _lost(self, words: str) -> Broken:
        gap = Gap(
            GapKind.UNREACHABLE,
            f"the connection to {self._shown} is lost: {words}",
            remedy="it is tried again",
        )
        return Broken(gap)

    def _odd(self, what: str) -> Broken:
        return Broken(Gap(GapKind.UNREADABLE, f"{self._shown} sent {what}"))

    def _give_way(self) -> None:
        """Let the server send as much as was taken."""
        if self._taken >= WINDOW // 2:
            more = struct.pack(">I", self._taken)
            self._send(_frame(_WINDOW, 0, 0, more) + _frame(_WINDOW, 0, STREAM, more))
            self._taken = 0

    def _frame(self, frame: bytes) -> Iterator[bytes]:
        """Any frame; messages where it completes some. Raises `Broken`."""
        kind, flags, stream, body = (
            frame[3],
            frame[4],
            int.from_bytes(frame[5:9], "big") & 0x7FFFFFFF,
            frame[9:],
        )
        if kind == _SETTINGS and not flags & _ACK:
            self._send(_frame(_SETTINGS, _ACK, 0))
        elif kind == _PING and not flags & _ACK:
            self._send(_frame(_PING, _ACK, 0, body))
        elif kind == _GOAWAY:
            code = int.from_bytes(body[4:8], "big")
            if code or int.from_bytes(body[:4], "big") < STREAM:
                words = body[8:200].decode(errors="replace") or f"code {code}"
                raise self._lost(f"the server is going away ({words})")
        elif stream == STREAM and kind == _RST:
            raise self._lost(f"the server reset the stream (code {int.from_bytes(body[:4], 'big')})")
        elif stream == STREAM and kind == _DATA:
            self._taken += len(body)
            yield from self._messages(_unpadded(body, flags, 0))
            if flags & _END_STREAM:
                raise self._lost("the stream ended without saying how")
        elif stream == STREAM and kind in (_HEADERS, _CONTINUATION):
            self._told(kind, flags, body)

    def _messages(self, body: bytes) -> Iterator[bytes]:
        """What a piece of the stream completes."""
        partial = self._partial
        partial += body
        while len(partial) >= 5:
            length = int.from_bytes(partial[1:5], "big")
            if partial[0] or length > MESSAGE_LIMIT:
                what = "a compressed message" if partial[0] else f"a message of {length} bytes"
                raise Broken(
                    Gap(GapKind.TOO_LARGE, f"{self._shown} sent {what}, which is not read"), is_final=True
                )
            if len(partial) < 5 + length:
                return
            yield bytes(partial[5 : 5 + length])
            del partial[: 5 + length]

    def _told(self, kind: int, flags: int, body: bytes) -> None:
        """Headers and trailers. Raises `Broken` when they end the stream badly."""
        if kind == _HEADERS:
            self._block.clear()
            self._is_ending = bool(flags & _END_STREAM)
            body = _unpadded(body, flags, 5 if flags & _PRIORITY else 0)
        self._block += body
        if len(self._block) > FRAME_LIMIT * 8:
            raise self._odd("headers without an end")
        if not flags & _END_HEADERS:
            return
        try:
            found = self._headers.decode(bytes(self._block))
        except Unreadable as error:
            raise self._odd(f"headers that cannot be read: {error}") from error
        status = found.get(b":status", b"200")
        if status != b"200":
            raise self._lost(f"HTTP {status.decode(errors='replace')}")
        if self._is_ending:
            self._end(found)

    def _end(self, trailers: dict[bytes, bytes]) -> None:
        told = trailers.get(b"grpc-status", b"")
        code = int(told[:9]) if told.isdigit() else _UNKNOWN
        if code != _OK:
            from urllib.parse import unquote

            words = unquote(trailers.get(b"grpc-message", b"").decode(errors="replace"))
            raise meaning(code, words, self._shown)
        self._is_last = True


def _unpadded(body: bytes, flags: int, skipped: int) -> bytes:
    if flags & _PADDED and body:
        return body[1 + skipped : len(body) - body[0]]
    return body[skipped:]


def _frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + body


def _opening(target: Target, method: str, request: bytes) -> bytes:
    """Everything that is sent at first."""
    # No table for headers, no push, a wide window.
    settings = struct.pack(">HIHIHI", 1, 0, 2, 0, 4, WINDOW)
    host = "localhost" if target.address.startswith("unix:") else target.address
    headers = [_POST, _HTTPS if target.is_tls else _HTTP]
    pairs = [(":path", method), (":authority", target.server_name or host)]
    pairs += [("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "honeyguide")]
    if target.authorization:
        pairs.append(("authorization", target.authorization))
    block = b"".join(headers + [literal(name.encode(), value.encode()) for name, value in pairs])
    body = b"\x00" + struct.pack(">I", len(request)) + request
    pieces = [body[start : start + FRAME_LIMIT] for start in range(0, len(body), FRAME_LIMIT)]
    data = [_frame(_DATA, 0, STREAM, piece) for piece in pieces[:-1]] + [
        _frame(_DATA, _END_STREAM, STREAM, pieces[-1])
    ]
    return b"".join(
        [
            _PREFACE,
            _frame(_SETTINGS, 0, 0, settings),
            _frame(_WINDOW, 0, 0, struct.pack(">I", WINDOW - 65_535)),
            _frame(_HEADERS, _END_HEADERS, STREAM, block),
            *data,
        ]
    )


def _secured(target: Target) -> ssl.SSLSocket:
    """TLS as the library does it. Raises `OSError`."""
    import tempfile
    from pathlib import Path

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["h2"])
    if target.takes_any:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif target.authorities:
        context.load_verify_locations(cadata=target.authorities.decode("ascii", "ignore"))
    else:
        context.load_default_certs()
    if target.certificate and target.key:
        # The ssl module reads keys from files only; this one nobody else can read, and it is gone at once.
        with tempfile.TemporaryDirectory(prefix="honeyguide-") as folder:
            path = Path(folder, "client.pem")
            path.touch(0o600)
            path.write_bytes(target.key + b"\n" + target.certificate)
            context.load_cert_chain(path, password="")
    is_local = target.address.startswith("unix:")
    name = target.server_name or ("localhost" if is_local else host_and_port(target.address)[0])
    connection = context.wrap_socket(plain(target), server_hostname=name)
    if connection.selected_alpn_protocol() not in ("h2", None):
        connection.close()
        raise OSError("the server does not speak HTTP/2")
    return connection


def _stay_alive(connection: socket.socket) -> None:
    """Find out within two minutes that the other side is gone, although it never says a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if option := getattr(socket, name, None):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)

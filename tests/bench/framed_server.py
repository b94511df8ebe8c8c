"""Serves flows of about 770 bytes from frames that were made before, in a process and on a core of its own.

Arguments: core, number of flows, `plain` or `forward`: an API server over TLS whose forwards end here.
Prints the port, and the API server's authority; runs until standard input ends.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import select
import socket
import ssl
import struct
import sys
import threading

from tests.bench.bench_flow_formats import flows
from tests.sources.certificates import authority, loopback
from tests.sources.hubble.cluster import relay_pod
from tests.sources.hubble.framing import Connection, Framed, Script

DIFFERENT = 20_000
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
CHUNK = 32 * 1024
BINARY, CLOSE, PING = 2, 8, 9


class WebSocket:
    """The bytes of channel 0 as if they were a connection; messages are of 32 kB, as a kubelet's."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        self._waiting = bytearray()
        self._ready = bytearray()
        for channel in (b"\x00", b"\x01"):
            self._send(channel + struct.pack("<H", 4245))

    def _send(self, data: bytes | memoryview) -> None:
        size = len(data)
        head = struct.pack("!BB", 0x82, size) if size < 126 else struct.pack("!BBH", 0x82, 126, size)
        self._connection.sendall(b"".join((head, data)))

    def sendall(self, data: bytes | memoryview) -> None:
        for start in range(0, len(data), CHUNK):
            self._send(b"".join((b"\x00", data[start : start + CHUNK])))

    def recv(self, size: int, flags: int = 0) -> bytes:
        while not self._ready:
            is_there = self._connection.pending() or select.select([self._connection], [], [], 0)[0]
            if flags and not is_there:
                raise BlockingIOError
            piece = self._connection.recv(65_536)
            if not piece:
                return b""
            self._waiting += piece
            self._unpack()
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _unpack(self) -> None:
        while len(self._waiting) >= 6:
            size, start = self._waiting[1] & 127, 2
            if size == 126:
                size, start = struct.unpack_from("!H", self._waiting, 2)[0], 4
            end = start + 4 + size
            if len(self._waiting) < end:
                return
            mask, body = self._waiting[start : start + 4], self._waiting[start + 4 : end]
            plain = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
            if self._waiting[0] & 15 == BINARY:
                self._ready += plain[1:]
            del self._waiting[:end]


def forwarding(server: Framed, listener: socket.socket, context: ssl.SSLContext) -> None:
    """Accept connections of an API server."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_api, args=(server, connection, context), daemon=True).start()


def _api(server: Framed, connection: socket.socket, context: ssl.SSLContext) -> None:
    secure = context.wrap_socket(connection, server_side=True)
    while request := secure.recv(65_536):
        if key := KEY.search(request):
            accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
            secure.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            with contextlib.suppress(ConnectionError):
                Connection(WebSocket(secure), server).run()  # type: ignore[arg-type]
            return
        is_list = b"/pods?" in request
        body = json.dumps({"metadata": {}, "items": [relay_pod()]} if is_list else {}).encode()
        status = b"200 OK" if is_list else b"404 Not Found"
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        secure.sendall(head % (status, len(body)) + body)


def main() -> None:
    """Serve."""
    core, count, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    os.sched_setaffinity(0, {core})
    server = Framed(Script(list(flows(DIFFERENT)), count))
    if mode == "forward":
        listener = socket.create_server(("127.0.0.1", 0))
        context = loopback().server_context()
        threading.Thread(target=forwarding, args=(server, listener, context), daemon=True).start()
        print(listener.getsockname()[1], flush=True)
    else:
        threading.Thread(target=server.serve, daemon=True).start()
        print(server.port, flush=True)
    print(base64.b64encode(authority().pem).decode(), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""The server of frames made before, but so many flows a second; in a process and on a core of its own.

Arguments: core, flows a second. Prints its port; then, for each line on standard input, how many it has sent
and how many CPU seconds that took, from which its own ceiling follows.
"""

from __future__ import annotations

import bisect
import os
import socket
import sys
import threading
import time

from tests.bench.bench_flow_formats import flows
from tests.sources.hubble.framing import END_HEADERS, HEADERS, RESPONSE, Connection, Framed, Script, frame

DIFFERENT = 5_000
TICK = 0.02
HEAD = 9


class Paced(Framed):
    """Sends at a steady pace."""

    rate = 20_000.0

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                PacedConnection(connection, self).run()
            except OSError:
                return


class PacedConnection(Connection):
    """One client."""

    def _stream(self, stream: int) -> None:
        self.socket.sendall(frame(HEADERS, END_HEADERS, stream, RESPONSE))
        blob, ends = self.server.blob
        assert isinstance(self.server, Paced)
        place, begun, done = 0, time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begun) * self.server.rate) - done
            if due <= 0:
                time.sleep(TICK)
                self._read(socket.MSG_DONTWAIT)
                continue
            begin = ends[place - 1] if place else 0
            room = min(self._window, self._streams[stream])
            last = min(bisect.bisect_right(ends, begin + room, place), place + due)
            if last == place:
                self._read()
                continue
            size = ends[last - 1] - begin
            # Windows count what is behind the nine bytes of each frame's head.
            self._window -= size - HEAD * (last - place)
            self._streams[stream] -= size - HEAD * (last - place)
            self.socket.sendall(blob[begin : begin + size])
            done += last - place
            self.server.sent += last - place
            place = last % len(ends)
            self._read(socket.MSG_DONTWAIT)


def main() -> None:
    """Serve until standard input ends."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    server = Paced(Script(list(flows(DIFFERENT)), 1))
    server.rate = float(sys.argv[2])
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.port, flush=True)
    for _ in sys.stdin:
        print(server.sent, time.process_time(), flush=True)


if __name__ == "__main__":
    main()

"""The console on a terminal: first paint, key echo and stop while 100 agents are checked, bytes when idle.

The servers run in a process of their own, the console in another, and this one reads the terminal.

Run: .venv/bin/python -m tests.bench.bench_console [NODES] [MILLISECONDS]
"""

from __future__ import annotations

import os
import select
import signal
import statistics
import sys
import tempfile
import time

from tests.bench.bench_check import served
from tests.tui.terminals import Terminal, terminal

SIZES = ((80, 24), (200, 50))
STARTS = 10
SILENCE = 5.0
MARK = "\u203a".encode()


def first_paint(words: list[str], cache: str) -> float:
    """Seconds from the start of the process until the first frame is there."""
    begin = time.perf_counter()
    with terminal(words=words, PYTHONPYCACHEPREFIX=cache, PYTHONDONTWRITEBYTECODE="") as shown:
        while b"read-only" not in shown.received:
            assert shown.read(30.0), "the console ended before it drew anything"
        taken = time.perf_counter() - begin
        shown.process.send_signal(signal.SIGTERM)
        shown.ended()
    return taken


def drain(shown: Terminal, seconds: float) -> int:
    """Read for a time; how many bytes came."""
    before, end = len(shown.received), time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        if select.select([shown.side], [], [], left)[0] and not shown.read(0.0):
            break
    return len(shown.received) - before


def echoes(shown: Terminal) -> list[float]:
    """Seconds from a key until the cursor is drawn again, as long as the check goes on."""
    found = []
    while "asked " in shown.text() and len(found) < 200:
        drain(shown, 0.08)
        seen = len(shown.received)
        begin = time.perf_counter()
        shown.type(b"\x1b[B" if len(found) % 8 < 4 else b"\x1b[A")
        while MARK not in shown.received[seen:]:
            if not shown.read(2.0):
                return found
        found.append(shown.last_read - begin)
    return found


def measure(words: list[str], size: tuple[int, int], cache: str) -> None:
    """Keys, stop and silence at one size."""
    with terminal(words=words, size=size, PYTHONPYCACHEPREFIX=cache, PYTHONDONTWRITEBYTECODE="") as shown:
        shown.until("asked ")
        found = sorted(echoes(shown))
        name = f"{size[0]}x{size[1]}"
        if len(found) > 1:
            high = found[min(len(found) - 1, round(len(found) * 0.99))]
            print(
                f"{name}: key echo during the check p50 {statistics.median(found) * 1000:.0f} ms, "
                f"p99 {high * 1000:.0f} ms ({len(found)} keys; target p99 100 ms)"
            )
        drain(shown, 1.0)
        shown.type(b":check\r")
        shown.until("asked ")
        drain(shown, 0.5)
        begin = time.perf_counter()
        shown.type(b"x")
        while "stopped" not in shown.screen.display[0]:
            assert shown.read(5.0), "it never stopped"
        print(f"{name}: stop {(shown.last_read - begin) * 1000:.0f} ms (target 300 ms)")
        drain(shown, 2.0)
        print(f"{name}: idle {drain(shown, SILENCE) / SILENCE:.0f} bytes/s (target 1,500 at 80x24)")
        shown.type(b"q")
        shown.ended()


def main() -> None:
    given = sys.argv[1:]
    nodes, delay = given[0] if given else "100", given[1] if len(given) > 1 else "50"
    with tempfile.TemporaryDirectory() as cache, served(nodes, delay) as kubeconfig:
        words = ["tui", "--kubeconfig", kubeconfig]
        first_paint(words, cache)
        taken = [first_paint(words, cache) for _ in range(STARTS)]
        print(
            f"first paint: median {statistics.median(taken) * 1000:.0f} ms, worst {max(taken) * 1000:.0f} ms "
            f"(target 400 ms warm; {os.cpu_count()} cores)"
        )
        for size in SIZES:
            measure(words, size, cache)


if __name__ == "__main__":
    main()

"""The console on a terminal while flows arrive: key echo, bytes on the wire, memory, what was dropped.

Servers and the reader of the terminal have one core, the console the other.

Run: .venv/bin/python -m tests.bench.bench_console_flows [SECONDS]
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.bench_check import served
from tests.bench.bench_console import drain
from tests.tui.terminals import Terminal, terminal

SECONDS = 8.0
KEYS = 120
LETTERS = b"zjvyuvzjyvuzjvuyzjvy"
THEIRS, OURS = 0, 1
CAME = re.compile(rb"([\d,]+) came")
LINK = 20_000
"""Bytes a second of a slow link."""


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    size: tuple[int, int]
    rate: int
    target: str
    words: tuple[str, ...] = ("--quiet",)
    is_slow_link: bool = False
    nodes: str = "6"


CASES = (
    Case("80x24, 20k flows/s", (80, 24), 20_000, "p99 60 ms, 250 MB"),
    Case("200x50, 20k flows/s", (200, 50), 20_000, "p99 60 ms, 250 MB"),
    Case("80x24, 50 flows/s", (80, 24), 50, "40 kB/s"),
    Case("80x24, 50 flows/s, --slow", (80, 24), 50, "10 kB/s", ("--quiet", "--slow")),
    Case("80x24, 10k flows/s, link of 20 kB/s", (80, 24), 10_000, "p99 500 ms", is_slow_link=True),
    Case(
        "200x50, 5k flows/s, 100 nodes checked", (200, 50), 5_000, "p99 100 ms, stop 300 ms", (), nodes="100"
    ),
)


class Nothing:
    """Draws nothing: a screen would cost more than the console."""

    def feed(self, data: bytes) -> None:
        """Take no notice."""


class Server:
    """The paced server as a child."""

    def __init__(self, rate: int) -> None:
        command = [sys.executable, "-m", "tests.bench.paced_server", str(THEIRS), str(rate)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        self.port = int(self._out.readline())

    def sent(self) -> tuple[int, float]:
        """Flows so far, and CPU seconds."""
        self._in.write("\n")
        self._in.flush()
        count, seconds = self._out.readline().split()
        return int(count), float(seconds)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def memory(pid: int) -> float:
    """Megabytes of RSS."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(row.split()[1]) / 1024 for row in status if row.startswith("VmRSS"))


def cpu(pid: int) -> float:
    """Seconds of CPU."""
    with open(f"/proc/{pid}/stat") as stat:
        parts = stat.read().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def pace(shown: Terminal, is_slow: bool) -> None:
    """Read no faster than a slow link would carry."""
    if is_slow:
        time.sleep(len(shown.received) / LINK)
    shown.received.clear()


def echoes(shown: Terminal, is_slow: bool) -> list[float]:
    """Seconds from a letter until it stands in the prompt."""
    found: list[float] = []
    while len(found) < KEYS:
        shown.type(b":\x15")
        settle(shown, 0.3, is_slow)
        for count in range(1, len(LETTERS) + 1):
            begin = time.perf_counter()
            shown.type(LETTERS[count - 1 : count])
            tail = b""
            while LETTERS[:count] not in tail + bytes(shown.received):
                if not shown.read(5.0):
                    return found
                if is_slow:
                    tail = bytes(shown.received)[-64:]
                    if LETTERS[:count] in bytes(shown.received):
                        break
                    pace(shown, is_slow)
            found.append(time.perf_counter() - begin)
            pace(shown, is_slow)
            settle(shown, 0.05, is_slow)
        shown.type(b"\x1b")
        settle(shown, 0.3, is_slow)
    return found


def settle(shown: Terminal, seconds: float, is_slow: bool) -> int:
    """Read for a time; how many bytes came."""
    end, count = time.perf_counter() + seconds, 0
    while (left := end - time.perf_counter()) > 0:
        if not shown.read(left):
            break
        count += len(shown.received)
        pace(shown, is_slow)
    return count


@contextmanager
def watching(case: Case, kubeconfig: str, cache: str, port: int) -> Iterator[Terminal]:
    """A console that watches all flows."""
    with terminal(
        words=("tui", "--kubeconfig", kubeconfig, *case.words),
        size=case.size,
        PYTHONPYCACHEPREFIX=cache,
        PYTHONDONTWRITEBYTECODE="",
        XDG_STATE_HOME=cache,
        HUBBLE_SERVER=f"127.0.0.1:{port}",
    ) as shown:
        os.sched_setaffinity(shown.process.pid, {OURS})
        shown.until("read-only")
        shown.until("PLAYBOOKS")
        drain(shown, 1.5)
        shown.type(b"w")
        shown.until("live by the")
        shown.type(b"/\x15all\r")
        shown.until("all flows, live")
        yield shown


def measure(case: Case, cache: str, seconds: float) -> None:
    """One row."""
    server = Server(case.rate)
    with served(case.nodes, "50") as kubeconfig, watching(case, kubeconfig, cache, server.port) as shown:
        shown.stream = Nothing()  # type: ignore[assignment]
        shown.received.clear()
        pid = shown.process.pid
        found = sorted(echoes(shown, case.is_slow_link))
        used, begin = cpu(pid), time.perf_counter()
        # The list follows: this is what watching costs.
        count = settle(shown, seconds, case.is_slow_link)
        wall = time.perf_counter() - begin
        busy = (cpu(pid) - used) / wall
        size, (sent, _) = memory(pid), server.sent()
        shown.type(b"p")
        settle(shown, 1.0, case.is_slow_link)
        paused = settle(shown, 3.0, case.is_slow_link) / 3.0
        begin = time.perf_counter()
        shown.type(b"q")
        shown.ended()
        stop = time.perf_counter() - begin
    server.close()
    high = found[min(len(found) - 1, round(len(found) * 0.99))]
    print(
        f"{case.name:<40}{statistics.median(found) * 1e3:>7.0f}{high * 1e3:>7.0f}{count / wall / 1e3:>9.1f}"
        f"{paused / 1e3:>9.2f}{size:>8.0f}{busy * 100:>7.0f}{stop * 1e3:>8.0f}{sent:>11,}  {case.target}",
        flush=True,
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    os.sched_setaffinity(0, {THEIRS})
    wanted = sys.argv[2:]
    head = ("p50 ms", "p99 ms", "kB/s", "paused", "RSS MB", "CPU %", "stop ms")
    print(
        f"{'console':<40}{head[0]:>7}{head[1]:>7}{head[2]:>9}{head[3]:>9}{head[4]:>8}{head[5]:>7}{head[6]:>8}",
        end="",
    )
    print(f"{'sent':>11}  target")
    with tempfile.TemporaryDirectory() as cache:
        for case in CASES:
            if not wanted or any(word in case.name for word in wanted):
                measure(case, cache, seconds)


if __name__ == "__main__":
    main()

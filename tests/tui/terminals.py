"""A console in a process of its own, on a terminal that is read."""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyte

from tests.tui.command import ROOT, environment

_PATIENCE = 30.0
_CONSOLE = """
import sys
from tests.engine.toy import ToyCluster
from tests.tui.consoles import Hanging, connecting_to
from tui.app import ConsoleOptions, run_console
sys.exit(run_console(connecting_to({cluster}()), ConsoleOptions()))
"""


@dataclass
class Terminal:
    """What a program draws, and a way to type into it."""

    process: subprocess.Popen[bytes]
    side: int
    screen: pyte.Screen
    stream: pyte.ByteStream
    received: bytearray = field(default_factory=bytearray)
    last_read: float = 0.0

    def type(self, data: bytes) -> None:
        """Send what a terminal would send."""
        os.write(self.side, data)

    def text(self) -> str:
        """What can be read."""
        return "\n".join(row.rstrip() for row in self.screen.display)

    def until(self, wanted: str) -> None:
        """Read until something can be read on the screen."""
        deadline = time.monotonic() + _PATIENCE
        while wanted not in self.text():
            if not self.read(deadline - time.monotonic()):
                raise AssertionError(f"{wanted!r} never came; the screen says:\n{self.text()}")

    def until_equal(self, screen: str) -> None:
        """Read until the screen is just this; what comes in between is passed over."""
        deadline = time.monotonic() + _PATIENCE
        while self.text() != screen:
            if not self.read(deadline - time.monotonic()):
                told = "\n".join(
                    difflib.unified_diff(screen.split("\n"), self.text().split("\n"), "kept", "now")
                )
                raise AssertionError(f"the screen stays another one:\n{told}")

    def rest(self, seconds: float) -> None:
        """Read until nothing comes for a while."""
        while self.read(seconds):
            pass

    def ended(self) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + _PATIENCE
        while self.read(deadline - time.monotonic()):
            pass
        return self.process.wait(5)

    def read(self, seconds: float) -> bool:
        """Read what comes within a time; false when nothing does, or at the end."""
        ready, _, _ = select.select([self.side], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self.side, 65536)
        except OSError:
            # Linux reports the end of the other side as an error.
            return False
        self.last_read = time.perf_counter()
        self.received += data
        self.stream.feed(data)
        return bool(data)


@contextmanager
def terminal(
    cluster: str = "ToyCluster",
    words: Sequence[str] = (),
    size: tuple[int, int] = (80, 24),
    inside: Sequence[str] = (),
    **more: str,
) -> Iterator[Terminal]:
    """A console on a toy cluster, or a module with its `words`, run `inside` another command.

    `more` is added to its environment.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    ran = ["-m", *words] if words else ["-c", _CONSOLE.format(cluster=cluster)]
    process = subprocess.Popen(
        [*inside, sys.executable, *ran],
        cwd=ROOT,
        env=environment(**{"TERM": "screen-256color", "COLORTERM": "", **more}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = pyte.Screen(*size)
    try:
        yield Terminal(process, ours, screen, pyte.ByteStream(screen))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait(5)
        os.close(ours)

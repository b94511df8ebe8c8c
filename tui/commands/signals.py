"""SIGINT, SIGTERM and SIGHUP stop work at once, and the code that waits for it goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Self, TypeVar

from playbooks.engine.report import Exit

GRACE = 0.5
"""Seconds that work may take to stop, before it is left behind."""
_CODES = {
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
    signal.SIGHUP: Exit.HUNG_UP,
}

T = TypeVar("T")


class Interrupted(Exception):
    """A signal came while something was waited for."""

    def __init__(self, code: Exit) -> None:
        """`code` is the exit code of the signal."""
        super().__init__(code.name.lower())
        self.code = code


class Signals:
    """Listens while entered; a second signal ends the process where it stands."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._code = Exit.INTERRUPTED

    def __enter__(self) -> Self:
        """Begin to listen, on the running loop."""
        loop = asyncio.get_running_loop()
        for number, code in _CODES.items():
            # `nohup` has SIGHUP ignored, and wants it so.
            if signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._stop, code)
        return self

    def __exit__(self, *error: object) -> None:
        """Leave signals to the system again."""
        for number in _CODES:
            asyncio.get_running_loop().remove_signal_handler(number)

    async def unless(self, work: Coroutine[object, object, T]) -> T:
        """The result of some work. Raises `Interrupted`, the work cancelled, when a signal came first."""
        task = asyncio.create_task(work)
        came = asyncio.create_task(self._came.wait())
        try:
            await asyncio.wait((task, came), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
                await asyncio.wait((task,), timeout=GRACE)
                raise Interrupted(self._code)
            return task.result()
        finally:
            came.cancel()

    def _stop(self, code: Exit) -> None:
        if self._came.is_set():
            os._exit(code)
        self._code = code
        self._came.set()


def foreground(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end without waiting afterwards for threads that hang."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()

"""Runs playbooks in the foreground: progress while it goes, and a signal stops it at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from playbooks.engine.report import Exit, FailOn, exit_code
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Source
from tui.commands.options import Options
from tui.commands.progress import ProgressLine

_BEAT = 0.1
"""Seconds between two looks at the progress."""
_GRACE = 0.5
"""Seconds that work may take to stop after a signal, before it is left behind."""

T = TypeVar("T")


@dataclass(slots=True)
class Stopped:
    """Which signal stopped the work, if one did."""

    by: Exit | None = None


@contextmanager
def stopped_by_signals(work: asyncio.Task[T]) -> Iterator[Stopped]:
    """Cancel work on SIGINT and SIGTERM; a second signal ends the process where it stands."""
    stopped = Stopped()
    loop = asyncio.get_running_loop()

    def stop(code: Exit) -> None:
        if stopped.by is not None:
            os._exit(code)
        stopped.by = code
        work.cancel()

    codes = {signal.SIGINT: Exit.INTERRUPTED, signal.SIGTERM: Exit.TERMINATED}
    for number, code in codes.items():
        loop.add_signal_handler(number, stop, code)
    try:
        yield stopped
    finally:
        for number in codes:
            loop.remove_signal_handler(number)


async def run_to_the_end(source: Source, order: Order, options: Options) -> tuple[Snapshot, Exit]:
    """Run, and close the source; the last snapshot, partial when a signal came."""
    run = Run(source, order)
    progress = ProgressLine(is_quiet=options.is_quiet)
    work = asyncio.create_task(run.start())
    with stopped_by_signals(work) as stopped:
        try:
            while not work.done() and stopped.by is None:
                progress.show(run.snapshot())
                await asyncio.wait((work,), timeout=_BEAT)
            if stopped.by is None:
                snapshot = await work
                return snapshot, exit_code(snapshot, FailOn(options.fail_on), is_strict=options.is_strict)
            snapshot = replace(run.snapshot(), is_stopped=True)
            await asyncio.wait((work,), timeout=_GRACE)
            return snapshot, stopped.by
        finally:
            progress.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(source.close(), _GRACE)


def foreground(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end without waiting afterwards for threads that hang."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()

"""The engine's own thread and event loop: screens hand it work and get snapshots back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Source

T = TypeVar("T")

PACE = 0.1
"""Seconds between snapshots at least, so that a screen is told ten times a second at most."""


class EngineThread:
    """A daemon thread with an event loop; every method may be called from any other thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="engine", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the engine's loop; cancelling the future cancels the work."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(
        self, source: Source, order: Order, told: Callable[[Snapshot], None]
    ) -> tuple[Run, Future[Snapshot]]:
        """Start a run; `told` gets snapshots on the engine's thread, the last one when it is over."""
        paced = _Paced(self._loop, told)
        run = Run(source, order, paced.ping)
        paced.snapshot = run.snapshot
        return run, self.submit(_to_the_end(run, paced, told))

    def close(self, seconds: float = 2.0) -> None:
        """Cancel everything and stop; waits no longer than `seconds`."""
        self._loop.call_soon_threadsafe(self._cancel_all)
        self._thread.join(seconds)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        gathered = asyncio.gather(*tasks, return_exceptions=True)
        gathered.add_done_callback(lambda _: self._loop.stop())


async def _to_the_end(run: Run, paced: _Paced, told: Callable[[Snapshot], None]) -> Snapshot:
    try:
        last = await run.start()
    finally:
        paced.stop()
    told(last)
    return last


class _Paced:
    """Turns any number of pings into at most one snapshot per `PACE`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Callable[[Snapshot], None]) -> None:
        self._loop = loop
        self._told = told
        self._pending: asyncio.TimerHandle | None = None
        self.snapshot: Callable[[], Snapshot] | None = None

    def ping(self) -> None:
        """Something changed."""
        if self._pending is None:
            self._pending = self._loop.call_later(PACE, self._tell)

    def stop(self) -> None:
        """Tell nothing more."""
        if self._pending:
            self._pending.cancel()
            self._pending = None

    def _tell(self) -> None:
        self._pending = None
        if self.snapshot:
            self._told(self.snapshot())

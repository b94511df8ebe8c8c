"""Turns batches of YAML into JSON pages, large ones in processes of their own.

Reading YAML keeps the interpreter busy: a list of 5,000 pods would take the console's breath for seconds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from threading import Lock

import msgspec

from playbooks.sources.sysdump.document import Json, object_of
from playbooks.sources.sysdump.selecting import Selection
from playbooks.sources.sysdump.trouble import Damaged

SMALL = 256 * 1024
"""Bytes of a file up to which a thread reads it; starting a process takes longer."""
IDLE = 2.0
"""Seconds without a large list after which the processes are ended: together they hold 80 MB."""
_PROCESSES = 2
_CLOSED = "the archive was closed meanwhile"

Item = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one list as text, and what is wanted of them."""

    items: tuple[bytes, ...]
    """YAML texts."""
    is_list: bool
    """Whether they are items of a list; else the one is a whole document."""
    selection: Selection
    """Which objects are wanted."""


@dataclass(frozen=True, slots=True)
class Page:
    """The wanted objects of a batch."""

    objects: tuple[bytes, ...] = ()
    """JSON documents."""
    kinds: tuple[str, ...] = ()
    """The kinds that they state, if they do."""
    damage: str = ""
    """Why the batch could not be read; empty when it could."""
    remedy: str = ""
    """What to do about that."""


def page_of(batch: Batch) -> Page:
    """Read a batch; runs in a thread or in a process of its own, so it gives damage back as a value."""
    is_wanted, needles = batch.selection.test(), batch.selection.needles
    objects: list[bytes] = []
    kinds: dict[str, None] = {}
    try:
        for text in batch.items:
            if not all(needle in text for needle in needles):
                continue
            item = object_of(text, is_item=batch.is_list)
            if is_wanted(item):
                objects.append(msgspec.json.encode(item))
                kinds[str(item.get("kind") or "")] = None
    except Damaged as error:
        return Page(damage=str(error), remedy=error.remedy)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        return Page(damage=f"an object in it cannot be written as JSON ({error})")
    return Page(tuple(objects), tuple(kinds))


class Readers:
    """The processes that read large lists: started for the first, ended when there was none for a while."""

    def __init__(self, idle: float = IDLE) -> None:
        """Start nothing yet; `idle` is how many seconds of rest end the processes."""
        self._pool: ProcessPoolExecutor | None = None
        self._lock = Lock()
        self._idle, self._busy, self._is_closed = idle, 0, False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the processes that run now."""
        return tuple(self._pool._processes) if self._pool else ()

    async def read(self, batch: Batch, *, is_large: bool) -> Page:
        """Read a batch off the event loop. Raises `Damaged`."""
        pool = self._started() if is_large else None
        if pool is None:
            page = await asyncio.to_thread(page_of, batch)
        else:
            page = await self._read_in(pool, batch)
        if page.damage:
            raise Damaged(page.damage, page.remedy)
        return page

    def close(self) -> None:
        """End the processes for good, without waiting for what they read."""
        self._is_closed = True
        self._drop(self._pool)

    async def _read_in(self, pool: ProcessPoolExecutor, batch: Batch) -> Page:
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, page_of, batch)
        except BrokenProcessPool as error:
            self._drop(pool)
            remedy = "see that there is memory, and try again"
            raise Damaged("the process that read it came to a sudden end", remedy) from error
        except RuntimeError as error:
            raise Damaged(_CLOSED) from error
        except asyncio.CancelledError as error:
            # The end of the processes cancels what they have not begun; that is nobody's wish to stop.
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            raise Damaged(_CLOSED) from error
        finally:
            self._busy -= 1
            self._rest()

    def _drop(self, pool: ProcessPoolExecutor | None) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        if pool:
            pool.shutdown(wait=False, cancel_futures=True)

    def _rest(self) -> None:
        """End the processes after a while, unless they are needed again."""
        if self._timer:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if self._busy else loop.call_later(self._idle, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if not self._busy:
            self._drop(self._pool)

    def _started(self) -> ProcessPoolExecutor | None:
        if self._is_closed:
            raise Damaged(_CLOSED)
        with self._lock:
            if self._pool is None:
                # A fork of a program with threads can hang; a fresh process cannot.
                context = multiprocessing.get_context("spawn")
                processes = min(_PROCESSES, os.cpu_count() or 1)
                try:
                    self._pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_be_quiet)
                except (OSError, ImportError):
                    # Where the system has no semaphores there are threads.
                    return None
            return self._pool


def _be_quiet() -> None:
    """Leave Ctrl-C to the program, which ends its readers by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

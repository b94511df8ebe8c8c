"""Puts the flows that are watched into the session's recording, on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.sources.journal.flows import FlowStore

_WAITING = 20_000
"""Messages that may wait to be kept; beyond it they are not, and that is said."""
_ENDING = 0.1
"""Seconds for what still waits when the console is left."""
_MOMENT = 0.1
_HOT = 256
"""Events that the store keeps decoded."""


class FlowKeeper:
    """Opens the recording with the first flow, and never makes the screen wait."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened before there is something to keep."""
        self._folder = folder
        self._waiting: deque[Sequence[bytes]] = deque()
        # Each is written by one thread only.
        self._came = self._done = 0
        self._missed = 0
        self._stopped = ""
        self._end = 0.0
        self._thread: threading.Thread | None = None

    def put(self, raws: Sequence[bytes]) -> str:
        """Keep messages; why some are not, empty while all are."""
        if self._stopped:
            return self._stopped
        if self._came - self._done > _WAITING:
            self._missed += len(raws)
        else:
            self._came += len(raws)
            self._waiting.append(raws)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="keeping flows", daemon=True)
            self._thread.start()
        return f"{self._missed:,} flows that came too fast" if self._missed else ""

    def close(self) -> None:
        """Keep what still waits, as far as that is quick."""
        self._end = time.monotonic() + _ENDING
        if self._thread:
            self._thread.join(2 * _ENDING)

    def _run(self) -> None:
        from playbooks.model.hubble.seen.ring import Ring
        from playbooks.sources.journal import UnwritableJournal
        from playbooks.sources.journal.flows import FlowStore

        try:
            store = FlowStore.in_journal(self._folder)
            # The list keeps the newest flows itself; a second time they would only fill the memory.
            store.ring = Ring(_HOT)
        except UnwritableJournal as error:
            self._stopped = error.what
            return
        try:
            self._keep(store)
        finally:
            store.close()

    def _keep(self, store: FlowStore) -> None:
        from playbooks.model.hubble.seen import Reader

        reader = Reader()
        while not self._end or (self._waiting and time.monotonic() < self._end):
            if not self._waiting:
                time.sleep(_MOMENT)
                continue
            raws = self._waiting.popleft()
            self._done += len(raws)
            store.add(raws, reader.read_all(raws))
            self._stopped = store.keeping.stopped

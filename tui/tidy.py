"""Keeps the garbage collector out of the way of keys: it stops every thread for as long as it looks."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import ClassVar

_YOUNG, _MIDDLE, _NEVER = 20_000, 20, 1_000_000
_APART = 10.0
"""Seconds between two full collections at least."""


@dataclass(slots=True)
class Tidy:
    """When to collect: never while somebody types, and only what was made since the last time."""

    QUIET: ClassVar[float] = 1.0
    """Seconds without a key after which nobody minds a pause."""

    _last_key: float = 0.0
    _last_time: float = 0.0

    def begin(self) -> None:
        """All is loaded: what there is stays to the end and is never looked at again."""
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        gc.enable()

    def key(self) -> None:
        """Somebody types."""
        self._last_key = time.monotonic()

    def up(self) -> bool:
        """Collect, if nobody types; false when it should be tried again."""
        now = time.monotonic()
        if now - self._last_key < self.QUIET or now - self._last_time < _APART:
            return False
        gc.collect()
        # Facts live long; a collection that need not walk them again is short.
        gc.freeze()
        self._last_time = time.monotonic()
        return True

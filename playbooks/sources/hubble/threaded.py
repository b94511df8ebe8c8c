"""A stream whose events a thread of its own finds, and others fetch."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Self

from playbooks.sources.hubble.events import Event, State


class ThreadedStream(ABC):
    """Its thread runs from entering on until it is over or is closed."""

    def __init__(self, name: str, state: State) -> None:
        """Nothing runs yet; `name` is the thread's."""
        self._stop, self._over = threading.Event(), threading.Event()
        self._state = state
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def state(self) -> State:
        """The last state."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more, once drained."""
        return self._over.is_set()

    def events(self) -> Iterator[Sequence[Event]]:
        """All that has come, again and again; blocks for it."""
        while True:
            is_last = self.is_over
            if taken := self.drain():
                yield taken
            elif is_last:
                return
            else:
                self._wait()

    @abstractmethod
    def drain(self) -> Sequence[Event]:
        """All that has come since the last time."""

    @abstractmethod
    def close(self) -> None:
        """Stop and let go of everything."""

    @abstractmethod
    def _run(self) -> None:
        """The thread: find events, and say when it is over."""

    @abstractmethod
    def _wait(self) -> None:
        """Until something may have come."""

"""Flows of a recording or an archive, for the console: the same stream, but with an end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.hubble.events import Batch, Event, Phase, Rung, State
from playbooks.sources.hubble.threaded import ThreadedStream

if TYPE_CHECKING:
    from playbooks.model.hubble.filters.asked import Observe
    from playbooks.model.hubble.proto.observer_pb2 import ExportEvent

_TOGETHER = 500
"""Messages that are handed over together."""
_WAITING = 20_000
"""Messages that may wait to be fetched; then reading waits."""
_MOMENT = 0.05


@dataclass(frozen=True, slots=True)
class RecordedFlows:
    """The flows of a recording, a sysdump or an archive."""

    path: Path
    """Where it lies."""
    now: datetime
    """When it was taken."""

    @property
    def is_live(self) -> bool:
        """No more will come."""
        return False

    def open(self, asked: Observe, nodes: Sequence[str]) -> RecordedStream:
        """A stream of what matches."""
        del nodes
        return RecordedStream(self.path, asked)

    def keep(self, raws: Sequence[bytes]) -> str:
        """They are kept already."""
        del raws
        return ""


class RecordedStream(ThreadedStream):
    """A `FlowStream` of what was recorded; reading waits for who looks at it."""

    def __init__(self, path: Path, asked: Observe) -> None:
        """Nothing is opened yet."""
        super().__init__("recorded flows", State(Phase.CONNECTING, Rung.NONE, f"reading {path}"))
        self._path, self._asked = path, asked
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._waiting = 0
        self._problems: list[str] = []

    def drain(self) -> Sequence[Event]:
        """What was read since the last time."""
        with self._lock:
            taken, self._events = self._events, []
            self._waiting = 0
        return taken

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()

    def _wait(self) -> None:
        self._told.wait(_MOMENT)

    def warn(self, message: str, error: str, line: bytes | None = None) -> None:
        """Something could not be read."""
        del line
        self._problems.append(f"{message}: {error}")

    def _run(self) -> None:
        try:
            self._tell(State(Phase.LIVE, Rung.NONE, f"from {self._path}"))
            self._read()
        except Exception as error:  # noqa: BLE001  an archive may be damaged in any way, and who waits must know
            detail = str(error) or type(error).__name__
            what, _, remedy = detail.partition("\n  to do: ")
            self._tell(State(Phase.ENDED, Rung.NONE, what, Gap(GapKind.NOT_FOUND, what, remedy=remedy)))
        finally:
            self._over.set()
            self._told.set()

    def _read(self) -> None:
        from playbooks.model.hubble.filters.selection import selected
        from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
        from tui.commands.flows_reading import archived

        batches = archived(self._path, self).batches()
        raws = (raw for batch in batches for raw in batch)
        if self._is_whole:
            self._hand_over(raws)
        else:
            self._hand_over(map(_raw, selected(self._asked.request(), map(ExportEvent.FromString, raws))))
        gap = None
        if self._problems:
            detail = f"{len(self._problems):,} parts could not be read, such as: {self._problems[0]}"
            gap = Gap(GapKind.UNREADABLE, detail)
        if not self._stop.is_set():
            self._tell(State(Phase.ENDED, Rung.NONE, "all of the recording was read", gap))

    @property
    def _is_whole(self) -> bool:
        asked = self._asked
        return not (asked.allowlist or asked.denylist or asked.number or asked.since or asked.until)

    def _hand_over(self, raws: Iterable[bytes]) -> None:
        part: list[bytes] = []
        for raw in raws:
            part.append(raw)
            if len(part) >= _TOGETHER:
                self._put(part)
                part = []
            if self._stop.is_set():
                return
        if part:
            self._put(part)

    def _put(self, raws: Sequence[bytes]) -> None:
        while self._waiting > _WAITING and not self._stop.wait(_MOMENT):
            pass
        with self._lock:
            self._events.append(Batch(tuple(raws)))
            self._waiting += len(raws)
        self._told.set()

    def _tell(self, state: State) -> None:
        with self._lock:
            self._state = state
            self._events.append(state)
        self._told.set()


def _raw(event: ExportEvent) -> bytes:
    return event.SerializeToString()

"""The flows of a session: the newest hot, the older ones in segments, in the journal or in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from threading import Event as Signal
from threading import Lock, Thread

from playbooks.model.hubble.seen import Event, Reader
from playbooks.model.hubble.seen.ring import Ring
from playbooks.model.text import Text
from playbooks.sources.journal.archive import is_within, read, recover
from playbooks.sources.journal.segments import FULL, MESSAGES, Index, index_of, pressed, records
from playbooks.sources.journal.shelves import Disk, Memory, Shelf
from playbooks.sources.journal.trouble import UnwritableJournal

DISK_LIMIT = 2 * 1024 * 1024 * 1024
"""Bytes of segments in a journal."""

MEMORY_LIMIT = 64 * 1024 * 1024
"""Bytes of segments in memory, where there is no journal; with the hot events it stays below 128 MiB."""

WAITING_LIMIT = 64 * 1024 * 1024
"""Bytes of messages that may wait to be sealed; beyond it new ones are not kept, and counted."""

EVERY = 1.0
"""Seconds after which messages are on the disk at the latest."""

Clock = Callable[[], datetime]
"""Tells the time, UTC."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept, for a status line."""

    came: int
    """Events that were added in this session."""
    segments: int
    """Sealed segments, those of earlier sessions too."""
    size: int
    """Bytes that they take."""
    dropped: int
    """Events of old segments that were let go to stay within the limit."""
    dropped_until: int
    """Nanoseconds since 1970 of the youngest of these; 0 when none has a time."""
    overrun: int
    """Events whose messages are not kept, because they came faster than that, or were too large."""
    stopped: str
    """Why nothing is written to the journal any more, in one sentence; empty while it is."""


@dataclass(slots=True)
class _Part:
    """Messages that follow each other and are not sealed yet, with their events."""

    begin: int
    """Number of the first event."""
    raws: list[bytes] = field(default_factory=list)
    """The messages."""
    events: list[Event] = field(default_factory=list)
    """What they say."""
    size: int = 0
    """Bytes of the messages."""
    written: int = 0
    """How many of them are on the shelf already."""

    @property
    def is_full(self) -> bool:
        """Whether there is enough for a segment."""
        return len(self.raws) >= MESSAGES or self.size >= FULL

    @property
    def cut(self) -> int:
        """How many messages the next segment gets."""
        if self.size < FULL:
            return min(len(self.raws), MESSAGES)
        sizes = accumulate(map(len, self.raws[:MESSAGES]))
        return next((count for count, size in enumerate(sizes, 1) if size >= FULL), MESSAGES)

    def forget(self, count: int) -> None:
        """Let go of the first ones: they are sealed."""
        self.size -= sum(map(len, self.raws[:count]))
        self.begin, self.written = self.begin + count, 0
        del self.raws[:count], self.events[:count]


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A segment and where it lies."""

    index: Index
    shelf: Shelf
    size: int
    begin: int | None
    """Number of its first event; None for earlier sessions."""


class FlowStore:
    """Keeps every message of a stream within bounds, and never makes the sender wait.

    `add` belongs to one thread, all else to any; a thread of the store's own compresses and writes. When the
    disk fails, `Keeping.stopped` says so and `on_stop` is told; from then on segments are kept in memory.
    """

    def __init__(self, shelf: Shelf, past: Sequence[tuple[Index, int]] = (), number: int = 1) -> None:
        """Keep on a shelf, after segments (with the bytes they take) that lie there; the next is `number`."""
        self.ring = Ring()
        self.on_stop: Callable[[str], None] | None = None
        self.clock: Clock = lambda: datetime.now(UTC)
        self._shelf, self._shelves = shelf, [shelf]
        self._sealed = [_Sealed(index, shelf, size, None) for index, size in past]
        self._number = number
        self._dropped = max((index.dropped for index, _ in past), default=0)
        self._dropped_until = max((index.dropped_until for index, _ in past), default=0)
        self._parts: list[_Part] = []
        self._loaded: tuple[_Sealed | None, list[bytes]] = (None, [])
        self._overrun, self._stopped = 0, ""
        self._lock, self._working, self._signal = Lock(), Lock(), Signal()
        self._is_closed = False
        self._thread: Thread | None = None

    @classmethod
    def in_journal(cls, folder: Path, limit: int = DISK_LIMIT) -> FlowStore:
        """The flows of a journal's folder, going on with what lies there. Raises `UnwritableJournal`.

        A journal that is begun is opened first: it takes no folder that holds something else.
        """
        try:
            disk = Disk(folder, limit)
        except BlockingIOError as error:
            remedy = "close the other session or choose another folder"
            raise UnwritableJournal("another session keeps flows here", str(folder), remedy) from error
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            return cls(disk, recover(disk), disk.highest + 1)
        except OSError as error:
            disk.close()
            raise _unwritable(folder, error) from error

    @classmethod
    def in_memory(cls, limit: int = MEMORY_LIMIT) -> FlowStore:
        """Flows for as long as the process lives."""
        return cls(Memory(limit))

    def start(self) -> None:
        """Begin to seal and write, in a thread of its own."""
        self._thread = Thread(target=self._run, name="flow store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Seal what is left and let go of the folder; waits for it."""
        self._is_closed = True
        self._signal.set()
        if self._thread:
            self._thread.join()
        self.flush(seal=True)
        for shelf in self._shelves:
            shelf.close()

    @property
    def keeping(self) -> Keeping:
        """What is kept."""
        with self._lock:
            return Keeping(
                came=self.ring.end,
                segments=len(self._sealed),
                size=sum(one.size for one in self._sealed),
                dropped=self._dropped,
                dropped_until=self._dropped_until,
                overrun=self._overrun,
                stopped=self._stopped,
            )

    def add(self, raws: Sequence[bytes], events: Sequence[Event]) -> None:
        """Take a batch of messages and what they say."""
        size, begin = sum(map(len, raws)), self.ring.end
        self.ring.extend(events, size)
        with self._lock:
            if sum(part.size for part in self._parts) + size > WAITING_LIMIT:
                self._overrun += len(raws)
                return
            if not self._parts or self._parts[-1].begin + len(self._parts[-1].raws) != begin:
                # The first ones, or messages between were not kept.
                self._parts.append(_Part(begin))
            part = self._parts[-1]
            part.raws.extend(raws)
            part.events.extend(events)
            part.size += size
        if part.is_full:
            self._signal.set()

    def flush(self, *, seal: bool = False) -> None:
        """Write what waits, and seal what is enough for a segment; with `seal` all of it."""
        with self._working:
            while work := self._next(seal=seal):
                part, raws, events, is_whole = work
                if is_whole:
                    self._seal(part, raws, events)
                    continue
                if new := raws[part.written :]:
                    self._write(lambda new=new: self._shelf.append(self._number, new))  # type: ignore[misc]
                    part.written = len(raws)
                return

    def between(self, since: int, until: int, node: str = "") -> Iterator[tuple[bytes, Event] | str]:
        """What is kept of a time, in nanoseconds since 1970, in the order in which it came.

        A text in between says what could not be read. Other threads may go on adding.
        """
        with self._lock:
            sealed = tuple(self._sealed)
            rest = [pair for part in self._parts for pair in zip(part.raws, part.events, strict=True)]
        reader = Reader()
        for one in sealed:
            if one.index.holds(since, until) and (not node or node in one.index.nodes):
                yield from read(one.shelf, one.index, reader, since, until, node)
        yield from (pair for pair in rest if is_within(pair[1], since, until, node))

    def raw(self, number: int) -> bytes | None:
        """The message of an event by its number in the ring; None when it is not kept or cannot be read."""
        with self._lock:
            for part in self._parts:
                if part.begin <= number < part.begin + len(part.raws):
                    return part.raws[number - part.begin]
            sealed = next((one for one in reversed(self._sealed) if _holds(one, number)), None)
        if sealed is None or sealed.begin is None:
            return None
        if self._loaded[0] is not sealed:
            try:
                self._loaded = sealed, sealed.shelf.load(sealed.index)
            except (OSError, ValueError):
                return None
        return self._loaded[1][number - sealed.begin]

    def _run(self) -> None:
        why = "an error in honeyguide itself"
        try:
            while not self._is_closed:
                self._signal.wait(EVERY)
                self._signal.clear()
                self.flush()
            why = ""
        finally:
            if why:
                self._stop(why)

    def _next(self, *, seal: bool) -> tuple[_Part, list[bytes], list[Event], bool] | None:
        """The oldest part that waits, what of it makes one segment, and whether that is to be sealed."""
        with self._lock:
            while self._parts and not self._parts[0].raws:
                del self._parts[0]
            if not self._parts:
                return None
            part, cut = self._parts[0], self._parts[0].cut
            is_whole = seal or part.is_full or len(self._parts) > 1
            return part, part.raws[:cut], part.events[:cut], is_whole

    def _seal(self, part: _Part, raws: list[bytes], events: list[Event]) -> None:
        plain = records(raws)
        data = pressed(plain)
        # First, so that the new segment tells of the older ones that went for it.
        self._make_room(len(data))
        index = index_of(self._number, len(plain), events, self._dropped, self._dropped_until)
        size = self._write(lambda: self._shelf.seal(index, data))
        with self._lock:
            self._sealed.append(_Sealed(index, self._shelf, size or len(data), part.begin))
            part.forget(len(raws))
        self._number += 1

    def _make_room(self, wanted: int) -> None:
        """Let go of the oldest segments of the shelf in use, and count them."""
        mine = [one for one in self._sealed if one.shelf is self._shelf]
        size = sum(one.size for one in mine) + wanted
        for one in mine:
            if size <= self._shelf.limit:
                return
            size -= one.size
            with self._lock:
                self._sealed.remove(one)
                self._dropped += one.index.count
                self._dropped_until = max(self._dropped_until, one.index.last)
            self._write(lambda one=one: one.shelf.drop(one.index))  # type: ignore[misc]

    def _write(self, work: Callable[[], int | None]) -> int | None:
        """Do something with the shelf; once more with memory when the disk fails."""
        try:
            return work()
        except OSError as error:
            self._stop(error.strerror or str(error))
            self._shelf = Memory(MEMORY_LIMIT)
            self._shelves.append(self._shelf)
            return work()

    def _stop(self, why: str) -> None:
        if self._stopped:
            return
        self._stopped = (
            f"flows are no longer written since {self.clock():%H:%M:%S} UTC: {Text(why).shown}; "
            "what was written before is kept, newer ones are in memory only"
        )
        if self.on_stop:
            self.on_stop(self._stopped)


def _holds(sealed: _Sealed, number: int) -> bool:
    return sealed.begin is not None and sealed.begin <= number < sealed.begin + sealed.index.count


def _unwritable(folder: Path, error: OSError) -> UnwritableJournal:
    reason = error.strerror or str(error)
    return UnwritableJournal(
        f"cannot keep flows ({reason})", str(folder), "choose another folder with --record"
    )

"""Flows that were kept: read again by time, from segments and from what a crash left unsealed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from playbooks.model.hubble.seen import Event, Reader
from playbooks.sources.journal.segments import Index, index_of, pressed, records
from playbooks.sources.journal.shelves import FOLDER, Disk, indexes, load, name_of, numbers, tail
from playbooks.sources.journal.trouble import UnreadableJournal

FOREVER = 2**63
"""Nanoseconds since 1970, later than all."""


class _Loads(Protocol):
    def load(self, index: Index) -> list[bytes]: ...


class FlowArchive:
    """The flows in a journal's folder, read while nobody or somebody else writes them."""

    def __init__(self, folder: Path) -> None:
        """Raises `UnreadableJournal` when the folder cannot be read; without flows it is empty."""
        self._folder = folder / FOLDER
        self.segments: list[Index] = []
        """What there is, the oldest first."""
        self.problems: list[str] = []
        """What could not be read, one sentence each."""
        if not self._folder.is_dir():
            return
        try:
            for _, index, _ in indexes(self._folder):
                if isinstance(index, Index):
                    self.segments.append(index)
                else:
                    self.problems.append(index)
        except OSError as error:
            reason = error.strerror or str(error)
            remedy = "give the folder that `--record` or the console wrote"
            raise UnreadableJournal(f"flows cannot be read ({reason})", str(folder), remedy) from error

    @property
    def dropped(self) -> tuple[int, int]:
        """Events that were let go to stay within the limit, and until when, in nanoseconds since 1970."""
        pairs = ((one.dropped, one.dropped_until) for one in self.segments)
        return max(pairs, default=(0, 0))

    def load(self, index: Index) -> list[bytes]:
        """The messages of a segment. Raises `OSError` or `ValueError`."""
        return load(self._folder, index)

    def between(
        self, since: int = 0, until: int = FOREVER, node: str = ""
    ) -> Iterator[tuple[bytes, Event] | str]:
        """What is kept of a time, in nanoseconds since 1970, in the order in which it came.

        A text in between says what could not be read.
        """
        reader = Reader()
        for index in self.segments:
            if index.holds(since, until) and (not node or node in index.nodes):
                yield from read(self, index, reader, since, until, node)
        yield from self._unsealed(reader, since, until, node)

    def _unsealed(
        self, reader: Reader, since: int, until: int, node: str
    ) -> Iterator[tuple[bytes, Event] | str]:
        if not self._folder.is_dir():
            return
        sealed = {index.number for index in self.segments}
        for number in numbers(self._folder, "tail"):
            if number in sealed:
                continue
            try:
                raws, is_whole = tail(self._folder, number)
            except OSError as error:
                yield f"the last flows cannot be read: {error.strerror or error}"
                continue
            pairs = ((raw, reader.read(raw)) for raw in raws)
            yield from (pair for pair in pairs if is_within(pair[1], since, until, node))
            if not is_whole:
                yield "the last flow was half-written, as by a crash, and is left out"


def read(
    shelf: _Loads, index: Index, reader: Reader, since: int, until: int, node: str
) -> Iterator[tuple[bytes, Event] | str]:
    """The messages of a segment that lie in a time, or what is wrong with it."""
    try:
        raws = shelf.load(index)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        yield f"segment {index.number} with {index.count} events cannot be read: {why}"
        return
    pairs = ((raw, reader.read(raw)) for raw in raws)
    yield from (pair for pair in pairs if is_within(pair[1], since, until, node))


def is_within(event: Event, since: int, until: int, node: str) -> bool:
    """Whether an event lies in a time and, if one is given, on a node."""
    return since <= event.time <= until and (not node or event.node == node)


def recover(disk: Disk) -> list[tuple[Index, int]]:
    """What lies in a folder that is written again, the oldest first; what was left unsealed is sealed.

    Raises `OSError`. Segments that cannot be read stay where they are, and are not counted.
    """
    past = {
        index.number: (index, size) for _, index, size in indexes(disk.folder) if isinstance(index, Index)
    }
    for number in numbers(disk.folder, "tail"):
        raws, _ = tail(disk.folder, number)
        if raws and number not in past:
            plain = records(raws)
            index = index_of(number, len(plain), Reader().read_all(raws))
            past[number] = index, disk.seal(index, pressed(plain))
        else:
            # Sealed, and the crash came before it could go; or empty.
            (disk.folder / name_of(number, "tail")).unlink(missing_ok=True)
    return [past[number] for number in sorted(past)]

"""Where sealed segments of flows lie: in the journal's folder, or in memory where there is none."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from playbooks.sources.journal.folder import append_plain, open_plain
from playbooks.sources.journal.segments import (
    LARGEST_RECORDS,
    Index,
    file_of,
    messages,
    parted,
    records,
    unpressed,
)

FOLDER = "flows"
"""Name of the folder below the journal's."""

_NAME = re.compile(r"(?P<number>\d{8})\.(?P<kind>segment|tail)")


class Shelf(Protocol):
    """Keeps segments; every call may raise `OSError`, reading `ValueError` too. Used by one thread."""

    limit: int
    """Bytes that all segments may take."""

    def append(self, number: int, raws: list[bytes]) -> None:
        """Keep messages of the segment that is not sealed yet."""

    def seal(self, index: Index, data: bytes) -> int:
        """Keep a whole segment, whose messages may have been appended before; the bytes that it takes."""

    def load(self, index: Index) -> list[bytes]:
        """The messages of a segment."""

    def drop(self, index: Index) -> None:
        """Let go of a segment."""

    def close(self) -> None:
        """Let others write."""


class Memory:
    """Segments in memory: gone with the process."""

    def __init__(self, limit: int) -> None:
        """Empty."""
        self.limit = limit
        self._kept: dict[int, bytes] = {}

    def append(self, number: int, raws: list[bytes]) -> None:
        """Nothing: what is not sealed is in memory anyway."""

    def seal(self, index: Index, data: bytes) -> int:
        """Keep a whole segment."""
        self._kept[index.number] = data
        return len(data)

    def load(self, index: Index) -> list[bytes]:
        """The messages of a segment. Raises `ValueError`."""
        data = self._kept.get(index.number)
        if data is None:
            raise ValueError("it has been dropped")
        return unpressed(index, data)

    def drop(self, index: Index) -> None:
        """Let go of a segment."""
        self._kept.pop(index.number, None)

    def close(self) -> None:
        """Nothing to do."""


class Disk:
    """Segments as files, one each; what is not sealed yet lies in a file of its own, appended to."""

    def __init__(self, folder: Path, limit: int) -> None:
        """Use a journal's folder for this process alone. Raises `OSError`, in use `BlockingIOError`."""
        self.limit = limit
        self.folder = folder / FOLDER
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        self._tail: BinaryIO | None = None
        self._tail_number = 0

    @property
    def highest(self) -> int:
        """The highest number that a segment has, readable or not; 0 when there is none. Raises `OSError`."""
        return max(numbers(self.folder, "segment"), default=0)

    def append(self, number: int, raws: list[bytes]) -> None:
        """Append messages to the file of what is not sealed yet."""
        if self._tail is None or number != self._tail_number:
            self._close_tail()
            self._tail, self._tail_number = append_plain(self.folder, name_of(number, "tail")), number
        _write(self._tail, records(raws))

    def seal(self, index: Index, data: bytes) -> int:
        """Write a segment; only when it is on the disk the file of its single messages goes."""
        name = name_of(index.number, "segment")
        whole = file_of(index, data)
        part = self.folder / f"{name}.part"
        part.unlink(missing_ok=True)
        try:
            with append_plain(self.folder, part.name) as file:
                _write(file, whole)
                os.fsync(file.fileno())
        except OSError:
            part.unlink(missing_ok=True)
            raise
        part.rename(self.folder / name)
        self._close_tail()
        (self.folder / name_of(index.number, "tail")).unlink(missing_ok=True)
        return len(whole)

    def load(self, index: Index) -> list[bytes]:
        """The messages of a segment. Raises `OSError` or `ValueError`."""
        return load(self.folder, index)

    def drop(self, index: Index) -> None:
        """Remove a segment."""
        (self.folder / name_of(index.number, "segment")).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files, which lets others write."""
        self._close_tail()
        os.close(self._lock)

    def _close_tail(self) -> None:
        if self._tail:
            self._tail.close()
            self._tail = None


def name_of(number: int, kind: str) -> str:
    """The name of a segment's file, or of the file of a segment that is not sealed yet."""
    return f"{number:08d}.{kind}"


def numbers(folder: Path, kind: str) -> list[int]:
    """The numbers of the files of a kind, ascending. Raises `OSError`."""
    matches = (_NAME.fullmatch(name) for name in os.listdir(folder))
    return sorted(int(match["number"]) for match in matches if match and match["kind"] == kind)


def indexes(folder: Path) -> Iterator[tuple[int, Index | str, int]]:
    """Number, index or what is wrong with it, and bytes of every segment, oldest first. Raises `OSError`."""
    for number in numbers(folder, "segment"):
        try:
            with open_plain(folder, name_of(number, "segment")) as file:
                index, _ = parted(file.readline(4 * 1024 * 1024))
                size = file.seek(0, os.SEEK_END)
        except (OSError, ValueError) as error:
            yield number, f"segment {number} of flows cannot be read: {error}", 0
            continue
        # The name counts: a file that was copied over another one shall not stand for both.
        is_itself = index.number == number
        yield number, index if is_itself else f"segment {number} of flows says it is {index.number}", size


def load(folder: Path, index: Index) -> list[bytes]:
    """The messages of a segment of a folder. Raises `OSError` or `ValueError`."""
    with open_plain(folder, name_of(index.number, "segment")) as file:
        found, data = parted(file.read(LARGEST_RECORDS))
    if found != index:
        raise ValueError("it has been changed")
    return unpressed(index, data)


def tail(folder: Path, number: int) -> tuple[list[bytes], bool]:
    """The messages of a segment that was not sealed, and whether the last is whole. Raises `OSError`."""
    with open_plain(folder, name_of(number, "tail")) as file:
        return messages(file.read(LARGEST_RECORDS))


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        # An unbuffered write may take a part only: the disk filled up, or a signal came.
        view = view[file.write(view) :]

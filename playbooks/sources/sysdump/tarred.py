"""A tar file, packed or not, as a container: gone through once, then reached by marks left on the way."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.container import TWICE, Index, Member, path_of, twice
from playbooks.sources.sysdump.cursor import (
    GZIP,
    Checked,
    Cursor,
    Handle,
    Inflated,
    read_exactly,
    read_head,
)
from playbooks.sources.sysdump.trouble import CutOff, Damaged

BLOCK = 512
_MARK_EVERY = 8 * limits.MIB
_MARKS = 256
"""Marks kept at most; one of a gzipped archive holds 40 kB."""
_FILE_KINDS = (b"0", b"\0", b"7")
_LONG_NAME, _PAX, _PAX_GLOBAL = b"L", b"x", b"g"
_WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")
_EXTENSION_LIMIT = limits.MIB


@dataclass(frozen=True, slots=True)
class _Place:
    at: int
    size: int
    modified: float


@dataclass(slots=True)
class _Said:
    """What an extension header says of the next file."""

    path: str = ""
    size: int | None = None
    modified: float | None = None


class Tarred:
    """The files of a tar."""

    def __init__(self, cursor: Cursor, handle: Handle | None = None) -> None:
        """Go through the whole archive; `handle` is closed with it. Raises `Damaged`."""
        self.index = Index()
        self.problem = ""
        self._handle = handle
        self._places: list[_Place] = []
        self._marks: list[tuple[int, Cursor]] = []
        self._mark_every = _MARK_EVERY
        try:
            self._go_through(cursor)
        except CutOff as error:
            if not self._places:
                raise
            self.problem = f"it is cut off ({error}): files that came later are missing"

    @classmethod
    def packed(cls, cursor: Cursor, handle: Handle | None = None) -> Tarred:
        """A tar that is gzipped or not, by its first bytes. Raises `Damaged`."""
        if cursor.fork().read(2) == b"\x1f\x8b":
            cursor = Inflated(cursor, GZIP, limits.TARBALL)
        return cls(cursor, handle)

    def member(self, folder: str, name: str) -> Member | None:
        """A file, if it is there. Raises `Damaged`."""
        number = self.index.folders.get(folder, {}).get(name)
        if number is None:
            return None
        path = path_of(folder, name)
        if number == TWICE:
            raise twice(path)
        place = self._places[number]
        return Member(path, place.size, place.modified, place=number)

    def cursor(self, member: Member) -> Cursor:
        """The beginning of a file's content. Raises `Damaged`."""
        place = self._places[member.place]
        mark, cursor = self._marks[bisect_right(self._marks, place.at, key=lambda mark: mark[0]) - 1]
        cursor = cursor.fork()
        cursor.skip(place.at - mark)
        return Checked(cursor, place.size)

    def close(self) -> None:
        """Close the file, unless it is within another archive."""
        if self._handle:
            self._handle.close()

    def _go_through(self, cursor: Cursor) -> None:
        at, said = 0, _Said()
        while True:
            self._leave_mark(at, cursor)
            block = read_head(cursor, BLOCK)
            if not block.strip(b"\0"):
                if len(block) == BLOCK:
                    _verify_rest(cursor)
                    return
                raise CutOff("its end mark is missing")
            if len(block) < BLOCK:
                raise CutOff("it ends within a file's header")
            at += BLOCK
            _check(block)
            kind = block[156:157]
            size = _number(block[124:136]) if said.size is None else said.size
            if not 0 <= size <= limits.TARBALL:
                raise Damaged(f"it announces a file of {size:,} bytes")
            padded = (size + BLOCK - 1) // BLOCK * BLOCK
            if kind in _WITHOUT_CONTENT:
                self.index.left_out += kind != b"5"
                said = _Said()
                continue
            if kind in (_LONG_NAME, _PAX):
                _take_extension(said, kind, _extension(cursor, size, padded))
            else:
                # Only what is there in full becomes a file: a cut one would pass for a short one.
                cursor.skip(padded)
                if kind in _FILE_KINDS:
                    self._add(said.path or _path(block), _Place(at, size, _modified(block, said)))
                elif kind != _PAX_GLOBAL:
                    self.index.left_out += 1
                said = _Said()
            at += padded

    def _add(self, path: str, place: _Place) -> None:
        if not path.endswith("/"):
            self._places.append(place)
            self.index.add(path, len(self._places) - 1)

    def _leave_mark(self, at: int, cursor: Cursor) -> None:
        if self._marks and at - self._marks[-1][0] < self._mark_every:
            return
        self._marks.append((at, cursor.fork()))
        if len(self._marks) > _MARKS:
            self._marks = self._marks[::2]
            self._mark_every *= 2


def is_tar(block: bytes) -> bool:
    """Whether these first bytes begin a tar."""
    try:
        _check(block[:BLOCK])
    except Damaged:
        return False
    return True


def _check(block: bytes) -> None:
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if len(block) < BLOCK or _number(block[148:156]) != total:
        raise Damaged("a file's header in it is broken")


def _number(field: bytes) -> int:
    if field[:1] in (b"\x80", b"\xff"):
        # GNU's binary form; a negative one is no size that anybody meant.
        return -1 if field[0] == 0xFF else int.from_bytes(field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError as error:
        raise Damaged("a file's header in it is broken") from error


def _path(block: bytes) -> str:
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    return (prefix + b"/" + name if prefix else name).decode("utf-8", "replace")


def _modified(block: bytes, said: _Said) -> float:
    return float(_number(block[136:148])) if said.modified is None else said.modified


def _extension(cursor: Cursor, size: int, padded: int) -> bytes:
    if not 0 <= size <= _EXTENSION_LIMIT:
        raise Damaged(f"it announces a file's name of {size:,} bytes")
    return read_exactly(cursor, padded)[:size]


def _take_extension(said: _Said, kind: bytes, data: bytes) -> None:
    if kind == _LONG_NAME:
        said.path = data.split(b"\0", 1)[0].decode("utf-8", "replace")
        return
    while data:
        length = data.partition(b" ")[0]
        if not length.isdigit() or not len(length) + 1 < int(length[:10]) <= len(data):
            raise Damaged("a file's extended header in it is broken")
        key, _, value = data[len(length) + 1 : int(length)].rstrip(b"\n").partition(b"=")
        data = data[int(length) :]
        _take_keyword(said, key, value)


def _take_keyword(said: _Said, key: bytes, value: bytes) -> None:
    try:
        match key:
            case b"path":
                said.path = value.decode("utf-8", "replace")
            case b"size":
                said.size = int(value)
            case b"mtime":
                said.modified = float(value)
    except ValueError as error:
        raise Damaged("a file's extended header in it is broken") from error


def _verify_rest(cursor: Cursor) -> None:
    """Read what follows the end mark: a gzipped archive has its checksum there."""
    while cursor.read(limits.CHUNK):
        pass

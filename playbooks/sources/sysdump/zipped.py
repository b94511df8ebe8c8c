"""A zip file as a container: of its directory only the names are kept.

The standard library makes an object of every entry, which takes seconds and 70 MB for 200 agents, and reads a
directory of any size. Here an entry is decoded when its file is asked for.
"""

from __future__ import annotations

import stat
import struct
from calendar import timegm

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.container import TWICE, Index, Member, path_of, twice
from playbooks.sources.sysdump.cursor import RAW_DEFLATE, Checked, Cursor, Handle, Inflated, Plain
from playbooks.sources.sysdump.trouble import CutOff, Damaged

_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_ENTRY_MARK, _LOCAL_MARK, _END_MARK = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
_END64_MARK, _LOCATOR64_MARK = b"PK\x06\x06", b"PK\x06\x07"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_UNIX = 3
_ZIP64, _TIMES = 0x0001, 0x5455
_USUAL_ENTRY = 1024
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF


class Zipped:
    """The files of a zip."""

    def __init__(self, handle: Handle) -> None:
        """Read its directory. Raises `Damaged`."""
        self._handle = handle
        self._directory, size, self._shift = _directory(handle)
        self.index = _index(handle.read(self._directory, size))
        self.problem = ""

    def member(self, folder: str, name: str) -> Member | None:
        """A file, if it is there. Raises `Damaged`."""
        place = self.index.folders.get(folder, {}).get(name)
        if place is None:
            return None
        path = path_of(folder, name)
        if place == TWICE:
            raise twice(path)
        entry = self._entry(place)
        modified, is_local = entry.modified
        return Member(path, entry.sizes[1], modified, is_local, place)

    def cursor(self, member: Member) -> Cursor:
        """The beginning of a file's content. Raises `Damaged`."""
        entry = self._entry(member.place)
        packed, unpacked, offset = entry.sizes
        if entry.flags & _ENCRYPTED:
            raise Damaged("it is encrypted", "unpack it with its password, and give the folder")
        if unpacked > limits.FILE:
            raise Damaged(
                f"it is announced with {unpacked:,} bytes, more than {limits.FILE // limits.MIB} MiB"
            )
        start = self._content(offset + self._shift)
        if start + packed > self._directory:
            raise CutOff("its content lies beyond the end of the archive")
        inner: Cursor = Plain(self._handle, start, start + packed)
        if entry.method == _DEFLATED:
            inner = Inflated(inner, RAW_DEFLATE, limits.FILE)
        elif entry.method != _STORED:
            remedy = "unpack it, and give the folder"
            raise Damaged(f"it is packed by a method that is not read here ({entry.method})", remedy)
        return Checked(inner, unpacked, entry.crc)

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def _entry(self, place: int) -> _Entry:
        # Read again, since a directory of 200 agents is 20 MB to be kept for a few hundred questions.
        at = self._directory + place
        try:
            entry = _Entry(self._handle.read(at, _USUAL_ENTRY), 0)
            return entry if entry.end <= _USUAL_ENTRY else _Entry(self._handle.read(at, entry.end), 0)
        except struct.error as error:
            raise CutOff("the archive became shorter while it was read") from error

    def _content(self, header: int) -> int:
        data = self._handle.read(header, _LOCAL.size) if header < self._directory else b""
        if len(data) < _LOCAL.size or data[:4] != _LOCAL_MARK:
            raise Damaged("the archive's directory does not fit its content")
        *_, name, extra = _LOCAL.unpack(data)
        return header + _LOCAL.size + int(name) + int(extra)


class _Entry:
    """One line of the directory."""

    def __init__(self, entries: bytes, at: int) -> None:
        fields = _ENTRY.unpack_from(entries, at)
        (_, _, self.system, _, _, self.flags, self.method, self._time, self._date, self.crc) = fields[:10]
        self._packed, self._unpacked, name, extra, comment, _, _, attributes, self._offset = fields[10:]
        self.mode = attributes >> 16
        start = at + _ENTRY.size
        self.raw_name = entries[start : start + name]
        self._extra = entries[start + name : start + name + extra]
        self.end = start + name + extra + comment

    @property
    def path(self) -> str:
        """The name, decoded."""
        return self.raw_name.decode("utf-8" if self.flags & _UTF8 else "cp437", "replace")

    @property
    def is_plain(self) -> bool:
        """Whether it is a file: no folder, link or device."""
        kind = stat.S_IFMT(self.mode) if self.system == _UNIX else 0
        return kind in (0, stat.S_IFREG) and not self.raw_name.endswith(b"/")

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Packed size, unpacked size, place of the header."""
        values = [self._unpacked, self._packed, self._offset]
        more = self._field(_ZIP64)
        at = 0
        for index, value in enumerate(values):
            if value == _MAX32 and len(more) >= at + 8:
                values[index] = int.from_bytes(more[at : at + 8], "little")
                at += 8
        return values[1], values[0], values[2]

    @property
    def modified(self) -> tuple[float, bool]:
        """When it was written, and whether in an unnamed time zone."""
        times = self._field(_TIMES)
        if len(times) >= 5 and times[0] & 1:
            return float(struct.unpack_from("<l", times, 1)[0]), False
        day = (1980 + (self._date >> 9), self._date >> 5 & 15, self._date & 31)
        clock = (self._time >> 11, self._time >> 5 & 63, (self._time & 31) * 2)
        is_known = 1 <= day[1] <= 12 and day[2] >= 1
        return (float(timegm((*day, *clock, 0, 0, 0))), True) if is_known else (0.0, True)

    def _field(self, wanted: int) -> bytes:
        at = 0
        while at + 4 <= len(self._extra):
            kind, size = struct.unpack_from("<2H", self._extra, at)
            if kind == wanted:
                return self._extra[at + 4 : at + 4 + size]
            at += 4 + size
        return b""


def _index(entries: bytes) -> Index:
    index = Index()
    at = 0
    while at < len(entries):
        if entries[at : at + 4] != _ENTRY_MARK or at + _ENTRY.size > len(entries):
            raise Damaged("its directory is broken")
        entry = _Entry(entries, at)
        if entry.is_plain:
            index.add(entry.path, at)
        elif not entry.raw_name.endswith(b"/"):
            index.left_out += 1
        at = entry.end
    return index


def _directory(handle: Handle) -> tuple[int, int, int]:
    """Start and size of the directory, and how many bytes stand before the archive."""
    tail_start = max(0, handle.size - _END.size - _MAX16)
    tail = handle.read(tail_start, handle.size - tail_start)
    at = tail.rfind(_END_MARK)
    while at >= 0 and at + _END.size > len(tail):
        at = tail.rfind(_END_MARK, 0, at)
    if at < 0:
        remedy = "copy it again; what is left of it can be saved with `zip -FF` and unpacked to a folder"
        raise CutOff("it is cut off: the directory at its end is missing", remedy)
    _, disk, first, _, _, size, offset, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if (disk, first) not in ((0, 0), (_MAX16, _MAX16)):
        remedy = "join the parts, or unpack it and give the folder"
        raise Damaged("it is one part of a divided archive", remedy)
    end, size, offset = _directory64(handle, end) or (end, size, offset)
    if size > limits.NAMES:
        remedy = "unpack it, and give the folder without the nodes that do not matter"
        raise Damaged(f"its directory is larger than {limits.NAMES // limits.MIB} MiB", remedy)
    start = end - size
    if start < offset:
        raise Damaged("its directory does not fit into it")
    return start, size, start - offset


def _directory64(handle: Handle, end: int) -> tuple[int, int, int] | None:
    """End, size and offset by the record that large archives have before the last one, if it is there."""
    locator = handle.read(max(0, end - _LOCATOR64.size), _LOCATOR64.size)
    if len(locator) < _LOCATOR64.size or locator[:4] != _LOCATOR64_MARK:
        return None
    place = _LOCATOR64.unpack(locator)[2]
    data = handle.read(place, _END64.size) if place < end else b""
    if len(data) < _END64.size or data[:4] != _END64_MARK:
        raise Damaged("its directory does not fit into it")
    *_, size, offset = _END64.unpack(data)
    return place, int(size), int(offset)

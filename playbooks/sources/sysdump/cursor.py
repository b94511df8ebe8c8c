"""Positions in packed data that can be read on from, and copied to come back to later.

A copy of a decompressor is a place in a compressed stream. So any file of a tar.gz is reached again without
unpacking the archive to the disk and without unpacking it from its beginning.
"""

from __future__ import annotations

import os
import stat
import zlib
from threading import Lock
from typing import Protocol

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.trouble import CutOff, Damaged


class Cursor(Protocol):
    """A place in a stream of bytes."""

    def read(self, size: int) -> bytes:
        """At least one and at most `size` bytes, none at the end. Raises `Damaged`."""

    def skip(self, size: int) -> None:
        """Go on by `size` bytes. Raises `CutOff` when there are fewer."""

    def fork(self) -> Cursor:
        """Another cursor at the same place."""


class Handle:
    """An open file that several threads read at places of their own."""

    def __init__(self, descriptor: int) -> None:
        """Take over a descriptor."""
        self._descriptor = descriptor
        self._lock = Lock()
        status = os.fstat(descriptor)
        self.size = status.st_size
        self.is_plain = stat.S_ISREG(status.st_mode)

    def __del__(self) -> None:
        """Close the file of a cursor that nobody reads any more."""
        self.close()

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at a place. Raises `Damaged`."""
        # The lock keeps the number of a closed descriptor, which may be another file by now, from being read.
        with self._lock:
            if self._descriptor < 0:
                raise Damaged("the archive was closed meanwhile")
            try:
                return os.pread(self._descriptor, size, offset)
            except OSError as error:
                raise Damaged(error.strerror or str(error)) from error

    def close(self) -> None:
        """Close the file; reading fails from now on."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Plain:
    """A stretch of a file."""

    def __init__(self, handle: Handle, start: int, end: int) -> None:
        """From `start` up to, not including, `end`."""
        self._handle, self._at, self._end = handle, start, end

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self._handle.read(self._at, min(size, self._end - self._at))
        if not data and self._at < self._end:
            raise CutOff("the file ends too early")
        self._at += len(data)
        return data

    def skip(self, size: int) -> None:
        """Go on without reading."""
        if size > min(self._end, self._handle.size) - self._at:
            raise CutOff("the file ends too early")
        self._at += size

    def fork(self) -> Plain:
        """Another cursor here."""
        return Plain(self._handle, self._at, self._end)


RAW_DEFLATE = -zlib.MAX_WBITS
GZIP = zlib.MAX_WBITS | 16


class Inflated:
    """What a deflated or gzipped stream unpacks to."""

    def __init__(self, inner: Cursor, wbits: int, limit: int) -> None:
        """Unpack `inner`, at most `limit` bytes; `wbits` is `RAW_DEFLATE` or `GZIP`."""
        self._inner, self._wbits, self._limit = inner, wbits, limit
        self._inflater = zlib.decompressobj(wbits)
        self._pending = b""
        self._taken = self._given = 0
        self._is_over = False

    def read(self, size: int) -> bytes:
        """The next bytes, unpacked."""
        while not self._is_over:
            is_fed = self._feed()
            try:
                data = self._inflater.decompress(self._pending, size)
            except zlib.error as error:
                raise Damaged(f"its packed data is broken ({error})") from error
            self._pending = self._inflater.unconsumed_tail
            if self._inflater.eof:
                self._finish()
            if data:
                self._count(len(data))
                return data
            if not is_fed and not self._is_over:
                raise CutOff("its packed data ends too early")
        return b""

    def skip(self, size: int) -> None:
        """Go on by unpacking."""
        skip_by_reading(self, size)

    def fork(self) -> Inflated:
        """Another cursor here, with a decompressor in the same state."""
        other = Inflated(self._inner.fork(), self._wbits, self._limit)
        other._inflater = self._inflater.copy()
        other._pending, other._taken, other._given = self._pending, self._taken, self._given
        other._is_over = self._is_over
        return other

    def _feed(self) -> bool:
        if not self._pending:
            self._pending = self._inner.read(limits.CHUNK)
            self._taken += len(self._pending)
        return bool(self._pending)

    def _finish(self) -> None:
        rest = self._inflater.unused_data
        # A gzip file may go on with another stream; padding after the last one is no stream.
        if self._wbits == GZIP and not rest:
            rest = self._inner.read(limits.CHUNK)
            self._taken += len(rest)
        if self._wbits == GZIP and rest.startswith(b"\x1f\x8b"):
            self._inflater, self._pending = zlib.decompressobj(self._wbits), rest
        else:
            self._is_over = True

    def _count(self, size: int) -> None:
        self._given += size
        if self._given > self._limit:
            raise Damaged(f"it unpacks to more than {self._limit // limits.MIB} MiB")
        if self._given > max(limits.EXPANSION_FROM, limits.EXPANSION * self._taken):
            raise Damaged(f"it unpacks to more than {limits.EXPANSION} times its size, as a zip bomb does")


class Checked:
    """A stream that must have a certain size and, where it is known, a certain checksum."""

    def __init__(self, inner: Cursor, size: int, crc: int | None = None) -> None:
        """Read `size` bytes of `inner`; `crc` is their CRC-32."""
        self._inner, self._left, self._crc = inner, size, crc
        self._sum = 0

    def read(self, size: int) -> bytes:
        """The next bytes; the last ones only when all are as announced."""
        if not self._left:
            return b""
        data = self._inner.read(min(size, self._left))
        if not data:
            raise CutOff("it is shorter than the archive says")
        self._left -= len(data)
        if self._crc is not None:
            self._sum = zlib.crc32(data, self._sum)
            if not self._left:
                self._verify()
        return data

    def skip(self, size: int) -> None:
        """Go on by reading, so that the checksum stays true."""
        if self._crc is None and size <= self._left:
            self._inner.skip(size)
            self._left -= size
        else:
            skip_by_reading(self, size)

    def fork(self) -> Checked:
        """Another cursor here."""
        other = Checked(self._inner.fork(), self._left, self._crc)
        other._sum = self._sum
        return other

    def _verify(self) -> None:
        if self._sum != self._crc:
            raise Damaged("its checksum is wrong: it was changed or damaged after it was packed")


def skip_by_reading(cursor: Cursor, size: int) -> None:
    """Go on by `size` bytes. Raises `CutOff` when there are fewer."""
    while size:
        data = cursor.read(min(size, limits.CHUNK))
        if not data:
            raise CutOff("it ends too early")
        size -= len(data)


def read_exactly(cursor: Cursor, size: int) -> bytes:
    """The next `size` bytes. Raises `CutOff` when there are fewer."""
    parts: list[bytes] = []
    while size:
        data = cursor.read(size)
        if not data:
            raise CutOff("it ends too early")
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def read_head(cursor: Cursor, size: int) -> bytes:
    """Up to `size` bytes from the beginning on."""
    parts: list[bytes] = []
    while size and (data := cursor.read(size)):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)

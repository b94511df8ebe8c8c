"""Splits a JSON array of objects, or lines, that arrive in chunks into batches that can be decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from playbooks.model.fact import Unreadable

T = TypeVar("T")

BATCH = 128 * 1024
"""Bytes that are decoded at once: what is made of them still fits into the caches of a processor."""
ROW_LIMIT = 8 * 1024 * 1024
"""Bytes that one object may take before the stream is called unreadable."""

_BORDER = re.compile(rb"\}\s*,\s*\{")
_OPEN, _CLOSE = b"[]"
_TRIES = 64
_NEAR = 16 * 1024


@dataclass(slots=True)
class Rows(Generic[T]):
    """Decodes objects of an array as they come, batch by batch.

    A border between objects is a guess (it may lie inside a string or between nested objects), so a batch
    counts only when it decodes; otherwise an earlier border is tried. Raises `Unreadable` with the offset.
    """

    decode: Callable[[bytes | memoryview], list[T]]
    """Decodes a JSON array; must keep nothing of its bytes."""
    offset: int = 0
    """Bytes of the answer that are decoded."""
    _rest: bytearray = field(default_factory=bytearray)
    _is_open: bool = False

    def feed(self, chunk: bytes) -> Iterator[list[T]]:
        """Batches that are complete with this chunk."""
        self._rest += chunk
        if not self._is_open:
            self._open()
        while self._is_open and len(self._rest) >= BATCH:
            batch = self._batch()
            if batch is None:
                if len(self._rest) > ROW_LIMIT:
                    raise Unreadable("an object without an end", self.offset)
                return
            yield batch

    def finish(self) -> list[T]:
        """What is left; an array that never ended is unreadable."""
        if not self._is_open:
            if self._rest.strip() == b"null":
                return []
            raise Unreadable("not a JSON array", 0)
        return self._decoded(bytes(self._rest))

    def _open(self) -> None:
        text = self._rest.lstrip()
        if not text:
            return
        if text.startswith(b"["):
            self.offset = len(self._rest) - len(text)
            self._rest = text
            self._is_open = True
        elif not b"null".startswith(bytes(text[:4])):
            raise Unreadable("not a JSON array", 0)

    def _batch(self) -> list[T] | None:
        for end in self._borders():
            # What stands behind an object, a comma or a space, gives way to the array's end for a moment.
            behind = self._rest[end]
            self._rest[end] = _CLOSE
            try:
                with memoryview(self._rest) as rest:
                    batch = self.decode(rest[: end + 1])
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._rest[end] = behind
                continue
            self._rest[end] = behind
            comma = self._rest.index(b",", end)
            # The comma becomes the beginning of the next array.
            self._rest[comma] = _OPEN
            del self._rest[:comma]
            self.offset += comma
            return batch
        return None

    def _borders(self) -> Iterator[int]:
        """Ends of objects to try, from the last one before a batch is full; few are ever needed."""
        near = [match.start() + 1 for match in _BORDER.finditer(self._rest, BATCH - _NEAR, BATCH)]
        yield from reversed(near[-_TRIES:])
        every = [match.start() + 1 for match in _BORDER.finditer(self._rest)]
        yield from reversed(every[-_TRIES:])

    def _decoded(self, array: bytes) -> list[T]:
        try:
            return self.decode(array)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(str(error), self.offset) from error


LINE_LIMIT = 4096
"""Bytes that one line of a table may take before the stream is called unreadable."""


@dataclass(slots=True)
class Lines:
    """Matches whole lines as they come; blank ones are passed over. Raises `Unreadable`."""

    pattern: re.Pattern[str]
    """Matches one whole line, with `MULTILINE`; never quadratic in more than the length of a line."""
    offset: int = 0
    """Bytes of the answer that are matched."""
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> list[tuple[str, ...]]:
        """The groups of lines that are complete with this chunk."""
        self._rest += chunk
        end = self._rest.rfind(b"\n") + 1
        if not end:
            if len(self._rest) > LINE_LIMIT:
                raise Unreadable("a line without an end", self.offset)
            return []
        text = bytes(self._rest[:end])
        del self._rest[:end]
        return self._matched(text)

    def finish(self, *, is_truncated: bool) -> list[tuple[str, ...]]:
        """What is left: nothing, unless the answer was cut."""
        if self._rest.strip() and not is_truncated:
            raise Unreadable("the answer ends in the middle of a line", self.offset)
        return []

    def _matched(self, data: bytes) -> list[tuple[str, ...]]:
        lines = [line for line in data.split(b"\n") if line.strip()]
        if any(len(line) > LINE_LIMIT for line in lines):
            raise Unreadable("a line without an end", self.offset)
        rows = self.pattern.findall(b"\n".join(lines).decode("utf-8", "replace"))
        if len(rows) != len(lines):
            raise Unreadable("a line is none of the table", self.offset)
        self.offset += len(data)
        return rows

"""A raw answer as rows, decoded only when a row is drawn."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from playbooks.model.text import Text, decoded

ROW_BYTES = 1000
"""Bytes after which a row is broken: some answers are one line of megabytes."""
LAID_OUT = 8 * 1024 * 1024
"""Bytes up to which JSON is laid out for reading."""
_JSON = re.compile(rb"\s*[{\[]")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of an answer."""

    body: bytes
    """The answer as it came: what is copied."""
    text: bytes
    """What the rows are cut from: the answer, or its JSON laid out."""
    starts: Sequence[int]
    """Where each row begins, and the end."""
    width: int
    """Bytes of the longest row."""
    is_laid_out: bool = False
    """Whether JSON was laid out for reading."""

    @classmethod
    def of(cls, body: bytes) -> Sheet:
        """The rows of an answer; JSON that came in one piece is laid out."""
        text = _laid_out(body)
        starts = _starts(text)
        width = max((after - before for before, after in pairwise(starts)), default=0)
        return cls(body, text, starts, width, text is not body)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.starts) - 1

    def row(self, index: int) -> str:
        """A row, harmless."""
        raw = self.text[self.starts[index] : self.starts[index + 1]].rstrip(b"\r\n")
        return Text(decoded(raw).expandtabs(8)).shown

    def matching(self, wanted: str) -> Sequence[int]:
        """The rows that hold a text, upper and lower case being the same."""
        text, sought = self.text.lower(), wanted.lower().encode()
        found = array("Q")
        offset = text.find(sought) if sought else -1
        while offset >= 0:
            index = self._row_at(offset)
            found.append(index)
            offset = text.find(sought, self.starts[index + 1])
        return found

    def rows_of(self, excerpt: str) -> range:
        """The rows that an excerpt of this answer covers; empty when it is not in there word for word."""
        wanted = excerpt.strip().encode()
        offset = self.text.find(wanted) if wanted else -1
        if offset < 0 and wanted:
            offset = self.text.find(wanted := wanted.split(b"\n", 1)[0].strip())
        if offset < 0 or not wanted:
            return range(0)
        return range(self._row_at(offset), self._row_at(offset + len(wanted) - 1) + 1)

    def _row_at(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1


def _laid_out(body: bytes) -> bytes:
    if len(body) > LAID_OUT or not _JSON.match(body):
        return body
    first, *rest = [line for line in body.split(b"\n") if line.strip()] or [b""]
    # Objects come as one document a line; JSON that was printed for reading is left as it is.
    if rest and not all(line.lstrip().startswith((b"{", b"[")) for line in rest):
        return body
    try:
        return b"\n".join(msgspec.json.format(line, indent=2) for line in (first, *rest))
    except (msgspec.DecodeError, RecursionError):
        return body


def _starts(text: bytes) -> Sequence[int]:
    starts = array("Q", [0])
    begin, end = 0, len(text)
    find = text.find
    while begin < end:
        stop = find(b"\n", begin, begin + ROW_BYTES) + 1
        if not stop:
            stop = _character_start(text, begin + ROW_BYTES) if begin + ROW_BYTES < end else end
        starts.append(stop)
        begin = stop
    return starts


def _character_start(text: bytes, offset: int) -> int:
    """The offset itself, or where the UTF-8 character begins that lies across it."""
    for back in range(4):
        if text[offset - back] & 0xC0 != 0x80:
            return offset - back
    return offset

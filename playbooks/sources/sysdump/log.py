"""The end of a container's log, without the time that the kubelet puts before each line."""

from __future__ import annotations

import re
from calendar import timegm
from collections import deque
from dataclasses import dataclass
from time import strptime

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.cursor import Cursor

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) ")


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines of a log."""

    text: bytes
    """The lines, as the container wrote them."""
    is_cut: bool
    """Whether lines that were asked for are missing."""


def tail_of(cursor: Cursor, lines: int, younger_than: float = 0.0) -> Tail:
    """The last `lines` lines, all when negative, from a time (seconds since 1970) on. Raises `Damaged`."""
    kept, is_cut = _last(cursor, lines)
    # The collector cuts a log that is too long at its end, which is the end that matters.
    is_cut = is_cut or (bool(kept) and not kept.endswith(b"\n"))
    found = kept.split(b"\n")
    rest = found.pop()
    if rest:
        found.append(rest)
    if lines >= 0:
        found = found[max(0, len(found) - lines) :]
    shown = [_without_stamp(line) for line in found if not _is_older(line, younger_than)]
    return Tail(b"".join(line + b"\n" for line in shown), is_cut)


def _last(cursor: Cursor, lines: int) -> tuple[bytes, bool]:
    """The last chunks that hold this many lines, and whether they are too many to be kept."""
    chunks: deque[tuple[bytes, int]] = deque()
    size = count = 0
    is_cut = False
    while data := cursor.read(limits.CHUNK):
        chunks.append((data, data.count(b"\n")))
        size, count = size + len(data), count + chunks[-1][1]
        # One line more than asked for: the first one kept may have begun earlier.
        while chunks and 0 <= lines < count - chunks[0][1]:
            dropped, breaks = chunks.popleft()
            size, count = size - len(dropped), count - breaks
        while size > limits.LOG_TAIL:
            dropped, breaks = chunks.popleft()
            size, count, is_cut = size - len(dropped), count - breaks, True
    text = b"".join(chunk for chunk, _ in chunks)
    return (text.partition(b"\n")[2] if is_cut else text), is_cut


def _without_stamp(line: bytes) -> bytes:
    match = _STAMP.match(line)
    return line[match.end() :] if match else line


def _is_older(line: bytes, time: float) -> bool:
    if not time or not (match := _STAMP.match(line)):
        return False
    return timegm(strptime(match[1].decode(), "%Y-%m-%dT%H:%M:%S")) < time

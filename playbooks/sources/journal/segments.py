"""Segments of flows: some thousand raw messages, compressed, with a small index before them."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from struct import Struct

import msgspec

from playbooks.model.hubble.seen import Event, Lost, Seen

SCHEMA = 1
"""Version of the shape; a reader skips any other."""

MESSAGES = 4096
"""Messages in a full segment."""

FULL = 16 * 1024 * 1024
"""Bytes of messages at which a segment is full too."""

LARGEST = 32 * 1024 * 1024
"""Bytes of one message that is kept."""

LARGEST_RECORDS = FULL + LARGEST + 4 * (MESSAGES + 1)
"""Bytes that the records of a segment take at most."""

_LENGTH = Struct(">I")
_HEADER_LIMIT = 4 * 1024 * 1024


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a segment, so that it need not be opened to know that it holds nothing of interest."""

    schema: int = SCHEMA
    """See `SCHEMA`."""
    number: int
    """Its place among the segments, from 1."""
    count: int
    """Messages in it."""
    size: int
    """Bytes of its records before they are compressed."""
    first: int
    """Nanoseconds since 1970 of its oldest event; 0 when none has a time."""
    last: int
    """Nanoseconds since 1970 of its youngest event; 0 when none has a time."""
    nodes: dict[str, int]
    """Events by node."""
    verdicts: dict[int, int]
    """Flows by verdict, as on the wire."""
    lost: int
    """Events that its messages say were lost before they could be told."""
    dropped: int = 0
    """Events of older segments that had been dropped when it was written."""
    dropped_until: int = 0
    """Nanoseconds since 1970 of the youngest of these."""

    def holds(self, since: int, until: int) -> bool:
        """Whether an event of it may lie between two times, in nanoseconds since 1970."""
        return self.first <= until and self.last >= since


def index_of(
    number: int, size: int, events: Sequence[Event], dropped: int = 0, dropped_until: int = 0
) -> Index:
    """The index of events whose records take `size` bytes."""
    times = [event.time for event in events if event.time]
    return Index(
        number=number,
        count=len(events),
        size=size,
        first=min(times, default=0),
        last=max(times, default=0),
        nodes=dict(Counter(event.node for event in events)),
        verdicts=dict(Counter(event.verdict for event in events if isinstance(event, Seen))),
        lost=sum(event.count for event in events if isinstance(event, Lost)),
        dropped=dropped,
        dropped_until=dropped_until,
    )


def records(raws: Iterable[bytes]) -> bytes:
    """Messages one behind the other, each after its length."""
    pack = _LENGTH.pack
    return b"".join(part for raw in raws for part in (pack(len(raw)), raw))


def messages(data: bytes) -> tuple[list[bytes], bool]:
    """The messages in records, and whether the last one is whole; a half-written one is left out."""
    found: list[bytes] = []
    at, end, unpack = 0, len(data), _LENGTH.unpack_from
    while at + 4 <= end:
        (length,) = unpack(data, at)
        if at + 4 + length > end:
            return found, False
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found, at == end


def pressed(data: bytes) -> bytes:
    """Records compressed as fast as possible; lets other threads run meanwhile."""
    return zlib.compress(data, 1)


def file_of(index: Index, data: bytes) -> bytes:
    """A segment as a file: the index on one line, compressed records after it."""
    return msgspec.json.encode(index) + b"\n" + data


def parted(data: bytes) -> tuple[Index, bytes]:
    """A file into its index and compressed records. Raises `ValueError`."""
    line, found, rest = data.partition(b"\n")
    if not found or len(line) > _HEADER_LIMIT:
        raise ValueError("it has no index")
    try:
        index = msgspec.json.decode(line, type=Index)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"its index is broken ({error})") from error
    if index.schema != SCHEMA:
        raise ValueError(f"it is of schema {index.schema}, this version reads {SCHEMA}")
    return index, rest


def unpressed(index: Index, data: bytes) -> list[bytes]:
    """The messages of a segment. Raises `ValueError` when it is not what its index says."""
    if not 0 <= index.size <= LARGEST_RECORDS:
        raise ValueError("its index states an impossible size")
    inflate = zlib.decompressobj()
    try:
        # One byte more than promised is asked for, so that a bomb shows itself.
        plain = inflate.decompress(data, index.size + 1)
    except zlib.error as error:
        raise ValueError(f"it is damaged ({error})") from error
    if len(plain) != index.size or not inflate.eof:
        raise ValueError("it is not what its index says")
    found, is_whole = messages(plain)
    if not is_whole or len(found) != index.count:
        raise ValueError("it is not what its index says")
    return found

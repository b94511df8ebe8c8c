"""Kept answers: compressed on the way in, decompressed in pieces and never beyond what was promised."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.journal.record import BODY_LIMIT, Body

PIECE = 256 * 1024
"""Bytes that are decompressed at a time."""


class Pressing:
    """Compresses one answer as it comes, and knows its hash; only compressed bytes are held."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.size = 0
        self._hash = hashlib.sha256()
        self._press = zlib.compressobj(6)
        self._pieces: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        """Take a chunk; beyond the limit it is only counted."""
        self.size += len(chunk)
        if self.is_too_large:
            self._pieces.clear()
            return
        self._hash.update(chunk)
        self._pieces.append(self._press.compress(chunk))

    @property
    def is_too_large(self) -> bool:
        """Whether the answer will not be kept."""
        return self.size > BODY_LIMIT

    def finish(self) -> tuple[str, bytes]:
        """The hash in hex, and the compressed answer."""
        self._pieces.append(self._press.flush())
        return self._hash.hexdigest(), b"".join(self._pieces)


def pieces(file: BinaryIO, body: Body) -> Iterator[bytes | Gap]:
    """An answer in pieces; ends with a gap when what is stored is not what was recorded."""
    if not (0 <= body.size <= BODY_LIMIT and body.stored >= 0 and 0 <= body.offset < 1 << 62):
        yield _broken("its record states an impossible size")
        return
    digest, size, inflate, left = hashlib.sha256(), 0, zlib.decompressobj(), body.stored
    position = body.offset
    while not inflate.eof:
        file.seek(position)
        raw = inflate.unconsumed_tail or file.read(min(PIECE, left))
        if not inflate.unconsumed_tail:
            left -= len(raw)
            position += len(raw)
        try:
            # One byte more than promised is asked for, so that a bomb shows itself.
            piece = inflate.decompress(raw, min(PIECE, body.size - size + 1))
        except zlib.error as error:
            yield _broken(str(error))
            return
        if not raw and not piece and not inflate.eof:
            yield _broken("its end is missing")
            return
        size += len(piece)
        if size > body.size:
            yield _broken("it is larger than its record says")
            return
        digest.update(piece)
        if piece:
            yield piece
    if size != body.size or digest.hexdigest() != body.hash:
        yield _broken("it is not what its hash says")


def paged(stream: Iterator[bytes | Gap], pages: tuple[int, ...]) -> Iterator[bytes | Gap]:
    """The same bytes in the chunks in which they once came."""
    held = bytearray()
    lengths = iter(pages)
    wanted = next(lengths, 0)
    for piece in stream:
        if isinstance(piece, Gap):
            yield piece
            return
        held += piece
        while wanted > 0 and len(held) >= wanted:
            yield bytes(held[:wanted])
            del held[:wanted]
            wanted = next(lengths, 0)
    if held:
        yield bytes(held)


def _broken(why: str) -> Gap:
    return Gap(
        GapKind.UNREADABLE,
        f"the kept answer is damaged: {why}",
        remedy="use another recording; this part of it cannot be restored",
    )

"""Headers of HTTP/2 as far as a gRPC stream needs them: decoding (RFC 7541), and plain literals."""

from __future__ import annotations

from functools import cache
from itertools import accumulate

_LENGTHS = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c"
    "060a0a0c0d06080b0a0a080b080606060505050606060606060607080f060c0a"
    "0d06070707070707070707070707070707070707070707070807080d130d0e06"
    "0f05060506050606060507070606060506070605050607070707070f0b0e0d1c"
    "1416141416161617161717171717181718181617181717171715161716171718"
    "1615141616171715171616181516171715151615171617171416161617161617"
    "1a1a1413161716191a1a1a1b1b1a181913151a1b1b1a1b1815151a1a1c1b1b1b"
    "14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c1b1b1b1b1b1a"
)
"""How many bits each byte takes; from these follow the codes, shorter ones and smaller bytes first."""
_STATIC = 61
"""Entries that both sides know; of their names only one is of interest."""
_STATUS = range(8, 15)
_STATUSES = (b"200", b"204", b"206", b"304", b"400", b"404", b"500")
_ENTRY = 32
_TABLE = 4096


class Unreadable(Exception):
    """Bytes that are no headers."""


@cache
def _codes() -> dict[tuple[int, int], int]:
    """Bytes by length and value of their code."""
    found: dict[tuple[int, int], int] = {}
    code = last = 0
    for length, byte in sorted((length, byte) for byte, length in enumerate(_LENGTHS)):
        code <<= length - last
        found[length, code] = byte
        code, last = code + 1, length
    return found


def unpacked(data: bytes) -> bytes:
    """Text behind its Huffman code. Raises `Unreadable`."""
    codes, found, value, length = _codes(), bytearray(), 0, 0
    for byte in data:
        for place in range(7, -1, -1):
            value, length = value << 1 | byte >> place & 1, length + 1
            if (known := codes.get((length, value))) is not None:
                found.append(known)
                value = length = 0
        if length > 30:
            raise Unreadable("a code that no byte has")
    if length > 7 or value != (1 << length) - 1:
        raise Unreadable("a code that is cut")
    return bytes(found)


class Headers:
    """Decodes the header blocks of one connection."""

    def __init__(self) -> None:
        """Nothing is remembered yet."""
        self._table: list[tuple[bytes, bytes]] = []
        self._limit = _TABLE

    def decode(self, block: bytes) -> dict[bytes, bytes]:
        """Names and values; the last of equal names. Raises `Unreadable`."""
        found: dict[bytes, bytes] = {}
        place = 0
        try:
            while place < len(block):
                first = block[place]
                if first & 0x80:
                    number, place = _integer(block, place, 7)
                    name, value = self._entry(number)
                elif first & 0x40:
                    name, value, place = self._literal(block, place, 6)
                    self._table.insert(0, (name, value))
                    self._evict()
                elif first & 0x20:
                    self._limit, place = _integer(block, place, 5)
                    self._evict()
                    continue
                else:
                    name, value, place = self._literal(block, place, 4)
                found[name] = value
        except IndexError as error:
            raise Unreadable("headers that are cut") from error
        return found

    def _entry(self, number: int) -> tuple[bytes, bytes]:
        if number in _STATUS:
            return b":status", _STATUSES[number - _STATUS.start]
        if number <= _STATIC:
            return b"#%d" % number, b""
        return self._table[number - _STATIC - 1]

    def _literal(self, block: bytes, place: int, bits: int) -> tuple[bytes, bytes, int]:
        number, place = _integer(block, place, bits)
        if number:
            name = self._entry(number)[0]
        else:
            name, place = _text(block, place)
        value, place = _text(block, place)
        return name, value, place

    def _evict(self) -> None:
        sizes = accumulate(len(name) + len(value) + _ENTRY for name, value in self._table)
        del self._table[sum(size <= self._limit for size in sizes) :]


def _integer(block: bytes, place: int, bits: int) -> tuple[int, int]:
    limit = (1 << bits) - 1
    number = block[place] & limit
    place += 1
    if number < limit:
        return number, place
    for shift in range(0, 28, 7):
        byte = block[place]
        place += 1
        number += (byte & 127) << shift
        if byte < 128:
            return number, place
    raise Unreadable("a number that is too large")


def _text(block: bytes, place: int) -> tuple[bytes, int]:
    is_packed = block[place] & 0x80
    length, place = _integer(block, place, 7)
    text = block[place : place + length]
    if len(text) < length:
        raise Unreadable("headers that are cut")
    return unpacked(text) if is_packed else text, place + length


def literal(name: bytes, value: bytes) -> bytes:
    """A header that is not to be remembered."""
    return b"\x00" + _counted(name) + _counted(value)


def _counted(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes((len(text),)) + text
    rest = len(text) - 127
    found = bytearray((127,))
    while rest > 127:
        found.append(rest & 127 | 128)
        rest >>= 7
    return bytes(found) + bytes((rest,)) + text

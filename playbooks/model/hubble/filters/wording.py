"""Words of the hubble command: how it quotes what was typed, and what it says of numbers and truth values."""

from __future__ import annotations

from dataclasses import dataclass

_NAMED = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_BASES = {"0x": 16, "0b": 2, "0o": 8}


class WrongValue(ValueError):
    """A value that a flag does not take; the text is the hubble command's kind of message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the arguments are not obeyed, as the hubble command would put it."""

    message: str
    """One or more lines for standard error, without the last line feed."""
    exit: int = 1
    """The exit code."""


def quoted(text: str, mark: str = '"') -> str:
    """A text between marks, everything that is not plain written out."""
    return mark + "".join(_escaped(character, mark) for character in text) + mark


def _escaped(character: str, mark: str) -> str:
    if character == mark:
        return "\\" + mark
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def truth(text: str) -> bool:
    """A truth value; anything else is refused."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise WrongValue(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")


def unsigned(text: str, bits: int, base: int = 10) -> int:
    """A whole number that fits so many bits; base 0 takes the prefixes 0x, 0o and 0b."""
    number = _number(text) if base == 0 else _digits(text, base)
    if number is None:
        raise WrongValue(f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax")
    if number >= 1 << bits:
        raise WrongValue(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return number


def _number(text: str) -> int | None:
    lower = text.lower()
    base = _BASES.get(lower[:2])
    digits = lower[2:] if base else lower[1:] if lower.startswith("0") and len(lower) > 1 else lower
    base = base or (8 if lower.startswith("0") and len(lower) > 1 else 10)
    if "__" in digits or digits.endswith("_") or (digits.startswith("_") and digits == lower):
        return None
    return _digits(digits.replace("_", ""), base)


def _digits(text: str, base: int) -> int | None:
    known = "0123456789abcdef"[:base]
    lower = text.lower()
    if not lower or not lower.isascii() or any(digit not in known for digit in lower):
        return None
    # Python refuses to convert thousands of digits; whoever types them is out of any range.
    return int(lower[:400], base)

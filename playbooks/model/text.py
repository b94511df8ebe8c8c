"""Text from a cluster: hostile until shown."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# Cf holds bidi overrides and zero-width characters; Cs lone surrogates; Co private use; Cn unassigned; Zs
# blanks of all widths, which look like the one blank that separates words and are none.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\x1b": "\\e", "\x00": "\\0", "\x07": "\\a", "\x08": "\\b"}


def _is_safe(character: str) -> bool:
    return character == " " or unicodedata.category(character) not in _UNSAFE_CATEGORIES


def _visible(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if _is_safe(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """A string as the cluster gave it, with one harmless way to a screen or a report.

    `raw` is kept for filters, JSON and commands; `shown` makes control bytes, escape sequences, bidi and
    zero-width characters visible. Markup is not escaped: whoever draws `shown` draws plain text.
    """

    raw: str

    @property
    def shown(self) -> str:
        """The text on one line, every unsafe character written out."""
        raw = self.raw
        if raw.isascii() and raw.isprintable():
            return raw
        return "".join(map(_visible, raw))

    @property
    def lines(self) -> tuple[str, ...]:
        """The text split at line feeds, each line made harmless, tabs widened to blanks."""
        return tuple(Text(line.expandtabs(8)).shown for line in self.raw.split("\n"))

    @property
    def is_safe_to_run(self) -> bool:
        """Whether a command made of this text may be offered for copying: it holds no hidden character."""
        return all(character == "\n" or _is_safe(character) for character in self.raw)

    def __str__(self) -> str:
        """The shown form, so that a text put into a string by mistake is harmless too."""
        return self.shown


def decoded(data: bytes) -> str:
    """Bytes as text; what is not UTF-8 becomes the replacement character, never an error."""
    return data.decode("utf-8", errors="replace")

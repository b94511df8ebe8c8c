"""Colours, and what keeps others from sending theirs: escaping for a pipe and for a terminal."""

from __future__ import annotations

import re

from playbooks.model.text import Text

_RED, _GREEN, _YELLOW, _MAGENTA, _CYAN = 31, 32, 33, 35, 36
_OURS = "|".join(rf"\x1b\[{code}m" for code in (0, 31, 32, 33, 34, 35, 36))
_UNSAFE = re.compile(rf"({_OURS})|(\x1b)|\r")


class Marking:
    """Colours the parts of a line and escapes it, as asked for."""

    def __init__(self, *, is_colored: bool, is_terminal: bool) -> None:
        self.is_colored = is_colored
        self.is_terminal = is_terminal

    def part(self, text: str) -> str:
        """A string of a flow. For a terminal everything that cannot be seen is made visible already here."""
        return Text(text).shown if self.is_terminal else text

    def line(self, text: str) -> str:
        """Whole output, escaped as the hubble command does: what looks like a colour of ours may pass."""
        if "\x1b" not in text and "\r" not in text:
            return text
        if not self.is_colored:
            return text.replace("\x1b", "^[").replace("\r", "\\r")
        return _UNSAFE.sub(lambda match: match[1] or ("^[" if match[2] else "\\r"), text)

    def host(self, text: str) -> str:
        """A name or address."""
        return self._colored(text, _CYAN)

    def port(self, text: str) -> str:
        """A port."""
        return self._colored(text, _YELLOW)

    def identity(self, text: str) -> str:
        """An identity in brackets."""
        return self._colored(text, _MAGENTA)

    def verdict(self, text: str, verdict: str) -> str:
        """What is told of a verdict."""
        color = _VERDICTS.get(verdict)
        return self._colored(text, color) if color else text

    def auth(self, text: str, *, always_fails: bool) -> str:
        """The kind of authentication."""
        return self._colored(text, _RED if always_fails else _GREEN)

    def _colored(self, text: str, color: int) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self.is_colored else text


_VERDICTS = {
    "FORWARDED": _GREEN,
    "REDIRECTED": _GREEN,
    "DROPPED": _RED,
    "ERROR": _RED,
    "AUDIT": _YELLOW,
    "TRACED": _YELLOW,
    "TRANSLATED": _YELLOW,
}

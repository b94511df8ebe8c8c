"""The marks by which a verdict is known at a glance, with twins for terminals that have only ASCII."""

from __future__ import annotations

from enum import StrEnum

from playbooks.model.finding import Severity


class Mark(StrEnum):
    """A verdict on a finding, a rule or a playbook; the value is its word."""

    ERROR = "ERROR"
    WARN = "WARN"
    INFO = "INFO"
    OK = "ok"
    NOT_CHECKED = "not checked"
    NOT_APPLICABLE = "not applicable"
    TOO_SLOW = "too slow"
    CRASHED = "crashed"
    RUNNING = "running"

    @property
    def glyph(self) -> str:
        """One character."""
        return _GLYPHS[self][0]

    @property
    def ascii_glyph(self) -> str:
        """One ASCII character."""
        return _GLYPHS[self][1]

    def shown(self, *, is_ascii: bool = False) -> str:
        """Glyph and word."""
        return f"{self.ascii_glyph if is_ascii else self.glyph} {self.value}"

    @classmethod
    def of(cls, severity: Severity) -> Mark:
        """The mark of a finding."""
        return cls(severity.name)


_GLYPHS = {
    Mark.ERROR: ("✗", "x"),
    Mark.WARN: ("!", "!"),
    Mark.INFO: ("•", "*"),
    Mark.OK: ("✓", "+"),
    Mark.NOT_CHECKED: ("?", "?"),
    Mark.NOT_APPLICABLE: ("-", "-"),
    Mark.TOO_SLOW: ("~", "~"),
    Mark.CRASHED: ("#", "#"),
    Mark.RUNNING: ("…", ":"),
}

_PLAIN = str.maketrans({"…": "...", "·": "|", "—": "-", "–": "-", "→": "->", "•": "*", "✓": "+", "✗": "x"})


def plain(text: str) -> str:
    """Text in ASCII: our own signs by their twins, everything else written out."""
    return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")

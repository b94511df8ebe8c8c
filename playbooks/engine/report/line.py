"""One line of a report for people: plain text, and what it is, so that a terminal can colour it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from playbooks.engine.report.marks import Mark


class Tone(StrEnum):
    """What a line is."""

    PLAIN = "plain"
    TITLE = "title"
    ERROR = "error"
    WARN = "warn"
    INFO = "info"
    OK = "ok"
    UNSEEN = "unseen"
    COMMAND = "command"
    PROOF = "proof"
    QUIET = "quiet"

    @classmethod
    def of(cls, mark: Mark) -> Tone:
        """The tone of a verdict."""
        return _TONES[mark]


_TONES = {
    Mark.ERROR: Tone.ERROR,
    Mark.WARN: Tone.WARN,
    Mark.INFO: Tone.INFO,
    Mark.OK: Tone.OK,
    Mark.NOT_CHECKED: Tone.UNSEEN,
    Mark.NOT_APPLICABLE: Tone.QUIET,
    Mark.TOO_SLOW: Tone.UNSEEN,
    Mark.CRASHED: Tone.UNSEEN,
    Mark.RUNNING: Tone.QUIET,
}


@dataclass(frozen=True, slots=True)
class Line:
    """Plain text, harmless on any terminal, and its tone."""

    text: str = ""
    """Without a line feed."""
    tone: Tone = Tone.PLAIN
    """What it is."""

    def indented(self, by: int) -> Line:
        """The same line further right."""
        return Line(" " * by + self.text if self.text else "", self.tone)

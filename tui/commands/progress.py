"""One line on standard error that says how far it is, where there is a person to read it."""

from __future__ import annotations

import shutil
import sys

from playbooks.engine.report import Mark, verdicts
from playbooks.engine.report.marks import plain
from playbooks.engine.snapshot import Snapshot
from tui.commands.terminal import is_ascii, is_dumb

_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Rewrites itself in place and leaves nothing behind."""

    def __init__(self, *, is_quiet: bool) -> None:
        """Silent when told so, and without a terminal."""
        self._is_on = not is_quiet and sys.stderr.isatty() and not is_dumb()
        self._last = ""

    def show(self, snapshot: Snapshot) -> None:
        """Say how far a run is."""
        counts = snapshot.progress
        text = f"asked {counts.answered + counts.failed}/{counts.asked}"
        if counts.failed:
            text += f", {counts.failed} without an answer"
        for one in verdicts(snapshot):
            if one.mark is not Mark.RUNNING:
                text += f" · {one.playbook}: {one.sentence}"
        self.say(f"{text} (ctrl+c stops)")

    def say(self, text: str) -> None:
        """Say anything short."""
        if not self._is_on or text == self._last:
            return
        self._last = text
        room = shutil.get_terminal_size().columns - 1
        shown = (plain(text) if is_ascii(sys.stderr) else text)[:room]
        sys.stderr.write(f"{_CLEAR}{shown}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Leave nothing behind."""
        if self._is_on and self._last:
            self._last = ""
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

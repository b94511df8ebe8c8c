"""Copies: to the terminal's clipboard and to a file, for nobody can know whether the first one arrived."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CLIPBOARD_LIMIT = 74_000
"""Bytes beyond which terminals drop an OSC 52 sequence; the file takes everything."""


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies text and says where it went."""

    send: Callable[[str], None]
    """Sends text to the terminal's clipboard (OSC 52)."""
    folder: Path | None = None
    """Where the file goes; the person's state folder when missing."""

    def copy(self, name: str, text: str) -> str:
        """Copy; the sentence that says where to."""
        is_short = len(text.encode("utf-8", "replace")) <= CLIPBOARD_LIMIT
        if is_short:
            self.send(text)
        clipboard = "by OSC 52" if is_short else "not by OSC 52 (too long)"
        try:
            file = f"to {_short(self._write(text))}"
        except OSError as error:
            file = f"to no file ({error})"
        return f"Copied {clipboard} and {file}: {name}"

    def _write(self, text: str) -> Path:
        path = (self.folder or state_folder()) / "copied.txt"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        import tempfile

        # Written beside and moved: nobody reads half of it, and a link left there by another is not followed.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".copied-")
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        Path(temporary).replace(path)
        return path


def _short(path: Path) -> str:
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)


def state_folder() -> Path:
    """Where this program keeps what belongs to a person."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "honeyguide"

"""What the terminal can do: ask before drawing."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def is_ascii(stream: TextIO) -> bool:
    """Whether our signs would come out as rubbish."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
    return not encoding.startswith("utf")


def is_dumb() -> bool:
    """Whether the terminal cannot move its cursor."""
    return os.environ.get("TERM", "") in ("", "dumb")


def is_interactive() -> bool:
    """Whether a console can be drawn and typed into; Textual draws on standard error."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return not is_dumb() and all(stream is not None and stream.isatty() for stream in streams)

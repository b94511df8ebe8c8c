"""Writes to standard output, which may be full or which nobody may read any more."""

from __future__ import annotations

import os
import sys

from tui.commands.trouble import BROKEN, Trouble


def write(text: str) -> None:
    """Write to standard output now; when nobody reads any more, silently do without.

    Raises `Trouble` when it cannot be written, as on a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        deafen()
    except OSError as error:
        raise unwritable(error) from None


def write_bytes(data: bytes) -> None:
    """Write to standard output now, whatever its encoding is.

    Raises `BrokenPipeError` when nobody reads any more, `Trouble` when it cannot be written.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error) from None


def unwritable(error: OSError) -> Trouble:
    """The trouble that a full disk is; everything that is still written goes nowhere."""
    deafen()
    what = f"standard output cannot be written: {error.strerror}"
    return Trouble(what, "", "make room there, or write it elsewhere", BROKEN)


def deafen() -> None:
    """Have everything that is still written go nowhere: without it the interpreter complains when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

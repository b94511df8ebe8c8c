"""What ends a command early: what happened, where, what to do, and the exit code."""

from __future__ import annotations

import sys

from playbooks.model.text import Text

USAGE = 2
CANNOT_CONNECT = 3
BROKEN = 70


class Trouble(Exception):
    """An error for the person who typed the command."""

    def __init__(self, what: str, where: str = "", remedy: str = "", exit: int = USAGE) -> None:
        """One sentence each; they may hold anything that a cluster or file said."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.exit = exit


def told(trouble: Trouble) -> int:
    """Say it on standard error, in one block; the exit code."""
    lines = [f"honeyguide: {trouble.what}"]
    if trouble.where:
        lines.append(f"  where: {trouble.where}")
    if trouble.remedy:
        lines.append(f"  to do: {trouble.remedy}")
    sys.stderr.write("".join(f"{shown}\n" for line in lines for shown in Text(line).lines))
    return trouble.exit


def broken() -> int:
    """Say on standard error that honeyguide itself is at fault, with the traceback; the exit code."""
    import traceback

    shown = "".join(f"{line}\n" for line in Text(traceback.format_exc().rstrip()).lines)
    sys.stderr.write(f"{shown}honeyguide: this is an error in honeyguide itself, not in the cluster\n")
    sys.stderr.write("  to do: please report it, with the lines above\n")
    return BROKEN

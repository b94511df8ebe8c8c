"""Puts a report on standard output: coloured by meaning on a terminal, plain everywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from playbooks.engine.report import Exit, Line, Tone, as_json, as_lines, as_markdown
from playbooks.engine.report.marks import plain
from playbooks.engine.snapshot import Snapshot
from tui.commands.terminal import is_ascii, is_dumb
from tui.commands.writing import deafen, write

__all__ = ["deafen", "print_lines", "print_report", "write"]

_STYLES = {
    Tone.PLAIN: "",
    Tone.TITLE: "bold",
    Tone.ERROR: "bold red",
    Tone.WARN: "yellow",
    Tone.INFO: "cyan",
    Tone.OK: "green",
    Tone.UNSEEN: "magenta",
    Tone.COMMAND: "cyan",
    Tone.PROOF: "",
    Tone.QUIET: "dim",
}


def print_report(snapshot: Snapshot, exit: Exit, format: str) -> None:
    """Print a run as text, markdown or json."""
    ascii_only = is_ascii(sys.stdout)
    if format == "json":
        write(as_json(snapshot, exit))
    elif format == "markdown":
        text = as_markdown(snapshot, exit)
        write("".join(f"{plain(line)}\n" for line in text.splitlines()) if ascii_only else text)
    else:
        print_lines(as_lines(snapshot, exit, is_ascii=ascii_only))


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines, with colour where there is a terminal that wants it."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or is_dumb():
        write("".join(f"{line.text}\n" for line in lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    for line in lines:
        # Wrapping is the terminal's work: a command that we broke could not be copied.
        console.print(Text(line.text, _STYLES[line.tone]), soft_wrap=True)

"""`honeyguide explain`: the page of a rule, a drop reason or a term; or what a pasted line may come from."""

from __future__ import annotations

import sys

from playbooks.engine.discovery import Catalogue, catalogue
from playbooks.engine.explaining.pages import page, pasted, suggestions
from playbooks.engine.report.marks import plain
from tui.commands.options import Options
from tui.commands.printing import write
from tui.commands.terminal import is_ascii
from tui.commands.trouble import Trouble

_LONGEST = 1 << 20
"""Characters of a pasted text that are read."""


def run(options: Options) -> int:
    """Print it."""
    known = catalogue()
    word = " ".join(options.words)
    lines = _pasted(known) if word == "-" else page(word, known)
    if not lines:
        raise _unknown(word, known)
    text = "".join(f"{line}\n" for line in lines)
    write("".join(f"{plain(line)}\n" for line in lines) if is_ascii(sys.stdout) else text)
    return 0


def _pasted(known: Catalogue) -> tuple[str, ...]:
    text = sys.stdin.read(_LONGEST)
    lines = pasted(text, known)
    if not lines:
        raise Trouble(
            "no fault that is known here prints anything like it",
            "",
            "give the whole line of a log, the message of an event, or the name of a drop reason",
        )
    return lines


def _unknown(word: str, known: Catalogue) -> Trouble:
    close = suggestions(word, known)
    remedy = (
        f"did you mean {' or '.join(close)}?"
        if close
        else f"it takes an id such as {known.rules[0].id}, a drop reason, a term, or - and a pasted line"
    )
    return Trouble(f"there is no rule, drop reason or term {word!r}", "", remedy)

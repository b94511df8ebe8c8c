"""Turns names of playbooks into rules."""

from __future__ import annotations

from collections.abc import Sequence

from playbooks.engine.discovery import ORDER, catalogue
from playbooks.model.rule import Rule
from tui.commands.near import near
from tui.commands.trouble import Trouble


def rules_of(names: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of these playbooks, of all when none is named. Raises `Trouble` for unknown names."""
    known = catalogue()
    there = [playbook.name for playbook in known.playbooks]
    for name in names:
        if name not in there:
            raise _unknown(name, there)
    return known.rules_of(tuple(names))


def _unknown(name: str, there: list[str]) -> Trouble:
    if name in ORDER:
        return Trouble(
            f"the playbook {name!r} is not part of this version", "", f"there is: {', '.join(there)}"
        )
    close = near(name, there)
    remedy = f"did you mean {' or '.join(close)}?" if close else f"there is: {', '.join(there)}"
    return Trouble(f"there is no playbook {name!r}", "", remedy)

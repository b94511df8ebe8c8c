"""Writes what a run found into its recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.engine.report import Exit
    from playbooks.engine.snapshot import Snapshot
    from playbooks.sources.journal import Journal


def keep(journal: Journal, snapshot: Snapshot, code: Exit | None = None) -> None:
    """Keep the findings, and the traceback of every rule that crashed."""
    from playbooks.engine.report import as_json, exit_code

    journal.report(as_json(snapshot, exit_code(snapshot) if code is None else code).encode())
    for outcome in snapshot.outcomes.values():
        if outcome.traceback:
            journal.note(f"{outcome.rule.id} {outcome.rule.name} crashed\n{outcome.traceback}")

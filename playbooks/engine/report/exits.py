"""Exit codes: what a script learns without reading the report."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity


class Exit(IntEnum):
    """Every exit code there is."""

    CLEAN = 0
    """Everything was judged and nothing is wrong; also: what was asked for was printed."""
    FINDINGS = 1
    """At least one finding is WARN or worse."""
    USAGE = 2
    """The command line was not understood."""
    CANNOT_CONNECT = 3
    """No cluster, or no recording, could be opened."""
    UNJUDGED = 4
    """A gap left a rule without a verdict."""
    BROKEN = 70
    """An error in honeyguide itself; standard error tells."""
    HUNG_UP = 129
    """Stopped by SIGHUP: the terminal is gone."""
    INTERRUPTED = 130
    """Stopped by SIGINT."""
    TERMINATED = 143
    """Stopped by SIGTERM."""


class FailOn(StrEnum):
    """From which severity on a finding changes the exit code."""

    ERROR = "error"
    WARN = "warn"
    NEVER = "never"


def exit_code(snapshot: Snapshot, fail_on: FailOn = FailOn.WARN, *, is_strict: bool = False) -> Exit:
    """The exit code of a run that was not stopped by a signal; strict lets 4 win over 1."""
    least = {FailOn.ERROR: Severity.ERROR, FailOn.WARN: Severity.WARN}.get(fail_on)
    is_bad = least is not None and any(one.finding.severity >= least for one in snapshot.every())
    if is_bad and not (is_strict and snapshot.is_unjudged):
        return Exit.FINDINGS
    return Exit.UNJUDGED if snapshot.is_unjudged else Exit.CLEAN

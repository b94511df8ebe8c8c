"""Opens what is diagnosed: a live cluster, recorded if wanted, or a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands.trouble import CANNOT_CONNECT, Trouble

if TYPE_CHECKING:
    from playbooks.sources.access import CannotConnect
    from playbooks.sources.journal import JournalSource


def recording(folder: str) -> JournalSource:
    """A recording as a source. Raises `Trouble`."""
    from playbooks.sources.journal import JournalSource, UnreadableJournal

    try:
        return JournalSource(Path(folder))
    except UnreadableJournal as error:
        raise Trouble(error.what, error.where, error.remedy, CANNOT_CONNECT) from error


def cannot_connect(error: CannotConnect) -> Trouble:
    """The trouble that a refused connection is."""
    return Trouble(error.what, error.where, error.remedy, CANNOT_CONNECT)

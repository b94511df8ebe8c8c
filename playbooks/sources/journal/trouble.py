"""What can be wrong with a journal as a whole."""

from __future__ import annotations

from playbooks.model.text import Text


class _Trouble(Exception):
    """Says what is wrong, where, and what to do."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        """One sentence each; `where` is a path."""
        # What is wrong may quote the file, which may come from anybody.
        self.what = Text(what).shown
        self.where = Text(where).shown
        self.remedy = remedy
        super().__init__("; ".join(filter(None, (f"{self.what}: {self.where}", remedy))))


class UnreadableJournal(_Trouble):
    """A folder that is no journal, or not one that this version reads."""


class UnwritableJournal(_Trouble):
    """A folder into which no recording can be made."""

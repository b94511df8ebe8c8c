"""What can be wrong with a journal as a whole."""

from __future__ import annotations


class _Trouble(Exception):
    """Says what is wrong, where, and what to do."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        """One sentence each; `where` is a path."""
        super().__init__(f"{what}: {where}; {remedy}" if remedy else f"{what}: {where}")
        self.what = what
        self.where = where
        self.remedy = remedy


class UnreadableJournal(_Trouble):
    """A folder that is no journal, or not one that this version reads."""


class UnwritableJournal(_Trouble):
    """A folder into which no recording can be made."""

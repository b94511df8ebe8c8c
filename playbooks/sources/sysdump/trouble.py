"""What can be wrong with an archive as a whole, and with one file of it."""

from __future__ import annotations


class UnreadableArchive(Exception):
    """A file or folder that is no sysdump, or one that cannot be read."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        """One sentence each; `where` is a path."""
        super().__init__(f"{what}: {where}; {remedy}")
        self.what = what
        self.where = where
        self.remedy = remedy


class Damaged(Exception):
    """A part of an archive that cannot be trusted or read; becomes the gap *unreadable*."""

    def __init__(self, what: str, remedy: str = "copy the archive again, or collect a new one") -> None:
        """One sentence, and what to do."""
        super().__init__(what)
        self.remedy = remedy


class CutOff(Damaged):
    """Data that ends too early; what came before it is sound."""

"""Files under names, wherever they lie: in a zip, a tar or a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.cursor import Cursor
from playbooks.sources.sysdump.trouble import Damaged

TWICE = -1
"""The place of a file whose name occurs more than once."""


@dataclass(slots=True)
class Index:
    """The names of all files by folder; names that lead elsewhere are left out."""

    folders: dict[str, dict[str, int]] = field(default_factory=dict)
    """By folder (empty for the top) and name: a place that the container understands."""
    left_out: int = 0
    """Links, devices and names that lead out of the archive: counted, never followed."""
    count: int = 0
    """How many files there are."""

    def add(self, path: str, place: int) -> None:
        """Add a file. Raises `Damaged` when there are too many."""
        folder, slash, name = path.removeprefix("./").rpartition("/")
        known = self.folders.get(folder)
        if known is None or (slash and not folder):
            if not _is_safe(folder) or (slash and not folder):
                self.left_out += 1
                return
            known = self.folders[folder] = {}
        if name in ("", ".", "..") or "\\" in name or "\0" in name or len(path) > limits.NAME:
            self.left_out += 1
            return
        self.count += 1
        if self.count > limits.FILES:
            remedy = "unpack it, and give the folder without the nodes that do not matter"
            raise Damaged(f"it holds more than {limits.FILES:,} files", remedy)
        # The same few hundred names occur once per agent.
        known[sys.intern(name)] = TWICE if name in known else place

    def paths(self) -> Iterator[str]:
        """Every file, by its path."""
        for folder, names in self.folders.items():
            for name in names:
                yield f"{folder}/{name}" if folder else name


def _is_safe(folder: str) -> bool:
    if not folder:
        return True
    return not any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in folder.split("/"))


@dataclass(frozen=True, slots=True)
class Member:
    """One file."""

    path: str
    """Its path in the container."""
    size: int
    """Unpacked bytes, as announced."""
    modified: float = 0.0
    """When it was written, seconds since 1970; 0 when not known."""
    is_local_time: bool = False
    """Whether `modified` was counted in the time zone of whoever packed, which nothing names."""
    place: int = 0
    """Where the container has it."""


class Container(Protocol):
    """A zip, a tar or a folder."""

    @property
    def index(self) -> Index:
        """The names of its files."""

    @property
    def problem(self) -> str:
        """What is wrong with it as a whole, in one sentence; empty when nothing is."""

    def member(self, folder: str, name: str) -> Member | None:
        """A file, if it is there. Raises `Damaged`."""

    def cursor(self, member: Member) -> Cursor:
        """The beginning of a file's content. Raises `Damaged`."""

    def close(self) -> None:
        """Let go of the file."""


def path_of(folder: str, name: str) -> str:
    """A path from its two parts."""
    return f"{folder}/{name}" if folder else name


def twice(path: str) -> Damaged:
    """What is said of a name that occurs more than once."""
    remedy = "unpack it, decide which one is meant, and give the folder"
    return Damaged(f"{path.rpartition('/')[2]} is in the archive more than once", remedy)

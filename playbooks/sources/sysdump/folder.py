"""An unpacked archive: a folder as a container, in which no link is followed."""

from __future__ import annotations

import os
from pathlib import Path

from playbooks.sources.sysdump.container import Index, Member, path_of
from playbooks.sources.sysdump.cursor import Checked, Cursor, Handle, Plain
from playbooks.sources.sysdump.trouble import Damaged

_DEPTH = 12
"""Folders in each other; a copy of the agents' state takes six."""


class Folder:
    """The files of a folder."""

    def __init__(self, path: Path) -> None:
        """Look through a folder. Raises `Damaged` or `OSError`."""
        self._path = path
        self.index = Index()
        self.problem = ""
        self._look_through("", _DEPTH)

    def member(self, folder: str, name: str) -> Member | None:
        """A file, if it is there. Raises `Damaged`."""
        if name not in self.index.folders.get(folder, {}):
            return None
        path = path_of(folder, name)
        try:
            status = os.stat(self._path / path, follow_symlinks=False)
        except OSError as error:
            raise _unreadable(error) from error
        # A copied folder carries the times of the copy, so they say nothing of the cluster.
        return Member(path, status.st_size)

    def cursor(self, member: Member) -> Cursor:
        """The beginning of a file's content. Raises `Damaged`."""
        try:
            handle = open_plain(self._path / member.path)
        except OSError as error:
            raise _unreadable(error) from error
        return Checked(Plain(handle, 0, handle.size), handle.size)

    def close(self) -> None:
        """Nothing is kept open."""

    def _look_through(self, folder: str, depth: int) -> None:
        if not depth:
            self.index.left_out += 1
            return
        with os.scandir(self._path / folder) as entries:
            for entry in entries:
                path = path_of(folder, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    self._look_through(path, depth - 1)
                elif entry.is_file(follow_symlinks=False):
                    self.index.add(path, 0)
                else:
                    self.index.left_out += 1


def open_plain(path: Path) -> Handle:
    """Open a plain file for reading. Raises `OSError` for anything else."""
    # Without O_NONBLOCK a FIFO would hold us for ever.
    handle = Handle(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
    if not handle.is_plain:
        handle.close()
        raise OSError("it is not a plain file")
    return handle


def _unreadable(error: OSError) -> Damaged:
    return Damaged(error.strerror or str(error), "see that you may read it, and that it is a plain file")

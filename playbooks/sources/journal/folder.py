"""The folder of a session: its name, and opening files in it without following anything out of it."""

from __future__ import annotations

import os
import re
import stat
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from playbooks.sources.journal.record import RECORDS

_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


def session_folder(base: Path, cluster: str, now: datetime) -> Path:
    """A free folder for a new session below `base`, named by time and cluster."""
    slug = _UNFIT.sub("-", cluster).strip(".-")[:60] or "cluster"
    name = f"{now:%Y%m%dT%H%M%SZ}-{slug}"
    number, folder = 1, base / name
    while folder.exists():
        number += 1
        folder = base / f"{name}-{number}"
    return folder


def is_journal(path: Path) -> bool:
    """Whether a path is the folder of a session, by the name of its file of records."""
    return (path / RECORDS).is_file() or (path / RECORDS).is_symlink()


def open_plain(folder: Path, name: str) -> BinaryIO:
    """Open a file of the folder for reading. Raises `OSError` for anything but a plain file."""
    # Without O_NONBLOCK a FIFO put there by somebody else would hold us for ever.
    descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return _plain(descriptor, name, "rb")


def append_plain(folder: Path, name: str) -> BinaryIO:
    """Open or make a file of the folder for appending, unbuffered. Raises `OSError`."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return _plain(os.open(folder / name, flags, 0o600), name, "ab")


def _plain(descriptor: int, name: str, mode: str) -> BinaryIO:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{name} is not a plain file")
    return os.fdopen(descriptor, mode, buffering=0 if mode == "ab" else -1)  # type: ignore[return-value]

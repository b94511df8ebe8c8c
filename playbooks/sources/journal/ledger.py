"""The two files of a journal, appended to by one thread."""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from playbooks.sources.journal.bodies import Pressing
from playbooks.sources.journal.folder import append_plain
from playbooks.sources.journal.record import BODIES, BODY_LIMIT, RECORDS, Body, Record, line_of

RUN_LIMIT = 512 * 1024 * 1024
"""Bytes of answers that one run may add, compressed."""

JOURNAL_LIMIT = 2 * 1024 * 1024 * 1024
"""Bytes of a whole journal."""

MIB = 1024 * 1024


class JournalFull(OSError):
    """The journal has reached its own limit."""


class Ledger:
    """Appends records and answers; every call may raise `OSError`."""

    def __init__(self, records: BinaryIO, bodies: BinaryIO, limit: int = JOURNAL_LIMIT) -> None:
        """Both files are unbuffered and stand at their end."""
        self._records, self._bodies, self._limit = records, bodies, limit
        self._end = bodies.seek(0, os.SEEK_END)
        self._size = self._end + records.seek(0, os.SEEK_END)
        self._kept: set[str] = set()
        self._run_size = 0

    @classmethod
    def in_folder(cls, folder: Path, limit: int = JOURNAL_LIMIT) -> Ledger:
        """The ledger of a folder, for this process alone. Raises `OSError`."""
        records = append_plain(folder, RECORDS)
        try:
            fcntl.flock(records, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(records, append_plain(folder, BODIES), limit)
        except OSError:
            records.close()
            raise

    def knows(self, hashes: set[str]) -> None:
        """Take note of answers that are in the file already."""
        self._kept |= hashes

    def begin_run(self) -> None:
        """Count a run's bytes from here."""
        self._run_size = 0

    def append(self, record: Record) -> None:
        """Write a record."""
        line = line_of(record)
        self._make_room(len(line))
        self._write(self._records, line)

    def end_torn_line(self) -> None:
        """Begin a new line, so that a line torn by a crash spoils no record after it."""
        self._write(self._records, b"\n")

    def keep(self, pressing: Pressing, at: datetime, by: str) -> tuple[str, str]:
        """Keep an answer once: its hash and nothing, or nothing and why it is not kept."""
        if pressing.is_too_large:
            return "", f"the answer was larger than the {BODY_LIMIT // MIB} MiB that are kept of one"
        name, stored = pressing.finish()
        if name in self._kept:
            return name, ""
        if self._run_size + len(stored) > RUN_LIMIT:
            return "", f"the run had already filled the {RUN_LIMIT // MIB} MiB that are kept of one"
        self._make_room(len(stored))
        offset = self._end
        self._write(self._bodies, stored)
        self._end += len(stored)
        self._run_size += len(stored)
        self.append(Body(at=at, by=by, hash=name, offset=offset, stored=len(stored), size=pressing.size))
        self._kept.add(name)
        return name, ""

    def sync(self) -> None:
        """Wait until the disk has everything."""
        os.fsync(self._bodies.fileno())
        os.fsync(self._records.fileno())

    def close(self) -> None:
        """Close both files, which lets others write."""
        self._bodies.close()
        self._records.close()

    def _make_room(self, wanted: int) -> None:
        if self._size + wanted > self._limit:
            raise JournalFull(f"the recording has reached its limit of {self._limit // MIB} MiB")
        self._size += wanted

    @staticmethod
    def _write(file: BinaryIO, data: bytes) -> None:
        view = memoryview(data)
        while view:
            # An unbuffered write may take a part only: the disk filled up, or a signal came.
            view = view[file.write(view) :]

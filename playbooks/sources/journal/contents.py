"""The records of a journal, read once and kept small: one run's answers, everybody's notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from playbooks.model.request import AgentCommand, ContainerLog, Request
from playbooks.sources.journal.folder import open_plain
from playbooks.sources.journal.record import (
    RECORDS,
    SCHEMA,
    Answered,
    Body,
    Missed,
    Note,
    Record,
    Reported,
    RunBegan,
    RunEnded,
    Session,
    record_from,
)
from playbooks.sources.journal.trouble import UnreadableJournal

LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one record that are read; a longer line is skipped with a note."""

_NO_JOURNAL = "give the folder that `--record` or the console wrote"


@dataclass(frozen=True, slots=True)
class Run:
    """One run in a journal."""

    number: int
    """From 1."""
    what: str
    """What was asked of it."""
    began: datetime
    """When it began."""
    by: str
    """Who began it."""
    is_complete: bool
    """Whether its end was recorded."""


@dataclass(slots=True)
class Contents:
    """What the records say, the answers of one run only."""

    wanted: int | None
    """The run whose answers are kept; None for the last one that has any."""
    session: Session
    """The header."""
    run: int = 0
    """The run whose answers are kept."""
    told: dict[tuple[int, Request], Answered | Missed] = field(default_factory=dict)
    """Answers and gaps by look and question; of equal ones the newest."""
    bodies: dict[str, Body] = field(default_factory=dict)
    """Where each kept answer lies, by its hash."""
    runs: dict[int, Run] = field(default_factory=dict)
    """Every run."""
    reports: dict[int, bytes] = field(default_factory=dict)
    """Findings by run, a JSON object each."""
    notes: list[Note] = field(default_factory=list)
    """What people wrote."""
    problems: list[str] = field(default_factory=list)
    """What could not be read, one sentence each."""
    is_torn: bool = False
    """Whether the last line lacks its end."""

    def take_line(self, number: int, line: bytes | None) -> None:
        """Take the next line; one that cannot be read leaves a note."""
        self.is_torn = line is not None and not line.endswith(b"\n")
        if line is None:
            self.problems.append(f"record {number} is too long and was skipped")
            return
        try:
            record = record_from(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            torn = ": it was torn in the middle, as by a crash" if self.is_torn else ""
            self.problems.append(f"record {number} cannot be read and was skipped{torn}")
            return
        self._take(record)

    def _take(self, record: Record) -> None:
        match record:
            case Answered() | Missed():
                self._take_told(record)
            case Body():
                self.bodies[record.hash] = record
            case RunBegan():
                self.runs[record.run] = Run(record.run, record.what, record.at, record.by, is_complete=False)
            case RunEnded():
                if begun := self.runs.get(record.run):
                    self.runs[record.run] = replace(begun, is_complete=True)
            case Reported():
                self.reports[record.run] = bytes(record.report)
            case Note():
                self.notes.append(record)
            case Session():
                self.problems.append("a second header was skipped")

    def _take_told(self, record: Answered | Missed) -> None:
        if self.wanted is None and record.run > self.run:
            self.told.clear()
            self.run = record.run
        if record.run == self.run:
            self.told[record.look, question(record.request)] = record


def question(request: Request) -> Request:
    """What a request asks, without what it is expected to cost and where the reader thinks a pod runs."""
    match request:
        case AgentCommand(is_heavy=True):
            return msgspec.structs.replace(request, is_heavy=False)
        case ContainerLog(node_name=node) if node:
            return msgspec.structs.replace(request, node_name="")
    return request


def read_contents(folder: Path, wanted: int | None = None) -> Contents:
    """Read the records of a journal. Raises `UnreadableJournal`."""
    try:
        with open_plain(folder, RECORDS) as file:
            contents = Contents(wanted, _header(folder, file.readline(LINE_LIMIT)), wanted or 0)
            for number, line in enumerate(_lines(file), start=2):
                contents.take_line(number, line)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableJournal(f"not a recording ({reason})", str(folder), _NO_JOURNAL) from error
    if wanted is not None and wanted not in contents.runs:
        raise UnreadableJournal(
            f"run {wanted} is not in this recording", str(folder), f"it has {len(contents.runs)} runs"
        )
    contents.run = contents.run or max(contents.runs, default=0)
    return contents


class _Schema(msgspec.Struct, frozen=True):
    """What tells a header's version, whatever else it holds."""

    schema: int


def _header(folder: Path, line: bytes) -> Session:
    where = str(folder)
    try:
        schema = msgspec.json.decode(line, type=_Schema).schema
        if schema != SCHEMA:
            raise UnreadableJournal(
                f"recorded in schema {schema}, this version reads {SCHEMA}",
                where,
                "open it with the version of honeyguide that recorded it",
            )
        header = record_from(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UnreadableJournal(f"its first record is broken ({error})", where, _NO_JOURNAL) from error
    if not isinstance(header, Session):
        raise UnreadableJournal("its first record is no header", where, _NO_JOURNAL)
    return header


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Lines with their line feed; None for one that is too long."""
    while line := file.readline(LINE_LIMIT):
        if len(line) < LINE_LIMIT or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LINE_LIMIT)
        yield None

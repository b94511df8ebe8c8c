"""A folder of recorded command outputs, as its index tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from playbooks.model.answer import End, Gap
from playbooks.model.request import Request

_KUBECTL_LAST_WORD = re.compile(rb"command terminated with exit code \d+\n\Z")


class Row(msgspec.Struct, frozen=True):
    """One line of `index.json`."""

    file: str
    command: str
    exit_code: int
    where: str
    at: datetime
    seconds: float = 0.0
    look: int = 0
    cilium_version: str = ""
    truncated: bool = False
    stderr: str = ""
    note: str = ""

    @property
    def kind(self) -> str:
        """The folder of the output: `agent`, `kubectl`, `logs` …"""
        return self.file.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Told:
    """What the lab told about one request."""

    request: Request
    body: bytes
    end: End | Gap


@dataclass(frozen=True, slots=True)
class Look:
    """One round of recorded commands."""

    folder: Path
    rows: tuple[Row, ...]

    @classmethod
    def read(cls, folder: Path) -> Look:
        rows = msgspec.json.decode((folder / "index.json").read_bytes(), type=tuple[Row, ...])
        return cls(folder, rows)

    def of_kind(self, kind: str) -> Iterator[Row]:
        return (row for row in self.rows if row.kind == kind)

    def row(self, command: str) -> Row:
        return next(row for row in self.rows if row.command == command)

    def body(self, row: Row) -> bytes:
        return (self.folder / row.file).read_bytes()

    def stderr(self, row: Row) -> bytes:
        """Standard error of the command itself, without the sentence that kubectl adds."""
        if not row.stderr:
            return b""
        return _KUBECTL_LAST_WORD.sub(b"", (self.folder / row.stderr).read_bytes())

"""What a journal is made of: one JSON record a line, each with its author and time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from playbooks.model.answer import GapKind
from playbooks.model.request import Request

SCHEMA = 1
"""Version of the records' shape; a reader refuses any other."""

RECORDS = "records.jsonl"
"""Name of the file of records."""

BODIES = "bodies.bin"
"""Name of the file of compressed answers, one behind the other."""

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of one answer that are kept."""


Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone: times without one cannot be compared."""


class _Record(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What every record carries."""

    at: Moment
    """When it was written, UTC."""
    by: str
    """Who wrote it."""


class Session(_Record, frozen=True, tag="session"):
    """The first record: what this journal is of."""

    schema: int
    """See `SCHEMA`."""
    cluster: str
    """The cluster's name, as the person knows it."""
    product: str
    """Version of the program that recorded."""
    kubectl: str = "kubectl"
    """What commands begin with: context and namespace in force."""


class RunBegan(_Record, frozen=True, tag="run"):
    """A run began."""

    run: int
    """Its number, from 1."""
    what: str = ""
    """What was asked of it, such as `check agent`."""


class RunEnded(_Record, frozen=True, tag="run_end"):
    """A run ended and everything of it is on the disk."""

    run: int
    """Its number."""


class Body(_Record, frozen=True, tag="body"):
    """Where a kept answer lies in the file of bodies."""

    hash: str
    """SHA-256 of the answer, in hex; a name, never a path."""
    offset: int
    """First byte in the file of bodies."""
    stored: int
    """How many bytes it takes there, compressed."""
    size: int
    """How many bytes the answer has."""


class Answered(_Record, frozen=True, tag="answer"):
    """An answer that arrived."""

    run: int
    """In which run."""
    look: int
    """In which look."""
    request: Request
    """What was asked."""
    command: str
    """The command that a person would have typed."""
    where: str
    """Who answered."""
    taken_at: Moment
    """When it was asked, UTC."""
    seconds: float
    """How long it took."""
    exit_code: int = 0
    """Exit code of a command."""
    stderr: bytes = b""
    """Standard error of a command."""
    is_truncated: bool = False
    """Whether bytes are missing."""
    body: str = ""
    """Hash of the answer; empty when it was not kept."""
    pages: tuple[int, ...] = ()
    """Bytes of each page of a list, when there is more than one."""
    not_kept: str = ""
    """Why the answer was not kept."""
    is_given_up: bool = False
    """Whether nobody read it to its end: what is kept is its beginning, and how it ended is not known."""


class Missed(_Record, frozen=True, tag="gap"):
    """A gap."""

    run: int
    """In which run."""
    look: int
    """In which look."""
    request: Request
    """What was asked."""
    kind: GapKind
    """The class of reason."""
    detail: str
    """One sentence."""
    command: str = ""
    """The command that a person would have typed."""
    remedy: str = ""
    """What would make it visible."""
    node: str = ""
    """The node it concerns."""
    taken_at: Moment | None = None
    """When it was tried."""


class Reported(_Record, frozen=True, tag="report"):
    """The findings of a run, as its JSON report has them."""

    run: int
    """Of which run."""
    report: msgspec.Raw
    """One JSON object."""


class Note(_Record, frozen=True, tag="note"):
    """Something a person wrote."""

    text: str
    """As typed."""
    run: int = 0
    """The run that was shown; 0 for none."""


Record = Session | RunBegan | RunEnded | Body | Answered | Missed | Reported | Note
"""Every kind of record."""

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def line_of(record: Record) -> bytes:
    """A record as one line with its line feed."""
    return _encoder.encode(record) + b"\n"


def record_from(line: bytes) -> Record:
    """The record on a line. Raises `msgspec.MsgspecError` or `RecursionError` for anything else."""
    return _decoder.decode(line)

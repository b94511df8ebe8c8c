"""What comes back for a request: chunks and an end, or a gap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from playbooks.model.request import Request

COLLECT_LIMIT = 32 * 1024 * 1024
"""Bytes that `answer` collects before it calls an answer too large."""


class GapKind(StrEnum):
    """Why something could not be seen."""

    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    NOT_RUNNING = "not_running"
    NO_AGENT_BY_DESIGN = "no_agent_by_design"
    NOT_FOUND = "not_found"
    NOT_IN_THIS_VERSION = "not_in_this_version"
    NOT_RECORDED = "not_recorded"
    TOO_LARGE = "too_large"
    TOO_COSTLY = "too_costly"
    UNREADABLE = "unreadable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that could not be seen, why, and what to do about it."""

    kind: GapKind
    """The class of reason."""
    detail: str
    """One sentence with the verb, resource, command or offset that matters."""
    command: str = ""
    """The command that a person would have typed."""
    remedy: str = ""
    """What would make it visible; empty when nothing would."""
    node: str = ""
    """The node it concerns, if one."""
    taken_at: datetime | None = None
    """When it was tried."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of an answer that arrived."""

    command: str
    """The command that a person would have typed."""
    where: str
    """Who answered: node/namespace/pod, or the API server, or a file of an archive."""
    taken_at: datetime
    """When it was asked, UTC."""
    seconds: float
    """How long it took."""
    exit_code: int = 0
    """Exit code of a command; 0 for objects and logs."""
    stderr: bytes = b""
    """Standard error of a command."""
    is_truncated: bool = False
    """Whether bytes are missing: absence of a line then proves nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, collected."""

    request: Request
    """What was asked."""
    body: bytes
    """Standard output, log or JSON lines."""
    end: End
    """How it ended."""


class Source(Protocol):
    """Something that can be asked: a live cluster, a journal, an archive, a practice world."""

    @property
    def name(self) -> str:
        """The cluster's name, as the person knows it."""

    @property
    def now(self) -> datetime:
        """The time in this cluster: the clock when live, the recorded time otherwise."""

    def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        """Yield the answer's chunks, then exactly one `End` or `Gap`; faults of the cluster never raise."""

    async def pause(self, seconds: float) -> None:
        """Let time pass between two looks: real for a live cluster, none for a recording."""

    async def close(self) -> None:
        """Let go of connections and files."""


async def answer(source: Source, request: Request, look: int, limit: int = COLLECT_LIMIT) -> Answer | Gap:
    """Collect an answer whole, or the gap; an answer over `limit` bytes is the gap *too large*."""
    chunks: list[bytes] = []
    size = 0
    result: Answer | Gap | None = None
    pieces = source.open(request, look)
    try:
        # To the very end: a generator that is left alone costs the event loop a task to close it.
        async for piece in pieces:
            if isinstance(piece, Gap):
                result = piece
            elif isinstance(piece, End):
                result = Answer(request, b"".join(chunks), piece)
            else:
                size += len(piece)
                if size > limit:
                    return _too_large(request, limit)
                chunks.append(piece)
    finally:
        if close := getattr(pieces, "aclose", None):
            await close()
    return result or Gap(
        GapKind.FAILED, "the answer ended without saying how", command=request.command(), node=request.node
    )


def _too_large(request: Request, limit: int) -> Gap:
    return Gap(
        GapKind.TOO_LARGE,
        f"the answer is larger than {limit // 1024 // 1024} MiB",
        command=request.command(),
        node=request.node,
        remedy="run the command by hand and narrow it down",
    )

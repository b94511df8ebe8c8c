"""A log of every request that the servers got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request."""

    time: datetime
    """When it came, by the machine's clock."""
    method: str
    """HTTP method."""
    path: str
    """Path, without the query."""
    query: str
    """The query as it was sent."""
    user_agent: str
    """Who says to have sent it."""
    is_mutating: bool
    """Whether it asks for a change; access reviews only ask a question."""
    status: int
    """What was answered; 101 for an upgraded connection."""

    @classmethod
    def of(cls, request: web.Request, status: int) -> Recorded:
        """The record of a request that was answered."""
        is_review = "/selfsubject" in request.path
        return cls(
            datetime.now(UTC),
            request.method,
            request.path,
            request.query_string,
            request.headers.get("User-Agent", ""),
            request.method not in READING and not is_review,
            status,
        )

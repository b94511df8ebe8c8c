"""`hubble observe` as an archive can answer it: the flows that were collected, filtered as Hubble would."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from playbooks.model.answer import GapKind
from playbooks.model.request import AgentCommand
from playbooks.sources.stream import Piece
from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.asked import ELSEWHERE, Asked, pattern_of
from playbooks.sources.sysdump.cursor import Cursor

if TYPE_CHECKING:
    from playbooks.model.hubble.filters.asked import Observe

_OBSERVE = ("hubble", "observe")
_FORM = ("-o", "jsonpb")
_MOST = 10_000
"""Flows that are held, however many were asked for."""
_LONGEST = 16 * 1024 * 1024
"""Bytes of a line beyond which it is no flow."""


def is_observed(request: AgentCommand) -> bool:
    """Whether a command asks for flows in the form in which archives hold them."""
    return request.argv[:2] == _OBSERVE and request.argv[-2:] == _FORM


def observed(asked: Asked, request: AgentCommand) -> Iterator[Piece]:
    """The collected flows that the command's filters let through. Raises `Damaged`."""
    from playbooks.model.hubble.filters.asked import Observe
    from playbooks.model.hubble.filters.matching import FilterRefused
    from playbooks.model.hubble.filters.observing import observe

    name = f"hubble-flows-{request.pod}.json"
    member = asked.archive.file(name)
    if member is None or not member.size:
        yield asked.missing(f"holds no {pattern_of(name)}")
        return
    wanted = observe(list(request.argv[2:]), asked.archive.taken_at(member))
    if not isinstance(wanted, Observe):
        yield asked.gap(GapKind.FAILED, "the filters of the command cannot be read", ELSEWHERE)
        return
    try:
        kept = _matching(asked.archive.cursor(member), wanted)
    except FilterRefused as refused:
        yield asked.gap(GapKind.FAILED, str(refused), ELSEWHERE)
        return
    if kept:
        yield b"".join(line + b"\n" for line in kept)
    yield asked.end(member)


def _matching(cursor: Cursor, wanted: Observe) -> deque[bytes]:
    """The last lines that match, as many as were asked for. Raises `FilterRefused` or `Damaged`."""
    from playbooks.model.hubble.filters.matching import matching
    from playbooks.model.hubble.jsonpb.reading import Reader, Unreadable

    request, reader = wanted.request(), Reader()
    matcher = matching(request.whitelist, request.blacklist)
    kept: deque[bytes] = deque(maxlen=min(request.number, _MOST) or _MOST)
    for line in _lines(cursor):
        try:
            event = reader.event(line)
        except Unreadable:
            # The last line may have been cut when collecting ended.
            continue
        if matcher.event(event):
            kept.append(line)
    return kept


def _lines(cursor: Cursor) -> Iterator[bytes]:
    rest = b""
    while chunk := cursor.read(limits.CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LONGEST:
            rest = b""
        yield from (line for line in lines if line.strip())
    if rest.strip():
        yield rest

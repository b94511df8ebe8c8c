"""Removing evidence never creates a finding: each answer is taken away in turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Answer, End, Gap, GapKind, Source
from playbooks.model.finding import Ref, Severity
from playbooks.model.request import Request
from playbooks.sources.stream import Before
from tests import recorded
from tests.edited import edited, gap

Seen = set[tuple[str, Ref]]


class Listening(Before):
    """A source that notes which requests were answered."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.answered: dict[Request, None] = {}

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        async for piece in self._source.open(request, look):
            if isinstance(piece, End):
                self.answered[request] = None
            yield piece


def run(source: Source) -> Snapshot:
    return asyncio.run(Run(source, Order(catalogue().rules)).start())


def loud(snapshot: Snapshot) -> Seen:
    return {
        (one.rule.id, ref)
        for one in snapshot.every()
        if one.finding.severity > Severity.INFO
        for ref in one.finding.subjects
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, GapKind.FORBIDDEN) for name in ("05", "06", "11", "18")),
        ("healthy", GapKind.NOT_RECORDED),
    ],
)
def test_taking_an_answer_away_adds_no_finding(name: str, kind: GapKind) -> None:
    listening = Listening(recorded.source(name))
    before = loud(run(listening))
    assert listening.answered
    for request in listening.answered:
        lacking = edited(recorded.source(name), gap(lambda asked, gone=request: asked == gone, kind))  # type: ignore[misc]
        added = loud(run(lacking)) - before
        assert added == set(), f"without {request.command()}"


def test_an_answer_cut_short_adds_no_finding() -> None:
    """The healthy recording with every answer cut in half: what is garbage is a gap."""

    def cut(request: Request, look: int, told: Answer | Gap) -> Answer | Gap:
        if isinstance(told, Gap):
            return told
        return Answer(request, told.body[: len(told.body) // 2], told.end)

    listening = Listening(recorded.source("healthy"))
    before = loud(run(listening))
    for request in listening.answered:

        def one(asked: Request, look: int, told: Answer | Gap, gone: Request = request) -> Answer | Gap:
            return cut(asked, look, told) if asked == gone else told

        assert loud(run(edited(recorded.source("healthy"), one))) - before == set(), request.command()

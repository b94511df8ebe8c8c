"""The evidence pane: what Kubernetes wants, the agent has and the map holds, beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.consoles import NARROW, WIDE, diagnosed, is_settled, screen_text, text_after, until
from tui.app import Console
from tui.screens.page import PageScreen


async def _shown(app: Console, pilot: Pilot[None]) -> None:
    """Wait until a table is selected and drawn."""
    panes = app.diagnose.panes
    await until(pilot, lambda: panes.exhibit is not None and panes.exhibit.page is not None)
    await until(pilot, lambda: panes.answer.page is not None)


CASES = [
    ("service-no-backends", "service", ("service map: 1 row, all agree", "nobody has a backend for it")),
    ("service-map-stale", "service", ("2 of 4 rows do not agree", "— no entry —", "missing in the map")),
    ("map-row-missing", "policy", ("policy map of endpoint", "— no entry —", "allow by")),
    ("addresses-leak", "endpoint", ("249 of 253 rows do not agree", "— no pod —", "given to")),
]


@pytest.mark.parametrize(("scenario", "playbook", "said"), CASES)
async def test_table_is_the_first_evidence_at_both_sizes(
    scenario: str, playbook: str, said: tuple[str, ...]
) -> None:
    """Below each other at 80x24 by enter, enter, beside the finding at 200x50 without a key."""
    async with diagnosed(scenario, NARROW, playbooks=(playbook,)) as (app, pilot):
        await pilot.press("enter", "d")
        await _shown(app, pilot)
        for size in (NARROW, WIDE):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            text = screen_text(app)
            assert "BPF map" in text, size
            assert "Kubernetes" in text, size
            for part in said:
                assert part in text, (size, part)
            assert all(len(row) <= size[0] for row in text.split("\n"))
        assert "Side by side" in text


async def test_table_beside_raw_evidence_on_the_whole_screen_and_copied(tmp_path: Path) -> None:
    """Down to the raw evidence and up again; d opens it whole; / filters it; c copies it."""
    async with diagnosed("map-row-missing", WIDE, playbooks=("policy",), copy_folder=tmp_path) as (
        app,
        pilot,
    ):
        await _shown(app, pilot)
        await pilot.press("tab", "down", "down")
        await until(pilot, lambda: app.diagnose.panes.answer.sheet is not None)
        assert "Raw answer" in screen_text(app)
        await pilot.press("up", "up")
        await _shown(app, pilot)
        await pilot.press("c", "enter")
        await until(pilot, lambda: (tmp_path / "copied.txt").exists())
        copied = (tmp_path / "copied.txt").read_text()
        assert "missing in the map" in copied
        assert "$ kubectl -n kube-system exec" in copied
        assert "│" not in copied
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        text = await text_after(app, pilot, "slash", *"redis-ing", "enter")
        assert "2 of 9 rows hold 'redis-ing'" in text
        assert "out to" not in text
        assert "Evidence" in await text_after(app, pilot, "escape")


async def test_another_look_keeps_the_cursor_and_where_it_was_scrolled_to() -> None:
    """The table follows each look; what is selected stays."""
    async with diagnosed("map-row-missing", NARROW, playbooks=("policy",)) as (app, pilot):
        await pilot.press("enter", "d")
        await _shown(app, pilot)
        panes = app.diagnose.panes
        await pilot.press("down")
        await until(pilot, lambda: panes.answer.page is not None and "endpoint" in panes.evidence.selected)
        await pilot.press("up", "tab", "down", "down")
        key, before = panes.evidence.selected, panes.answer.page
        assert panes.answer.scroll_offset.y == 2
        app.session.check(("policy",))
        await until(pilot, lambda: is_settled(app) and panes.answer.page != before)
        assert panes.evidence.selected == key
        assert panes.answer.scroll_offset.y == 2

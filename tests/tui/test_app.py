"""What a person sees of the console on its first screens."""

from __future__ import annotations

import pytest

from playbooks.model.request import ContainerLog
from tests.engine.toy import ToyCluster
from tests.tui.consoles import (
    NARROW,
    WIDE,
    connecting_to,
    console,
    diagnosed,
    is_settled,
    practice,
    running,
    screen_text,
    text_after,
    until,
)
from tui.themes import PALETTES

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


@SIZES
async def test_the_cause_of_the_crash_loop_is_selected_on_the_first_screen(size: tuple[int, int]) -> None:
    async with diagnosed(size=size) as (app, _):
        topic = app.diagnose.topic
        assert topic is not None
        assert topic.thread.text.startswith("✗ ERROR AGT0")
        assert "cilium-config" in topic.thread.text
        shown = screen_text(app)
        assert "WHAT IS WRONG" in shown
        assert "› ✗ ERROR ConfigMap kube-system/cilium-config" in shown


@SIZES
async def test_the_status_line_says_where_and_how_much_is_seen(size: tuple[int, int]) -> None:
    async with diagnosed(size=size) as (app, _):
        status = screen_text(app).splitlines()[0]
        parts = [part.strip() for part in status.split("│")]
        assert parts[:4] == ["PRACTICE", "practice", "read-only", "agents 5/6"]
        assert "not visible" in status


async def test_a_narrow_terminal_shows_list_then_detail_then_fix_and_back() -> None:
    async with diagnosed() as (app, pilot):
        detail = await text_after(app, pilot, "enter")
        assert "where    ConfigMap kube-system/cilium-config" in detail
        lines = detail.splitlines()
        assert lines[1].startswith("✗ ERROR AGT0")
        assert lines[-2].startswith("Fix 1 of 1 · cure · ")
        fix = await text_after(app, pilot, "enter")
        assert "verify" in fix
        assert "kubectl" in fix
        assert "where    ConfigMap" in await text_after(app, pilot, "escape")
        assert "PLAYBOOKS" in await text_after(app, pilot, "backspace")


async def test_a_wide_terminal_shows_list_evidence_raw_answer_and_fix_together() -> None:
    async with diagnosed(size=WIDE) as (app, pilot):
        await until(pilot, lambda: app.diagnose.panes.answer.sheet)
        shown = screen_text(app)
        for part in ("WHAT IS WRONG", "Evidence", "Raw answer", "What to do", "Fix 1 of 1", "$ kubectl"):
            assert part in shown


async def test_the_raw_answer_begins_at_the_part_that_proves_the_point() -> None:
    async with diagnosed(size=WIDE) as (app, pilot):
        answer = app.diagnose.panes.answer
        await until(pilot, lambda: answer.sheet and answer.scroll_offset.y)
        exhibit = app.diagnose.panes.exhibit
        assert exhibit is not None
        assert exhibit.excerpt in "\n".join(
            answer.row_at(answer.scroll_offset.y + y).text for y in range(answer.room.height)
        )


async def test_a_step_shows_its_question_its_verdict_and_what_a_person_would_type() -> None:
    async with diagnosed() as (app, pilot):
        app.diagnose.go_to("step agent placed")
        await pilot.pause()
        shown = screen_text(app)
        assert "Is there an agent pod on every node that should have one?" in shown
        assert "$ kubectl -n kube-system get daemonset cilium -o wide" in shown
        assert "reading  DESIRED, CURRENT and READY are equal" in shown


async def test_the_evidence_of_a_sound_step_is_what_was_looked_at() -> None:
    async with diagnosed(size=WIDE) as (app, pilot):
        app.diagnose.go_to("step agent operator")
        panes = app.diagnose.panes
        await until(pilot, lambda: panes.exhibit and "deployments" in panes.exhibit.command)
        await until(pilot, lambda: panes.answer.sheet)
        assert '"DeploymentList"' in screen_text(app)


async def test_what_could_not_be_seen_is_a_row_with_reason_and_remedy() -> None:
    async with diagnosed("narrow-rbac") as (app, pilot):
        shown = screen_text(app)
        assert "nothing in what was seen" in shown
        assert "things not visible" in shown
        gaps = await text_after(app, pilot, "colon", *"gaps", "enter")
        assert "forbidden" in gaps
        assert "pods/exec" in gaps
        assert "to do" in gaps


async def test_a_sound_cluster_says_so_only_of_what_was_judged() -> None:
    async with diagnosed("healthy") as (app, _):
        shown = screen_text(app)
        assert "✗" not in shown
        steps = [row for row in app.diagnose.panes.board.entries if row.key.startswith("step ")]
        for row in steps:
            rules = [rule for rule in app.session.catalogue.rules if rule.step == row.key.split()[-1]]
            assert rules or (row.line.text.startswith("? ") and row.right.text == "no rule yet")


async def test_nothing_is_loaded_or_asked_before_the_first_paint() -> None:
    asked = []

    async def connect() -> None:
        asked.append(screen_text(app))
        raise ConnectionError("refused")

    app = console(connect)
    async with running(app) as pilot:
        assert "not connected" in screen_text(app)
        await until(pilot, lambda: app.session.failure)
    assert "PLAYBOOKS" in asked[0] or "loading" in asked[0]


async def test_a_label_and_an_insecure_connection_are_always_on_the_status_line() -> None:
    connect = connecting_to(practice("healthy"), context="prod-eu", label="PROD", is_insecure=True)
    async with running(console(connect)) as pilot:
        app = pilot.app
        await until(pilot, lambda: app.session.snapshot)
        status = screen_text(app).splitlines()[0]
        assert "prod-eu · PROD" in status
        assert "insecure TLS" in status


async def test_a_very_small_terminal_still_works_and_is_told_to_be_small() -> None:
    async with diagnosed(size=(40, 10)) as (app, pilot):
        assert "small" in screen_text(app).splitlines()[-1]
        assert "› ✗ ERROR" in screen_text(app)
        assert "where" in await text_after(app, pilot, "enter")


async def test_resizing_goes_from_one_pane_to_four_and_back() -> None:
    async with diagnosed() as (app, pilot):
        await pilot.press("enter", "enter")
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        assert "WHAT IS WRONG" in screen_text(app)
        assert "Raw answer" in screen_text(app)
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        shown = screen_text(app)
        assert "Raw answer" not in shown
        assert app.diagnose.focused is not None
        assert app.diagnose.focused.display
        assert "WHAT IS WRONG" in await text_after(app, pilot, "escape", "escape")


@pytest.mark.parametrize("name", PALETTES)
async def test_every_theme_can_be_worn_and_changed(name: str) -> None:
    async with diagnosed("healthy", theme=name) as (app, pilot):
        shown = screen_text(app)
        assert "PLAYBOOKS" in shown
        for other in PALETTES.values():
            app.wear(other)
            await pilot.pause()
            assert screen_text(app) == shown


async def test_an_answer_of_megabytes_is_read_to_its_end_and_a_larger_one_is_a_gap() -> None:
    row = b"0123456789abcdefghijklmnopqrstuv\x1b[2J\n"
    bodies = {"a": row * (8 * 1024 * 1024 // len(row)) + b"the last row", "b": b"x" * (33 * 1024 * 1024)}
    cluster = ToyCluster()
    app = console(connecting_to(cluster))
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        cluster.hook = lambda one: bodies[one.node] if isinstance(one, ContainerLog) else None
        app.diagnose.show_log("a", is_previous=True)
        await until(pilot, lambda: getattr(app.screen, "answer", None) and app.screen.answer.sheet)
        assert "the last row" in await text_after(app, pilot, "end")
        assert "uv\\e[2J" in await text_after(app, pilot, "pageup")
        await pilot.press("q")
        app.diagnose.show_log("b", is_previous=True)
        await until(pilot, lambda: "too large" in screen_text(app))
        assert "to do" in screen_text(app)

"""The console when something goes wrong: no connection, a broken check, agents that hang, a stop, an end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from playbooks.engine.discovery import Catalogue
from playbooks.engine.kept import Kept
from playbooks.engine.run import Run
from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.installation import Installation
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding
from playbooks.model.kube.nodes import Nodes
from playbooks.model.request import AgentCommand
from playbooks.model.rule import Playbook, PlaybookStep
from tests.engine.toy import ToyCluster, rule, warn
from tests.tui.consoles import (
    NARROW,
    WIDE,
    Hanging,
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
from tui.app import Connected
from tui.screens.reader import AnswerScreen


class Unreachable(Exception):
    what = "nobody answers at the API server"
    where = "https://10.0.0.1:6443"
    remedy = "connect the VPN, or choose another context by --context"


@pytest.mark.parametrize("size", [NARROW, WIDE, (40, 10)], ids=["80x24", "200x50", "40x10"])
async def test_a_failed_connection_says_what_where_and_what_to_do(size: tuple[int, int]) -> None:
    async def connect() -> Connected:
        raise Unreachable

    app = console(connect)
    async with running(app, size) as pilot:
        await until(pilot, lambda: app.session.failure and "10.0.0.1" in screen_text(app))
        shown = " ".join(screen_text(app).split())
        for part in ("nobody answers", "https://10.0.0.1:6443", "connect the VPN", "r tries again"):
            assert part in shown
        assert "not connected" in shown


async def test_r_tries_again_until_it_works() -> None:
    tries = []

    async def connect() -> Connected:
        tries.append(1)
        if len(tries) < 3:
            raise Unreachable
        return Connected(practice("healthy"), "shop")

    app = console(connect)
    async with running(app) as pilot:
        for number in (1, 2):
            await until(pilot, lambda number=number: len(tries) == number and app.session.failure)
            await pilot.press("r")
        await until(pilot, lambda: app.session.connected)
        assert "shop" in screen_text(app).splitlines()[0]


async def test_an_unforeseen_error_of_the_connection_is_shown_with_its_traceback() -> None:
    async def connect() -> Connected:
        raise ZeroDivisionError("nought")

    app = console(connect)
    async with running(app, WIDE) as pilot:
        await until(pilot, lambda: "ZeroDivisionError: nought" in screen_text(app))
        assert "Traceback" in screen_text(app)


async def test_a_connection_that_hangs_is_stopped_at_once_and_tried_again() -> None:
    begun = []

    async def connect() -> Connected:
        begun.append(1)
        await asyncio.Event().wait()
        raise AssertionError

    app = console(connect)
    async with running(app) as pilot:
        await until(pilot, lambda: begun)
        assert "connecting" in screen_text(app)
        await pilot.press("x")
        await until(pilot, lambda: "connecting was stopped" in screen_text(app))
        await pilot.press("r")
        await until(pilot, lambda: len(begun) == 2)


async def test_an_error_of_the_engine_is_shown_and_what_was_known_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with diagnosed() as (app, pilot):

        async def broken(self: Run) -> None:
            raise RuntimeError("the engine broke")

        monkeypatch.setattr(Run, "start", broken)
        app.diagnose.panes.board.select("playbook agent")
        await pilot.press("r")
        await until(pilot, lambda: "the engine broke" in screen_text(app))
        assert "WHAT IS WRONG" in screen_text(app)
        assert app.session.snapshot.roots


@pytest.mark.parametrize("key", ["x", "ctrl+c"])
async def test_hanging_agents_are_stopped_at_once_and_nothing_unknown_is_green(key: str) -> None:
    app = console(connecting_to(Hanging()))
    async with running(app) as pilot:
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.nodes)
        await until(pilot, lambda: "asked " in screen_text(app))
        await pilot.press(key)
        assert not app.session.is_running
        await until(pilot, lambda: "stopped" in screen_text(app).splitlines()[0])
        app.diagnose.go_to("step agent status")
        stands = {row.key: row for row in app.diagnose.panes.board.entries}["step agent status"]
        assert stands.line.text.startswith("? ")


async def test_an_answer_that_never_comes_is_stopped_too() -> None:
    cluster = Hanging()
    cluster.hold.set()
    app = console(connecting_to(cluster))
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        cluster.hold.clear()
        command = next(one.command() for _, one in cluster.asked if isinstance(one, AgentCommand))
        run = app.session.runs.newest_first[0]
        run._first.asking.kept = Kept()
        app.push_screen(AnswerScreen(command))
        app.session.ask_answer(command, may_ask=True)
        await until(pilot, lambda: "x stop" in screen_text(app))
        await pilot.press("x")
        await until(pilot, lambda: "asking was stopped" in screen_text(app))
        assert not app.session.is_running


async def test_a_recording_says_so_and_is_not_asked_again() -> None:
    connect = connecting_to(practice("healthy"), kind="recording of 2026-11-23 01:52 UTC")
    app = console(connect)
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        assert "recording" in screen_text(app).splitlines()[0]
        assert "it does not change" in await text_after(app, pilot, "r")
        assert not app.session.is_running


async def test_stopping_when_nothing_runs_says_so() -> None:
    async with diagnosed() as (app, pilot):
        assert "nothing is under way" in await text_after(app, pilot, "x")


async def test_nothing_is_left_behind_after_the_end() -> None:
    before = set(threading.enumerate())
    closed = asyncio.Event()
    cluster = Hanging()
    cluster.close = lambda: asyncio.sleep(0, closed.set())  # type: ignore[method-assign]
    app = console(connecting_to(cluster))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.nodes)
        engine = app.session.engine
        assert engine is not None
        await pilot.press("q")
    app.session.close()
    assert closed.is_set()
    assert cluster.at_once == 0
    assert [
        one for one in threading.enumerate() if one not in before and one.name in ("engine", "loading")
    ] == []
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


BAD = ["b"]
DOWN = Condition(ConditionKind.OPERATOR_DOWN)


def toy_wrong(nodes: Nodes) -> Iterator[Finding]:
    """A node is bad."""
    yield from (warn(nodes, name, same_as="bad", asserts=(DOWN,)) for name in BAD)


def toy_symptom(nodes: Nodes) -> Iterator[Finding]:
    """A node suffers."""
    yield from (warn(nodes, f"{name} too", because_of=(DOWN,)) for name in BAD[:1])


def toy_sound(installation: Installation) -> Iterator[Finding]:
    """Cilium is there."""
    yield from ()


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three rules instead of all: one finds what is in `BAD`, one what follows from it."""
    steps = (PlaybookStep("toy", "Is it bad?", "kubectl get toys", "Because.", "Read it."),)
    rules = (rule(toy_wrong, "TOY001"), rule(toy_sound, "TOY002"), rule(toy_symptom, "TOY003"))
    known = Catalogue((Playbook("toy", "Toy", "Is it a toy?", steps),), rules)
    monkeypatch.setattr("playbooks.engine.discovery.catalogue", lambda: known)
    BAD[:] = ["b"]
    yield
    BAD[:] = ["b"]


@pytest.mark.usefixtures("toys")
async def test_a_finding_is_watched_until_it_is_gone_and_its_time_is_shown() -> None:
    cluster = ToyCluster()
    app = console(connecting_to(cluster))
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        await pilot.press("r")
        looks = len({look for look, _ in cluster.asked})
        await until(pilot, lambda: len({look for look, _ in cluster.asked}) > looks + 2)
        assert "watched" in screen_text(app)
        BAD.clear()
        await until(pilot, lambda: app.session.runs.gone)
        await until(pilot, lambda: "✓ gone 0" in screen_text(app))
        assert not app.session.is_running
        detail = await text_after(app, pilot, "enter")
        assert "first seen gone at 2026-01-01T00:" in detail
        assert "What proves it" in "\n".join(one.text for one in app.diagnose.panes.page.lines)


@pytest.mark.usefixtures("toys")
async def test_what_followed_from_a_cause_is_asked_again_when_the_cause_is_gone() -> None:
    cluster = ToyCluster()
    app = console(connecting_to(cluster))
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        assert [one.rule.id for one in app.session.snapshot.roots] == ["TOY001"]
        assert [one.rule.id for one in app.session.snapshot.roots[0].symptoms] == ["TOY003"]
        BAD.clear()
        await pilot.press("r")
        await until(pilot, lambda: len(app.session.runs.gone) == 2)
        assert not app.session.snapshot.roots


@pytest.mark.usefixtures("toys")
async def test_what_cannot_be_seen_any_more_is_not_gone() -> None:
    blind: list[Gap] = []
    cluster = ToyCluster(hook=lambda one: blind[0] if blind and "nodes" in one.command() else None)
    app = console(connecting_to(cluster), interval=3600.0)
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        blind.append(Gap(GapKind.FORBIDDEN, "nodes is forbidden", "kubectl get nodes"))
        await pilot.press("r")
        await until(pilot, lambda: "not seen again" in screen_text(app))
        assert not app.session.runs.gone
        assert "nodes is forbidden" in await text_after(app, pilot, "enter")
        for _ in range(2):
            await pilot.press("r")
            await until(pilot, lambda: app.session.runs._pauses)
        assert len(app.session.snapshot.gaps) == len({gap.command for gap in app.session.snapshot.gaps})


@pytest.mark.usefixtures("toys")
async def test_watching_asks_only_what_the_finding_needs_and_looks_count_on() -> None:
    cluster = ToyCluster()
    app = console(connecting_to(cluster), interval=3600.0)
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        first = {look for look, _ in cluster.asked}
        count = len(cluster.asked)
        await pilot.press("r")
        await until(pilot, lambda: len(cluster.asked) > count)
        again = cluster.asked[count:]
        assert min(look for look, _ in again) > max(first)
        assert all(request.command().startswith("kubectl get") for _, request in again)
        await pilot.press("x")
        assert not app.session.is_running


@pytest.mark.usefixtures("toys")
async def test_what_comes_back_is_no_longer_gone() -> None:
    app = console(connecting_to(ToyCluster()))
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        BAD.clear()
        await text_after(app, pilot, "colon", *"rerun", "enter")
        await until(pilot, lambda: app.session.runs.gone)
        BAD.append("b")
        await text_after(app, pilot, "colon", *"check", "enter")
        await until(pilot, lambda: app.session.snapshot.roots)
        assert not app.session.runs.gone


@pytest.mark.usefixtures("toys")
async def test_forty_subjects_are_one_finding_and_ten_are_named() -> None:
    BAD[:] = [f"node-{number:02}" for number in range(40)]
    app = console(connecting_to(ToyCluster()), is_quiet=False)
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        detail = await text_after(app, pilot, "enter")
        assert "10 of 40 shown" in detail
        assert "unproven" in detail


@pytest.mark.usefixtures("toys")
async def test_quiet_starts_nothing_until_it_is_asked() -> None:
    cluster = ToyCluster()
    app = console(connecting_to(cluster), is_quiet=True)
    async with running(app) as pilot:
        await until(pilot, lambda: app.session.connected)
        assert not cluster.asked
        await until(pilot, lambda: "nothing was asked yet" in screen_text(app))
        await pilot.press("r")
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.is_over)

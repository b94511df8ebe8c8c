"""The door for a newcomer: a symptom, a few questions, and a guide through the steps."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot

from playbooks.engine.discovery import catalogue
from playbooks.knowledge.symptoms import symptoms
from tests.tui.command import recording
from tests.tui.consoles import (
    NARROW,
    WIDE,
    connecting_to,
    console,
    diagnosed,
    is_settled,
    running,
    screen_text,
    text_after,
    until,
)
from tui.app import Console
from tui.commands.opening import recording as opened
from tui.connection import Connected
from tui.keys import ACTIONS
from tui.screens.guide import FindingScreen, GuideScreen

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


def test_every_symptom_asks_little_and_leads_through_steps_that_there_are() -> None:
    known = catalogue()
    for symptom in symptoms():
        assert len(symptom.asks) <= 3
        assert symptom.walk
        for name, key in symptom.walk:
            playbook = known.playbook(name)
            assert playbook, (symptom.key, name)
            assert key == "" or key in {step.key for step in playbook.steps}, (symptom.key, name, key)
    assert len({symptom.key for symptom in symptoms()}) == len(symptoms())


def test_every_playbook_of_the_four_is_behind_some_door_and_no_step_is_asked_twice() -> None:
    led = {name for symptom in symptoms() for name, _ in symptom.walk if symptom.key != "anything"}
    assert led == {"agent", "endpoint", "service", "policy"}
    assert all(len(set(symptom.walk)) == len(symptom.walk) for symptom in symptoms())


async def chosen(app: Console, pilot: Pilot[None], key: str) -> None:
    assert app.screen.listing.select(key), [row.key for row in app.screen.listing.entries]
    await pilot.press("enter")
    await pilot.pause()


@SIZES
async def test_a_newcomer_is_led_from_what_is_seen_to_the_cause_and_its_fix(size: tuple[int, int]) -> None:
    async with diagnosed(size=size) as (app, pilot):
        assert "Pods hang in ContainerCreating" in await text_after(app, pilot, "s")
        await chosen(app, pilot, "not-ready")
        await until(pilot, lambda: len(app.screen.listing.entries) > 3)
        assert "Question 1 of 1: Which node?" in screen_text(app)
        assert app.screen.listing.entries[0].right.text in ("error", "agent not ready")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, GuideScreen)
        shown = screen_text(app)
        for part in ("Step 1 of 7, Agent", "look at", "$ kubectl", "why", "showed"):
            assert part in shown
        app.screen.listing.select("agent running")
        await pilot.pause()
        page = "\n".join(one.text for one in app.screen.paper.lines)
        assert "yours: ✗ ERROR" in page
        assert set(app.session.runs.targets) <= set(app.session.snapshot.nodes)
        assert app.session.runs.targets
        assert "next" in page
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, FindingScreen)
        assert "What to do" in "\n".join(one.text for one in app.screen.printed())
        await pilot.press("escape", "escape", "escape", "escape")
        assert app.screen is app.diagnose


async def test_enter_walks_on_where_a_step_found_nothing() -> None:
    async with diagnosed("healthy") as (app, pilot):
        await pilot.press("s")
        await chosen(app, pilot, "agent")
        await until(pilot, lambda: len(app.screen.listing.entries) > 3)
        await chosen(app, pilot, "unsure")
        first = app.screen.listing.selected
        assert "Ruled out" in " ".join(screen_text(app).split())
        await pilot.press("enter")
        assert app.screen.listing.selected != first
        assert "Step 2 of 7" in await text_after(app, pilot)


async def test_sick_things_come_first_then_not_sure_then_the_rest() -> None:
    source = opened(recording("02")).source
    app = console(connecting_to(source, kind="recording"))
    async with running(app) as pilot:
        await until(pilot, lambda: is_settled(app))
        await pilot.press("s")
        await chosen(app, pilot, "from-outside")
        await until(pilot, lambda: len(app.screen.listing.entries) > 3)
        keys = [row.key for row in app.screen.listing.entries]
        states = [row.right.text if row.right else "" for row in app.screen.listing.entries]
        at = keys.index("unsure")
        assert at > 0
        assert all(state in ("no backends", "error", "warn") for state in states[:at])
        assert not any(states[at + 1 :])
        await pilot.press("enter")
        await until(pilot, lambda: "Question 2 of 2" in screen_text(app))
        await chosen(app, pilot, "unsure")
        assert keys[0] in screen_text(app).splitlines()[0]
        page = "\n".join(one.text for one in app.screen.printed())
        assert "yours: ✗ ERROR SVC001" in page
        assert "This is about what you named" in page


async def test_lists_are_filtered_while_typing_and_escape_goes_back_one_question() -> None:
    async with diagnosed("healthy") as (app, pilot):
        shown = await text_after(app, pilot, "s", "slash", *"dns")
        assert "DNS fails" in shown
        assert "ContainerCreating" not in shown
        await pilot.press("enter", "enter")
        await until(pilot, lambda: "Question 1 of 1" in screen_text(app))
        assert "What do you see?" in await text_after(app, pilot, "escape")
        await pilot.press("escape")
        assert app.screen is app.diagnose


async def test_the_whole_way_is_copied(tmp_path: Path) -> None:
    async with diagnosed("healthy", copy_folder=tmp_path) as (app, pilot):
        await pilot.press("s")
        await chosen(app, pilot, "anything")
        assert isinstance(app.screen, GuideScreen)
        await pilot.press("c", "down", "enter")
        await pilot.pause()
        text = (tmp_path / "copied.txt").read_text()
        assert text.startswith("Something else, or not sure")
        assert "Step 26 of 26, Policy" in text


async def test_every_binding_of_door_and_guide_comes_from_the_registry_and_every_key_offered_works() -> None:
    known = {(key, action.id) for action in ACTIONS for key in action.keys}
    async with diagnosed("healthy") as (app, pilot):
        for keys in (("s",), ("end", "enter")):
            await pilot.press(*keys)
            await pilot.pause()
            for node in (app.screen, *app.screen.query("*")):
                found = {
                    (key, one.id) for key, each in node._bindings.key_to_bindings.items() for one in each
                }
                assert found <= known, node
            bound = {
                one.id
                for node in (app.screen, app.focused)
                for each in node._bindings.key_to_bindings.values()
                for one in each
            }
            assert {one.id for one in app.keys.at(app.screen.place)} <= bound


async def test_it_draws_in_ascii() -> None:
    async with diagnosed("healthy", is_ascii=True) as (app, pilot):
        await pilot.press("s", "end", "enter")
        await until(pilot, lambda: isinstance(app.screen, GuideScreen))
        assert screen_text(app).isascii()


async def test_the_door_is_open_before_the_connection_is_there() -> None:
    arrived = threading.Event()
    connect = connecting_to(opened(recording("02")).source, kind="recording")

    async def slowly() -> Connected:
        await asyncio.to_thread(arrived.wait, 30)
        return await connect()

    app = console(slowly)
    async with running(app) as pilot:
        await until(pilot, lambda: app.session.is_connecting)
        await pilot.press("s")
        await chosen(app, pilot, "not-ready")
        assert "reading what there is" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, GuideScreen))
        assert "waiting for the connection" in screen_text(app)
        arrived.set()
        await until(pilot, lambda: "Step 1 of 7, Agent" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "lab-node-1" in screen_text(app))


async def test_help_in_the_guide_tells_the_words_of_its_step() -> None:
    async with diagnosed("healthy") as (app, pilot):
        await pilot.press("s")
        await chosen(app, pilot, "anything")
        app.screen.listing.select("policy realized")
        await pilot.press("question_mark")
        await pilot.pause()
        page = "\n".join(one.text for one in app.screen.printed())
        here = page.partition("Words on this screen")[2].partition("Commands, after")[0]
        assert "policy map" in here
        assert "Keys in: guide" in page

"""Agent commands typed after a colon: what fingers know, run where it is said, answers merged."""

from __future__ import annotations

from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from tests.tui.consoles import (
    NARROW,
    WIDE,
    connecting_to,
    console,
    diagnosed,
    practice,
    running,
    screen_text,
    until,
)
from tui.app import Console
from tui.screens.agents import AgentsScreen
from tui.view.agent_words import NotRun, first_words, read

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


async def typed(app: Console, pilot: Pilot[None], command: str) -> None:
    await pilot.press("colon")
    app.focused.post_message(Paste(command))
    await pilot.press("enter")
    await pilot.pause()


async def answered(app: Console, pilot: Pilot[None]) -> str:
    await until(pilot, lambda: isinstance(app.screen, AgentsScreen) and app.screen.answer.sheet)
    return "\n".join(one.text for one in app.screen.printed())


@SIZES
async def test_commands_of_agents_are_run_where_they_say_and_marked_by_node(size: tuple[int, int]) -> None:
    async with diagnosed("healthy", size) as (app, pilot):
        first, *_ = app.session.snapshot.nodes
        await typed(app, pilot, f"bpf lb list @{first}")
        text = await answered(app, pilot)
        assert text.startswith(f"=== {first}\n")
        assert "SERVICE ADDRESS" in text
        assert "cilium-dbg bpf lb list" in screen_text(app).splitlines()[0] or size == NARROW
        await pilot.press("escape")
        await typed(app, pilot, "version @all")
        assert "(6 of 6)" in await answered(app, pilot)


async def test_a_pod_stands_for_its_endpoint_on_its_node() -> None:
    async with diagnosed("healthy") as (app, pilot):
        pod = next(one for one in pods(app) if one["metadata"]["namespace"] == "shop")
        meta, node = pod["metadata"], pod["spec"]["nodeName"]
        await typed(app, pilot, f"endpoint get shop/{meta['name']}")
        text = await answered(app, pilot)
        assert text.startswith(f"=== {node}\n")
        assert f'"pod-name": "shop/{meta["name"]}"' in text or meta["name"] in text
        await pilot.press("escape")
        await typed(app, pilot, "endpoint get shop/nobody-0")
        await until(pilot, lambda: "there is no pod shop/nobody-0" in screen_text(app))


async def test_without_a_place_the_nodes_are_offered_sick_ones_first() -> None:
    async with diagnosed() as (app, pilot):
        await typed(app, pilot, "status")
        assert "Run status on which node?" in screen_text(app)
        assert app.screen.listing.selected == app.session.snapshot.sick[0]
        await pilot.press("end", "enter")
        text = await answered(app, pilot)
        assert "(1 of 6)" in text
        assert "not running" in text


async def test_a_command_that_changes_something_is_refused_in_words() -> None:
    async with diagnosed("healthy") as (app, pilot):
        await typed(app, pilot, "endpoint disconnect 12 @all")
        assert "it changes something, and honeyguide only reads" in " ".join(screen_text(app).split())
        await pilot.press("escape")
        await typed(app, pilot, "bpf lb lits @all")
        assert "near: bpf lb list" in screen_text(app)


async def test_what_is_refused_at_length_is_told_in_full() -> None:
    async with diagnosed("healthy") as (app, pilot):
        await typed(app, pilot, "bpf ct list global --evil @all")
        page = " ".join(screen_text(app).split())
        assert "is run without --evil: it may have" in page
        assert "--time-diff-clocksource-mode" in page


async def test_the_names_of_playbooks_alone_still_lead_to_playbooks() -> None:
    async with diagnosed("healthy") as (app, pilot):
        await typed(app, pilot, "endpoint")
        assert app.screen is app.diagnose
        assert app.diagnose.panes.board.selected == "playbook endpoint"


async def test_commands_and_nodes_complete() -> None:
    async with diagnosed("healthy") as (app, pilot):
        await pilot.press("colon", *"bpf lb", "space", *"li")
        assert ":bpf lb li st  tab" in screen_text(app)
        await pilot.press("tab", "space", "@", "a")
        await pilot.pause()
        assert ":bpf lb list @a ll  tab" in screen_text(app)


async def test_before_there_is_a_connection_nothing_is_run() -> None:
    app = console(connecting_to(practice("healthy")))
    async with running(app) as pilot:
        await typed(app, pilot, "status @all")
        assert isinstance(app.screen, AgentsScreen) or "there is no connection yet" in screen_text(app)


def pods(app: Console) -> list[Any]:
    store = app.session.connected.source.world.store
    return [item for kind in store.kinds if kind.plural == "pods" for item in store.all(kind, "shop")]


@pytest.mark.parametrize(
    ("text", "said", "node", "pod"),
    [
        ("bpf lb list @node-7", "bpf lb list", "node-7", ""),
        ("cilium-dbg status --verbose @all", "status --verbose", "*", ""),
        ("endpoint get shop/cart-0", "endpoint get shop/cart-0", "", "shop/cart-0"),
        ("endpoint shop/cart-0", "endpoint get shop/cart-0", "", "shop/cart-0"),
        ("bpf policy get shop/cart-0 -o json", "bpf policy get shop/cart-0 -o json", "", "shop/cart-0"),
        ("status @shop/cart-0", "status", "", "shop/cart-0"),
    ],
)
def test_what_is_typed_says_what_and_where(text: str, said: str, node: str, pod: str) -> None:
    words = read(text)
    assert (words.said, words.node, words.pod) == (said, node, pod)


@pytest.mark.parametrize(
    "text", ["status @a @b", "status @", "status 'x", "policy import @all", "kvstore set"]
)
def test_what_cannot_be_run_is_refused(text: str) -> None:
    with pytest.raises(NotRun):
        read(text)


def test_no_command_of_the_console_is_shadowed() -> None:
    from tui.screens.colon import _COMMANDS

    assert first_words() & _COMMANDS.keys() <= {"node"}

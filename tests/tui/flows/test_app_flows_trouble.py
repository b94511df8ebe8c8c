"""Flows in the console when there are none, when their source fails, and when they mean harm."""

from __future__ import annotations

import asyncio
import re
import threading

import pytest
from textual.events import Paste

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.access import CannotConnect
from playbooks.sources.hubble.events import Batch, Hole, Left, Phase, Rung, Skew, State
from tests.engine.toy import ToyCluster
from tests.tui.consoles import (
    NARROW,
    WIDE,
    connecting_to,
    diagnosed,
    running,
    screen_text,
    text_after,
    until,
)
from tests.tui.consoles import console as made_console
from tests.tui.flows.streams import LIVE, NOW, Said, SaidFlows, flow, flows, gone, loss, shown, watching
from tests.tui.flows.test_parts import EVIL, evil
from tui.app import Connected, Console


async def test_who_cannot_tell_flows_and_what_enables_hubble_stands_in_the_pane() -> None:
    gap = Gap(
        GapKind.NOT_FOUND, "no pod has the label k8s-app=hubble-relay", remedy="set hubble.relay.enabled"
    )
    state = State(Phase.WAITING, Rung.NONE, "nobody answers", gap, (Left(Rung.RELAY, gap),), 30)
    async with watching(SaidFlows((state,))) as (app, _):
        text = screen_text(app)
        assert "✗ no flows: nobody answers" in text
        assert "? Relay: no pod has the label k8s-app=hubble-relay" in text
        assert "hubble.enabled=true" in text
        assert "The next try is in 30 s." in text


async def test_without_a_drop_the_pane_says_that_this_is_well_and_what_else_can_be_asked() -> None:
    async with watching(SaidFlows()) as (app, _):
        text = screen_text(app)
        assert "waiting for the first flow that matches" in text
        assert "no packet was dropped that Hubble knows of" in text
        assert "/ asks for other flows" in text


async def test_where_only_monitor_tells_its_refusals_are_shown_and_how_to_get_the_rest() -> None:
    gap = Gap(GapKind.NOT_FOUND, "Relay is not installed")
    state = State(Phase.LIVE, Rung.MONITOR, left=(Left(Rung.RELAY, gap),))
    said = SaidFlows((state, Batch((flow(1), flow(2, verdict=1)))))
    async with watching(said) as (app, pilot):
        assert "drops, live by monitor in agents" in screen_text(app)
        assert "cart-1" in screen_text(app)
        assert "cart-2" not in screen_text(app)
        assert "! missing: names, and all but refusals: Hubble is off" in screen_text(app)
        await text_after(app, pilot, "i")
        page = "\n".join(one.text for one in app.screen.printed())
        assert "Relay: Relay is not installed" in page
        assert "hubble.enabled=true" in page


async def test_an_error_of_opening_is_told_with_what_to_do() -> None:
    said = SaidFlows(refusal=CannotConnect("the file is missing", "--tls-ca-cert-files", "give another"))
    async with watching(said) as (app, pilot):
        await until(pilot, lambda: app.session.watch.failure)
        await shown(app, pilot)
        for wanted in ("✗ the file is missing", "--tls-ca-cert-files", "give another", "r asks again"):
            assert wanted in screen_text(app)
        said.refusal = None
        await pilot.press("r")
        await until(pilot, lambda: said.streams)


async def test_flows_that_are_wanted_before_there_is_a_connection_come_with_it() -> None:
    may_connect = threading.Event()
    said = SaidFlows((LIVE, flows(1)))

    async def connect() -> Connected:
        await asyncio.to_thread(may_connect.wait, 20)
        return await connecting_to(ToyCluster(), flows=said)()

    app = made_console(connect, is_quiet=True)
    async with running(app) as pilot:
        await until(pilot, lambda: app.session.is_connecting)
        assert "as soon as there is a connection" in await text_after(app, pilot, "w")
        may_connect.set()
        await until(pilot, lambda: said.streams and not said.stream.waiting)
        await shown(app, pilot)
        assert "shop/cart-0" in screen_text(app)


async def test_a_source_without_flows_says_so() -> None:
    async with diagnosed() as (app, pilot):
        assert "this source has none" in await text_after(app, pilot, "w")


async def test_the_stream_can_be_stopped_and_begun_again() -> None:
    said = SaidFlows((LIVE, flows(1)))
    async with watching(said) as (app, pilot):
        first = said.stream
        assert "the stream is stopped; r asks again" in await text_after(app, pilot, "x")
        await until(pilot, lambda: first.is_closed)
        assert "shop/cart-0" in screen_text(app)
        await pilot.press("r")
        await until(pilot, lambda: len(said.streams) == 2)


async def test_leaving_does_not_wait_for_a_stream_that_hangs() -> None:
    import threading

    class Hanging(Said):
        may_end = threading.Event()

        def close(self) -> None:
            self.may_end.wait(20)
            super().close()

    said = SaidFlows()
    async with watching(said) as (app, _):
        stream = Hanging()
        app.session.watch._opening.stream = stream
        app.session.close()
        assert not stream.is_closed
        stream.may_end.set()


UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]")


@pytest.mark.parametrize(
    ("size", "is_ascii"),
    [(NARROW, False), (WIDE, True), ((40, 10), False)],
    ids=["80x24", "200x50-ascii", "40x10"],
)
async def test_hostile_flows_are_harmless_on_every_screen(size: tuple[int, int], is_ascii: bool) -> None:
    gap = Gap(GapKind.FORBIDDEN, EVIL, remedy=EVIL)
    hole = Hole(EVIL, NOW, None, EVIL)
    said = SaidFlows((State(Phase.WAITING, Rung.RELAY, EVIL, gap, (Left(Rung.SERVER, gap),), 3),))
    async with watching(said, size, is_ascii=is_ascii) as (app, pilot):
        harmless(app, is_ascii)
        said.stream.say(LIVE, Batch((evil(),)), loss(EVIL, 3), gone(EVIL, EVIL), hole, Skew(EVIL, 3.0))
        await shown(app, pilot)
        for keys in ((), ("right",), ("home",), ("enter",), ("end",), ("c",), ("escape", "escape"), ("i",)):
            await pilot.press(*keys)
            await pilot.pause()
            harmless(app, is_ascii)
        await pilot.press("escape", "slash", "ctrl+u")
        app.focused.post_message(Paste(EVIL))
        await pilot.press("enter")
        await pilot.pause()
        harmless(app, is_ascii)
        assert app.is_running


def harmless(app: Console, is_ascii: bool) -> None:
    """Nothing of what is drawn can be taken for a command by a terminal."""
    text = "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
    assert not UNSAFE.search(text), UNSAFE.findall(text)
    assert not is_ascii or text.isascii(), {one for one in text if not one.isascii()}

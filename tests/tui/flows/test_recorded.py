"""Flows of recordings in the console."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from playbooks.model.hubble.seen import Reader
from playbooks.sources.journal import About, Journal
from playbooks.sources.journal.flows import FlowStore
from tests.engine.toy import ToyCluster
from tests.tui.command import CLUSTERS
from tests.tui.consoles import NARROW, connecting_to, console, running, screen_text, until
from tests.tui.flows.streams import NOW, flow, shown
from tui.commands.opening import recording as opened
from tui.flows.keeping import FlowKeeper
from tui.flows.recorded import RecordedFlows
from tui.flows.watch import Watch

FORWARDED = {"verdict": 1, "drop_reason_desc": 0, "event_type": {"type": 4}}


def begun(folder: Path) -> None:
    """A recording that holds nothing yet."""
    journal = Journal.open(folder, About("lab", "1", "me", "kubectl"))
    closing = threading.Thread(target=lambda: asyncio.run(journal.close()))
    closing.start()
    closing.join()


def recorded(folder: Path, *raws: bytes) -> RecordedFlows:
    """A recording with these flows."""
    begun(folder)
    if raws:
        store = FlowStore.in_journal(folder)
        store.add(raws, Reader().read_all(raws))
        store.close()
    return RecordedFlows(folder, NOW)


async def test_from_a_dropped_flow_two_keys_lead_to_what_decides_it_and_the_rule_that_is_missing() -> None:
    folder = next((CLUSTERS).glob("16-*")) / "sysdump.zip"
    archive = opened(str(folder)).source
    flows = RecordedFlows(folder, archive.now)
    app = console(connecting_to(archive, kind="recording", flows=flows), is_quiet=True)
    async with running(app, NARROW) as pilot:
        await until(pilot, lambda: app.session.watch)
        await pilot.press("w")
        await until(pilot, lambda: app.session.watch.state and not app.session.watch.is_on)
        await pilot.press("slash", "ctrl+u", *"--to-pod shop/cart --verdict DROPPED", "enter")
        await until(pilot, lambda: "Policy denied" in screen_text(app))
        await shown(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: "not admitted: Pod shop/cart-client" in screen_text(app))
        await pilot.press("end")
        await until(pilot, lambda: "it also opens shop/cart-" in screen_text(app))


async def test_a_recording_shows_its_flows_and_filters_them(tmp_path: Path) -> None:
    source = recorded(tmp_path, flow(1), flow(2, **FORWARDED), flow(3))
    app = console(connecting_to(ToyCluster(), kind="recording", flows=source), is_quiet=True)
    async with running(app) as pilot:
        await until(pilot, lambda: app.session.watch)
        await pilot.press("w")
        await until(pilot, lambda: app.session.watch.state and not app.session.watch.is_on)
        await shown(app, pilot)
        assert "drops, recorded" in screen_text(app)
        assert "cart-3" in screen_text(app)
        assert "cart-2" not in screen_text(app)
        await pilot.press("slash", "ctrl+u", *"all", "enter")
        await until(pilot, lambda: app.session.watch.count == 3)
        await shown(app, pilot)
        assert "cart-2" in screen_text(app)
        await pilot.press("slash", "ctrl+u", *"--verdict AUDIT", "enter")
        await until(pilot, lambda: app.session.watch.state and not app.session.watch.is_on)
        await shown(app, pilot)
        assert "The recording holds no flow that matches." in screen_text(app)


async def test_a_recording_without_flows_says_so(tmp_path: Path) -> None:
    app = console(connecting_to(ToyCluster(), kind="recording", flows=recorded(tmp_path)), is_quiet=True)
    async with running(app) as pilot:
        await until(pilot, lambda: app.session.watch)
        await pilot.press("w")
        await until(pilot, lambda: app.session.watch.state and not app.session.watch.is_on)
        await shown(app, pilot)
        assert "holds no flow" in screen_text(app)


def drained(watch: Watch) -> Watch:
    """Until all of a recording was read."""
    while watch.is_on:
        watch.drain()
    watch.drain()
    return watch


def test_what_was_watched_is_there_again_in_the_recording(tmp_path: Path) -> None:
    begun(tmp_path)
    keeper = FlowKeeper(tmp_path)
    assert keeper.put([flow(1), flow(2)]) == ""
    keeper.close()
    watch = Watch(RecordedFlows(tmp_path, NOW))
    watch.ask(watch.question)
    assert drained(watch).count == 2


def test_flows_that_cannot_be_kept_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keeper = FlowKeeper(tmp_path / "file")
    keeper.put([flow(1)])
    keeper.close()
    assert keeper.put([flow(2)])

"""Flows in the console: asked for, followed, paused, filtered, opened, and what is missing of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.events import Paste

from playbooks.engine.discovery import Catalogue
from playbooks.model.cilium.agents import Agents
from playbooks.model.finding import Finding, Ref, Severity, finding
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.rule import Playbook, PlaybookStep
from playbooks.sources.hubble.dialled import Dialled
from playbooks.sources.hubble.events import Batch, Phase, Rung, State, Traffic
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import Wish
from tests.engine.toy import ToyCluster, rule
from tests.sources.hubble.observing import Answer, Observed
from tests.tui.consoles import (
    NARROW,
    WIDE,
    connecting_to,
    running,
    screen_text,
    text_after,
    until,
)
from tests.tui.consoles import console as made_console
from tests.tui.flows.streams import LIVE, SaidFlows, flow, flows, gone, loss, shown, watching

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


@SIZES
async def test_drops_are_asked_for_and_shown(size: tuple[int, int]) -> None:
    said = SaidFlows((LIVE, flows(3)))
    async with watching(said, size) as (app, _):
        text = screen_text(app)
        assert "/ --verdict DROPPED --verdict ERROR" in text
        assert "drops, live by Relay" in text
        assert "✗ DROPPED   Policy denied shop/cart-2 → shop/redis-0:6379 TCP SYN" in text
        assert "12:00:02" in text
        request = said.asked[0].request()
        assert [*request.whitelist[0].verdict] == [flow_pb2.DROPPED, flow_pb2.ERROR]
        assert request.follow
        assert request.number == 100


async def test_the_status_line_says_who_tells_flows() -> None:
    said = SaidFlows((State(Phase.LIVE, Rung.AGENTS),))
    async with watching(said, (140, 30)) as (app, pilot):
        assert "stream: drops, live by hubble in agents" in screen_text(app).splitlines()[0]
        said.stream.say(State(Phase.WAITING, Rung.NONE, "the agents are gone", pause=30))
        await shown(app, pilot)
        assert "nobody tells; again in 30 s" in screen_text(app).splitlines()[0]


async def test_nothing_is_asked_and_nothing_said_before_somebody_wants_flows() -> None:
    said = SaidFlows()
    app = made_console(connecting_to(ToyCluster(), flows=said), is_quiet=True)
    async with running(app, (140, 30)) as pilot:
        await until(pilot, lambda: app.session.watch)
        assert "stream" not in screen_text(app).splitlines()[0]
        assert not said.asked


@SIZES
async def test_what_is_missing_is_always_said(size: tuple[int, int]) -> None:
    said = SaidFlows((LIVE, flows(2)))
    async with watching(said, size) as (app, pilot):
        assert "none known to be missing" in screen_text(app)
        said.stream.say(loss("node-1", 7), gone("node-3", "no route"), flows(60, 2))
        await shown(app, pilot)
        missing = "! missing: no word from node-3, 7 lost by Cilium on node-1"
        assert missing in screen_text(app)
        assert missing in await text_after(app, pilot, "up", "home", "p")


async def test_a_list_that_was_scrolled_stands_still_and_counts_what_comes_below() -> None:
    said = SaidFlows((LIVE, flows(50)))
    async with watching(said) as (app, pilot):
        await pilot.press("up", "up")
        before = screen_text(app)
        assert "stands, end follows" in before
        said.stream.say(flows(20, 50))
        await shown(app, pilot)
        app.diagnose.panes.flows.steered()
        await shown(app, pilot)
        assert "+20 below, end follows" in screen_text(app)
        assert "cart-69" not in screen_text(app)
        assert before.splitlines()[4:-2] == screen_text(app).splitlines()[4:-2]
        assert "cart-69" in await text_after(app, pilot, "end")
        assert "follows" in screen_text(app)
        said.stream.say(flows(1, 70))
        await shown(app, pilot)
        assert "cart-70" in screen_text(app)


async def test_going_down_past_the_last_row_follows_again() -> None:
    said = SaidFlows((LIVE, flows(5)))
    async with watching(said) as (app, pilot):
        await pilot.press("up", "down")
        said.stream.say(flows(1, 5))
        await shown(app, pilot)
        assert "cart-5 " not in screen_text(app)
        assert "cart-5 " in await text_after(app, pilot, "down")


async def test_a_paused_list_stays_as_it_is_until_it_follows_again() -> None:
    said = SaidFlows((LIVE, flows(5)))
    async with watching(said) as (app, pilot):
        assert "paused, p follows" in await text_after(app, pilot, "p")
        paused = screen_text(app)
        said.stream.say(flows(40, 5), Traffic(1e6, 900, 10, 0))
        await shown(app, pilot)
        assert screen_text(app) == paused
        assert "cart-44" in await text_after(app, pilot, "p")


async def test_rows_that_stand_on_the_screen_stay_while_older_ones_are_let_go() -> None:
    said = SaidFlows((LIVE, flows(600)))
    async with watching(said) as (app, pilot):
        app.session.watch.roll._count_limit = 700
        await pilot.press("up")
        before = screen_text(app)
        said.stream.say(flows(400, 600))
        await shown(app, pilot)
        assert app.session.watch.roll.begin > 0
        # The line that says what is missing takes the place of the last row.
        assert before.splitlines()[4:-3] == screen_text(app).splitlines()[5:-2]
        assert "older let go" in screen_text(app)


async def test_filters_are_those_of_hubble_observe_and_go_to_the_server() -> None:
    said = SaidFlows((LIVE, flows(3)))
    async with watching(said) as (app, pilot):
        first = said.stream
        await pilot.press("slash", "ctrl+u")
        app.focused.post_message(Paste("--from-pod shop/cart --not --to-port 53"))
        await pilot.press("enter")
        await until(pilot, lambda: len(said.streams) == 2)
        await until(pilot, lambda: first.is_closed)
        await shown(app, pilot)
        request = said.asked[1].request()
        assert request.whitelist[0].source_pod == ["shop/cart"]
        assert request.blacklist[0].destination_port == ["53"]
        assert not request.HasField("field_mask")
        assert "/ --from-pod shop/cart --not --to-port 53" in screen_text(app)


async def test_a_wrong_filter_is_told_in_its_line_and_the_stream_goes_on() -> None:
    said = SaidFlows((LIVE, flows(3)))
    async with watching(said) as (app, pilot):
        await pilot.press("slash", "ctrl+u")
        app.focused.post_message(Paste("--verdict DORPPED"))
        text = await text_after(app, pilot, "enter")
        assert '✗ invalid argument "DORPPED" for "--verdict" flag' in text
        assert len(said.streams) == 1
        said.stream.say(flows(1, 7))
        await shown(app, pilot)
        assert "cart-7" in screen_text(app)
        # What was typed is there to be corrected.
        assert "/--verdict DORPPED" in await text_after(app, pilot, "slash")
        await pilot.press("ctrl+u", "enter")
        await until(pilot, lambda: len(said.streams) == 2)
        await shown(app, pilot)
        assert "/ --verdict DROPPED --verdict ERROR" in screen_text(app)


async def test_flags_complete() -> None:
    async with watching(SaidFlows()) as (app, pilot):
        await pilot.press("slash", "ctrl+u")
        assert "/--from-p od" in await text_after(app, pilot, *"--from-p")


async def test_the_full_stream_is_a_choice_that_shows_its_bytes() -> None:
    said = SaidFlows((LIVE, flows(3)))
    async with watching(said, (140, 30)) as (app, pilot):
        said.stream.say(Traffic(2_000_000, 2600, 5_000_000, 0))
        await pilot.press("slash", "ctrl+u", *"all", "enter")
        await until(pilot, lambda: len(said.streams) == 2)
        said.stream.say(LIVE, Traffic(2_000_000, 2600, 5_000_000, 256_000_000))
        await shown(app, pilot)
        app.diagnose.panes.flows.steered()
        await shown(app, pilot)
        assert not said.asked[1].allowlist
        assert "all flows, live by Relay" in screen_text(app)
        assert "2.0 MB/s, 5.0 MB of 256 MB so far" in screen_text(app)


@SIZES
async def test_a_selected_finding_shows_the_flows_of_its_subjects(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playbooks.engine.discovery.catalogue", lambda: CATALOGUE)
    said = SaidFlows((LIVE, flows(3)))
    async with watching(said, size, ToyCluster()) as (app, pilot):
        assert "of 2 subjects, live by Relay" in screen_text(app)
        assert "/ --pod shop/cart-1  or  --service shop/redis" in screen_text(app)
        wanted = said.asked[0].request().whitelist
        assert [one.source_pod[:] for one in wanted if one.source_pod] == [["shop/cart-1"]]
        assert [one.destination_service[:] for one in wanted if one.destination_service] == [["shop/redis"]]
        assert said.nodes == [("node-1",)]
        await pilot.press("escape")
        app.diagnose.panes.board.select("playbook toy")
        await pilot.press("w", *(() if size == NARROW else ("w",)))
        await until(pilot, lambda: app.session.watch.question.name == "drops")


def broken(agents: Agents) -> Iterator[Finding]:
    """Cart cannot reach redis."""
    subjects = [Ref("Pod", "cart-1", "shop", "node-1"), Ref("Service", "redis", "shop")]
    yield finding(Severity.ERROR, subjects, "cart cannot reach redis", evidence=(agents.evidence("x"),))


TOY = Playbook("toy", "Toy", "Why?", (PlaybookStep("toy", "What?", "toy", "Why", "So"),))
CATALOGUE = Catalogue((TOY,), (rule(broken, "TOY001"),))


async def test_what_was_typed_stays_when_something_else_is_selected() -> None:
    said = SaidFlows((LIVE, flows(3)))
    async with watching(said, WIDE) as (app, pilot):
        await pilot.press("slash", "ctrl+u", *"all", "enter")
        await until(pilot, lambda: len(said.streams) == 2)
        await pilot.press("escape", "down", "down", "down")
        await pilot.pause(0.5)
        assert len(said.streams) == 2
        assert "/ all" in screen_text(app)


@SIZES
async def test_a_flow_opens_with_its_policies_its_reason_its_fields_and_commands(
    size: tuple[int, int],
) -> None:
    said = SaidFlows((LIVE, denied()))
    async with watching(said, size) as (app, pilot):
        await text_after(app, pilot, "enter")
        page = "\n".join(one.text for one in app.screen.printed())
        assert "from        shop/cart-1  10.0.0.1:41001  identity 20817" in page
        assert "denied by  CiliumNetworkPolicy shop/no-redis  (ingress)" in page
        assert "drop reason 133  Policy denied" in page
        assert (
            "$ hubble observe --from-pod shop/cart-1 --to-pod shop/redis-0 --to-port 6379 --last 50" in page
        )
        assert '"drop_reason_desc": "POLICY_DENIED"' in page
        assert "Copy what?" in await text_after(app, pilot, "c")
        await pilot.press("escape")
        assert "/ --verdict" in await text_after(app, pilot, "escape")
        assert app.screen is app.diagnose


def denied() -> object:
    policy = flow_pb2.Policy(name="no-redis", namespace="shop", kind="CiliumNetworkPolicy")
    return Batch((flow(1, ingress_denied_by=[policy]),))


async def test_policies_that_cannot_be_read_are_said_to_be_unknown() -> None:
    said = SaidFlows((LIVE, flows(1)))
    async with watching(said) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.page.written is not None)
        page = "\n".join(one.text for one in app.screen.printed())
        assert "Hubble names none, and the cluster's cannot be read: nothing was asked yet" in page


async def test_escape_goes_back_from_flows_to_where_they_were_asked_for() -> None:
    said = SaidFlows((LIVE, flows(1)))
    async with watching(said) as (app, pilot):
        assert "WHAT IS WRONG" in await text_after(app, pilot, "escape")
        await pilot.press("enter")
        await pilot.press("w")
        assert "shop/cart-0" in screen_text(app) or await text_after(app, pilot)
        await pilot.press("escape")
        assert app.diagnose.panes.stage.value == "detail"


async def test_one_key_turns_between_evidence_and_flows() -> None:
    async with watching(SaidFlows((LIVE, flows(1))), WIDE) as (app, pilot):
        assert app.focused.id == "flow-list"
        await pilot.press("w")
        assert app.focused.id == "evidence"
        await pilot.press("w", "tab")
        assert app.focused.id == "page"


async def test_what_comes_is_kept() -> None:
    said = SaidFlows((LIVE, flows(3), loss("node-1", 2)))
    async with watching(said):
        assert len(said.kept) == 4


async def test_a_real_stream_is_watched() -> None:
    class Dials(SaidFlows):
        def open(self, asked, nodes):  # type: ignore[no-untyped-def]
            return Stream([Dialled(server.target)], Wish(asked.request()))

    with Observed(script=[Answer([flow(1), flow(2)], hangs=True)]) as server:
        app = made_console(connecting_to(ToyCluster(), flows=Dials()), is_quiet=True)
        async with running(app) as pilot:
            await until(pilot, lambda: app.session.watch)
            await pilot.press("w")
            await until(pilot, lambda: app.session.watch.count == 2)
            await shown(app, pilot)
            assert "drops, live by the named server" in screen_text(app)
            assert "shop/cart-2 → shop/redis-0:6379" in screen_text(app)
        assert [*server.asked[0].whitelist[0].verdict] == [flow_pb2.DROPPED, flow_pb2.ERROR]

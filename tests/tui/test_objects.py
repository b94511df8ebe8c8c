"""Objects of the cluster as lists: what is sick first, what can be done with each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Gap, GapKind
from playbooks.model.finding import Ref
from playbooks.model.kube.resources import ENDPOINT_SLICES, PODS
from playbooks.model.request import Objects, Request
from tests.engine.toy import ToyCluster
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
from tests.tui.test_targets import typed
from tui.app import Console
from tui.keys import Keys, Place
from tui.screens.described import DescribedScreen
from tui.screens.objects import ObjectsScreen
from tui.view.colon_help import COMMAND_HELP, SHORT
from tui.view.object_table import ObjectTable
from tui.view.objects import SHELVES, Item, Listed, shelf_of, sorted_items, widths_of

KINDS = {
    "pods": ("shop/cart-", "Running", "1/1", "NODE"),
    "svc": ("shop/checkout", "no backends", "0/0", "1 sick"),
    "nodes": ("6.12", "Ready", "ready", "KERNEL"),
    "cep": ("shop/cart-", "IDENTITY", "ready"),
    "policies": ("shop/matches-nothing", "selects nothing", "DENIES BY DEFAULT"),
    "cnp": ("shop/matches-nothing",),
    "ccnp": ("deny-ads",),
    "netpol": ("monitoring/default-deny", "1 pod", "ingress"),
    "ciliumid": ("ENDPOINTS", "k8s:app=cart"),
    "slices": ("shop/cart-", "2/2"),
}
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


async def listed(app: Console, pilot: Pilot[None], text: str) -> str:
    """What can be read of a list once it is there."""
    await typed(app, pilot, text)
    await until(pilot, lambda: isinstance(app.screen, ObjectsScreen) and app.screen._listed)
    return screen_text(app)


@SIZES
async def test_every_kind_is_listed_with_what_matters(size: tuple[int, int]) -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=size) as (app, pilot):
        for text in KINDS if size is NARROW else ("pods", "policies"):
            parts = KINDS[text]
            shown = await listed(app, pilot, text)
            for part in parts:
                assert part in shown, (text, part, shown)
            assert "seen " in shown.splitlines()[1]
            assert all(len(row) <= size[0] for row in shown.splitlines())
        assert isinstance(app.screen, ObjectsScreen)
        assert len(app.screen_stack) == 2


async def test_sick_ones_come_first_and_enter_aims_at_what_is_selected() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",)) as (app, pilot):
        shown = await listed(app, pilot, "services")
        assert "✗ shop/checkout" in shown.splitlines()[3]
        await pilot.press("enter")
        await until(pilot, lambda: is_settled(app) and app.session.ends)
        assert app.screen is app.diagnose
        assert "about Service shop/checkout, 0 backends" in screen_text(app)
        assert app.session.runs.named == ("service/shop/checkout",)


async def test_an_object_is_described_with_its_findings_and_read_as_yaml() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",)) as (app, pilot):
        await listed(app, pilot, "service checkout")
        shown = await text_after(app, pilot, "d")
        assert isinstance(app.screen, DescribedScreen)
        for part in ("Service shop/checkout", "no backends", "What is found about it", "SVC001", "Events"):
            assert part in shown
        await until(pilot, lambda: "none is kept" in screen_text(app))
        await pilot.press("escape", "y")
        await until(pilot, lambda: app.screen.answer.sheet)
        shown = screen_text(app)
        assert shown.startswith("$ kubectl -n shop get services checkout -o yaml")
        assert "kind: Service" in shown
        assert "managedFields:" not in app.screen.answer.sheet.body.decode()


async def test_rows_are_filtered_and_limited_to_a_namespace() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=WIDE) as (app, pilot):
        await listed(app, pilot, "pods")
        await pilot.press("slash", *"intr")
        await pilot.pause()
        assert "1 of 23 · / intr" in screen_text(app).splitlines()[1]
        await pilot.press("ctrl+u", "enter")
        shown = await typed(app, pilot, "ns monitoring")
        assert isinstance(app.screen, ObjectsScreen)
        assert "ns monitoring" in shown.splitlines()[0]
        assert "of 23 · ns monitoring" in shown.splitlines()[1]
        assert "shop/" not in "\n".join(shown.splitlines()[3:-1])
        await pilot.press("slash", *"zzz", "enter")
        assert "no row holds 'zzz'; / and enter shows all again" in screen_text(app)
        shown = await typed(app, pilot, "target shop/cart")
        assert app.screen is app.diagnose


async def test_the_log_of_a_pod_and_of_a_nodes_agent_is_one_key_away(tmp_path: Path) -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=WIDE, copy_folder=tmp_path) as (
        app,
        pilot,
    ):
        await listed(app, pilot, "pods intruder")
        await pilot.press("l")
        await until(pilot, lambda: app.screen.answer.sheet)
        assert "$ kubectl -n default logs intruder-" in screen_text(app)
        await pilot.press("escape")
        await listed(app, pilot, "nodes")
        await pilot.press("l")
        await until(pilot, lambda: app.screen.answer.sheet)
        assert "logs cilium-" in screen_text(app)
        await pilot.press("escape")
        await listed(app, pilot, "slices")
        assert "has no log; pods and nodes have" in await text_after(app, pilot, "l")
        shown = await text_after(app, pilot, "c")
        assert "kubectl -n default get endpointslices" in shown
        assert "the command of this list" in shown


async def test_what_cannot_be_read_says_why_and_what_to_do() -> None:
    why = Gap(
        GapKind.FORBIDDEN, "listing endpointslices is forbidden", remedy="ask for list on endpointslices"
    )

    def refused(request: Request) -> Gap | None:
        return why if isinstance(request, Objects) and request.resource is ENDPOINT_SLICES else None

    async with running(console(connecting_to(ToyCluster(hook=refused))), NARROW) as pilot:
        app = pilot.app
        assert isinstance(app, Console)
        await until(pilot, lambda: is_settled(app))
        shown = await listed(app, pilot, "slices")
        for part in (
            "slices are not visible",
            "listing endpointslices is forbidden",
            "to do    ask for list",
        ):
            assert part in shown
        shown = await listed(app, pilot, "services")
        assert "services" in shown
        assert "there are no services: the list was read and is empty" in shown or "not visible" in shown


def test_twenty_thousand_pods_are_sorted_and_filtered() -> None:
    items = sorted_items(
        Item(
            Ref("Pod", f"web-{number:05}", f"team-{number % 50}"),
            ("Running", "1/1", f"node-{number % 200}", "0"),
            PODS,
            number == 17_777,
        )
        for number in range(20_000)
    )
    table = ObjectTable(SHELVES[0], Listed(items, widths=widths_of(items, SHELVES[0].titles)))
    assert table.kept()[0].ref.name == "web-17777"
    some = replace(table, wanted="web-1777").kept()
    assert (some[0].ref.name, len(some)) == ("web-17777", 10)
    assert not replace(table, wanted="nothing").kept()


async def test_a_list_of_twenty_thousand_scrolls_without_drawing_them() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",)) as (app, pilot):
        await listed(app, pilot, "pods")
        screen = app.screen
        assert isinstance(screen, ObjectsScreen)
        items = tuple(
            Item(Ref("Pod", f"web-{number:05}", "shop"), ("Running", "1/1", "node-1", "0"), PODS)
            for number in range(20_000)
        )
        screen._listed = Listed(items, widths=widths_of(items, SHELVES[0].titles))
        screen._show()
        await pilot.press("end")
        await pilot.pause()
        assert "web-19999" in screen_text(app)
        await pilot.press("pageup", "pageup", "home")
        await pilot.pause()
        assert "web-00000" in screen_text(app)
        assert len(screen.table._strips) < 1000


def test_every_word_of_the_console_is_on_its_help_page() -> None:
    from tui.screens.colon import _COMMANDS

    page = " ".join(f"{usage} {told}" for usage, told in COMMAND_HELP)
    words = set(page.replace(",", " ").replace(";", " ").replace(".", " ").split())
    assert {name for name in (*_COMMANDS, *(one.key for one in SHELVES)) if name not in words} == set()
    assert {target for target in SHORT.values() if target not in _COMMANDS} == set()


def test_no_word_means_two_lists_or_a_list_and_a_command() -> None:
    from tui.screens.colon import _COMMANDS

    words = [word for one in SHELVES for word in (one.key, *one.words)]
    assert len(words) == len(set(words))
    assert not set(words) & {*_COMMANDS, *SHORT}
    assert shelf_of("po") is SHELVES[0]


def test_the_keys_of_a_list_are_the_ones_of_k9s() -> None:
    keys = {key: action.id for action in Keys().at(Place.OBJECTS) for key in action.keys}
    assert {key: keys[key] for key in ("d", "y", "l", "slash", "colon", "enter", "escape", "c")} == {
        "d": "raw",
        "y": "yaml",
        "l": "logs",
        "slash": "filter",
        "colon": "command",
        "enter": "open",
        "escape": "back",
        "c": "copy",
    }


async def test_unknown_words_say_what_there_is_and_what_is_near() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=WIDE) as (app, pilot):
        assert "no command 'podz'; near: pods" in await typed(app, pilot, "podz")
        snapshot = app.session.snapshot
        assert isinstance(snapshot, Snapshot)

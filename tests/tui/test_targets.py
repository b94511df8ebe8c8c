"""What a person aims at in the running console, and which namespace and context is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from playbooks.engine.run import Order
from playbooks.engine.targets.aim import Aim
from playbooks.model.rule import Rule
from tests.tui.consoles import NARROW, WIDE, console, diagnosed, is_settled, running, screen_text, until
from tui.aiming import Ends
from tui.app import Console
from tui.commands.console import LiveConsole
from tui.commands.options import Options
from tui.connection import Connected, ConsoleOptions, Contexts

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


async def typed(app: Console, pilot: Pilot[None], text: str) -> str:
    """What can be read after a command and all that it began."""
    await pilot.press("colon")
    app.focused._set(text)
    await pilot.press("enter")
    await until(pilot, lambda: is_settled(app) and "looking for" not in screen_text(app))
    return screen_text(app)


@SIZES
async def test_a_target_is_aimed_at_as_the_command_line_does(size: tuple[int, int]) -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=size) as (app, pilot):
        runs = app.session.runs
        before = runs.newest_first[0]
        shown = await typed(app, pilot, "target shop/checkout-client shop/checkout:8080")
        assert "about Deployment shop/checkout-client, 1 pod" in shown
        assert "about Service shop/checkout, 0 backends" in shown
        assert runs.named == ("shop/checkout-client", "shop/checkout:8080")
        newest = runs.newest_first[0]
        assert newest is not before
        assert newest._order.targets == runs.named
        assert newest._order.calls == (runs.named,)
        assert newest._aim.nodes
        about = app.session.snapshot
        assert about.is_about(about.roots[0].finding.subjects[0])
        await typed(app, pilot, "to shop/redis:6379")
        assert app.session.about == "shop/checkout-client → shop/redis:6379"
        shown = await typed(app, pilot, "target")
        assert "about" not in shown
        assert app.session.snapshot.things == frozenset()


async def test_what_is_known_already_is_read_in_another_order_at_once() -> None:
    async with diagnosed("service-no-backends", playbooks=("policy",), size=WIDE) as (app, pilot):
        runs = app.session.runs
        found = [one.finding for one in app.session.snapshot.every()]
        thing = next(ref for one in found for ref in one.subjects if ref.kind == "CiliumNetworkPolicy")
        runs.aim(Ends("it"), Aim(frozenset({(thing.namespace, thing.name)}), said=("it",)))
        assert app.session.snapshot.about == ("it",)
        assert app.session.snapshot.is_about(thing)
        assert {one.finding for one in app.session.snapshot.every()} == set(found)
        await pilot.pause()


async def test_what_does_not_resolve_says_what_was_looked_for_and_what_is_near() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=WIDE) as (app, pilot):
        shown = await typed(app, pilot, "target shop/carts")
        assert "shop/carts names nothing here: looked for a pod, workload or service carts" in shown
        assert "did you mean shop/cart" in shown
        assert app.session.runs.named == ()
        assert "one target, or who calls" in await typed(app, pilot, "target a b c")
        assert "one caller" in await typed(app, pilot, "from")


async def test_names_of_the_cluster_complete() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=WIDE) as (app, pilot):
        await pilot.press("colon")
        await until(pilot, lambda: app.session.names)
        await pilot.press(*"target ca")
        await pilot.pause()
        assert "target shop/cart" in screen_text(app)
        await pilot.press("tab")
        await pilot.pause()
        assert ":target shop/cart" in screen_text(app)
        await pilot.press("ctrl+u", *"ns sh")
        await pilot.pause()
        assert ":ns sh op" in screen_text(app)
        await pilot.press("escape")


async def test_a_namespace_is_said_on_the_status_line_and_what_is_left_out_is_counted() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",)) as (app, pilot):
        await pilot.press("colon")
        await until(pilot, lambda: app.session.names)
        await pilot.press("escape")
        shown = await typed(app, pilot, "ns default")
        assert "ns default" in shown.splitlines()[0]
        assert "of other namespaces; :ns alone shows all" in shown
        assert "no namespace 'shpo'; near: shop" in await typed(app, pilot, "ns shpo")
        shown = await typed(app, pilot, "ns")
        assert "all namespaces" in shown
        assert "of other namespaces" not in shown


async def test_targets_of_the_command_line_are_told_too() -> None:
    def order(rules: tuple[Rule, ...]) -> Order:
        return replace(Order(rules), targets=("shop/cart", "shop/nobody"))

    async with diagnosed("service-no-backends", playbooks=("service",), size=WIDE, order=order) as (app, _):
        shown = screen_text(app)
        assert "about Service shop/cart" in shown or "about Deployment shop/cart" in shown
        assert "shop/nobody names nothing here" in shown


async def test_another_context_is_opened_after_this_console_is_left() -> None:
    opened: list[str] = []
    contexts = Contexts(("prod-eu", "prod-us"), "prod-eu", opened.append)
    async with diagnosed("service-no-backends", playbooks=("service",), contexts=lambda: contexts) as (
        app,
        pilot,
    ):
        assert "no context 'prod-uk'; near: prod-" in await typed(app, pilot, "ctx prod-uk")
        await pilot.press("colon", *"ctx", "enter")
        await pilot.pause()
        assert "Open which context? This is prod-eu." in screen_text(app)
        await pilot.press("enter")
        assert opened == ["prod-us"]


async def test_where_no_context_can_be_opened_the_command_is_said() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",)) as (app, pilot):
        assert "honeyguide --context NAME" in await typed(app, pilot, "ctx prod-us")


@pytest.mark.parametrize(
    ("ends", "words", "said"),
    [
        (Ends.of(("a",)), ("a",), "a"),
        (Ends.of(("a", "b")), ("a", "b"), "a → b"),
        (Ends.of(("a",)).going_to("b"), ("b",), "to b"),
        (Ends().coming_from("a"), ("a",), "from a"),
        (Ends.of(("a", "b")).coming_from("c"), ("c", "b"), "c → b"),
    ],
)
def test_ends_are_as_on_the_command_line(ends: Ends, words: tuple[str, ...], said: Any) -> None:
    assert (ends.words, ends.said) == (words, said)


def test_a_context_that_was_chosen_is_another_console_without_the_names_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    names = [{"name": name, "context": {"cluster": name, "user": ""}} for name in ("prod-us", "prod-eu")]
    config.write_text(json.dumps({"current-context": "prod-eu", "contexts": names}))
    options = Options()
    options.kubeconfig, options.words = str(config), ["shop/cart"]
    live = LiveConsole(options)
    drawn: list[tuple[str, list[str]]] = []

    def draw(connect: object, chosen: ConsoleOptions) -> int:
        del connect
        assert chosen.contexts
        drawn.append((live._options.context, live._options.words))
        if len(drawn) == 1:
            assert chosen.contexts().names == ("prod-eu", "prod-us")
            chosen.contexts().reopen("prod-us")
        return 0

    monkeypatch.setattr("tui.commands.console.draw", draw)
    assert live.run() == 0
    assert drawn == [("", ["shop/cart"]), ("prod-us", [])]


def test_where_a_context_must_not_be_opened_the_command_is_said(tmp_path: Path) -> None:
    options = Options()
    options.kubeconfig = str(tmp_path / "none")
    assert "there is no such kubeconfig" in LiveConsole(options).contexts().refusal
    assert "honeyguide practice SCENARIO" in LiveConsole(options, lambda: None).contexts().refusal


async def test_without_a_connection_nothing_is_aimed_at_or_listed_and_it_is_said_why() -> None:
    async def connect() -> Connected:
        raise ConnectionError("nobody answers")

    async with running(console(connect), WIDE) as pilot:
        app = pilot.app
        assert isinstance(app, Console)
        await until(pilot, lambda: app.session.failure)
        assert "there is no connection yet" in await typed(app, pilot, "target shop/cart")
        await typed(app, pilot, "pods")
        await until(pilot, lambda: "nobody answers" in screen_text(app))
        assert "no connection" in screen_text(app)

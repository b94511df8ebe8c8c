"""What a person aims at in the running console, and which namespace and context is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from playbooks.engine.run import Order
from playbooks.engine.targets.aim import Aim
from playbooks.model.rule import Rule
from tests.tui.consoles import NARROW, WIDE, diagnosed, is_settled, screen_text, until
from tui.aiming import Ends
from tui.app import Console
from tui.connection import Contexts

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
    async with diagnosed("default-deny", playbooks=("policy",), size=size) as (app, pilot):
        runs = app.session.runs
        before = runs.newest_first[0]
        shown = await typed(app, pilot, "target shop/cart-client shop/cart:80")
        assert "about Deployment shop/cart-client, 1 pod" in shown
        assert "about Service shop/cart, 2 backends" in shown
        assert runs.named == ("shop/cart-client", "shop/cart:80")
        newest = runs.newest_first[0]
        assert newest is not before
        assert newest._order.targets == runs.named
        assert newest._aim.nodes
        about = app.session.snapshot
        assert about.is_about(about.roots[0].finding.subjects[0])
        await typed(app, pilot, "to shop/redis:6379")
        assert app.session.about == "shop/cart-client → shop/redis:6379"
        shown = await typed(app, pilot, "target")
        assert "about" not in shown
        assert app.session.snapshot.things == frozenset()


async def test_what_is_known_already_is_read_in_another_order_at_once() -> None:
    async with diagnosed("default-deny", playbooks=("policy",), size=WIDE) as (app, pilot):
        runs = app.session.runs
        found = [one.finding for one in app.session.snapshot.every()]
        thing = next(ref for one in found for ref in one.subjects if ref.kind == "CiliumNetworkPolicy")
        runs.aim(("it",), Aim(frozenset({(thing.namespace, thing.name)}), said=("it",)))
        assert app.session.snapshot.about == ("it",)
        assert app.session.snapshot.is_about(thing)
        assert {one.finding for one in app.session.snapshot.every()} == set(found)
        await pilot.pause()


async def test_what_does_not_resolve_says_what_was_looked_for_and_what_is_near() -> None:
    async with diagnosed("default-deny", playbooks=("policy",), size=WIDE) as (app, pilot):
        shown = await typed(app, pilot, "target shop/carts")
        assert "shop/carts names nothing here: looked for a pod, workload or service carts" in shown
        assert "did you mean shop/cart" in shown
        assert app.session.runs.named == ()
        assert "one target, or who calls" in await typed(app, pilot, "target a b c")
        assert "one caller" in await typed(app, pilot, "from")


async def test_names_of_the_cluster_complete() -> None:
    async with diagnosed("default-deny", playbooks=("policy",), size=WIDE) as (app, pilot):
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


@SIZES
async def test_a_namespace_is_said_on_the_status_line_and_what_is_left_out_is_counted(
    size: tuple[int, int],
) -> None:
    async with diagnosed("default-deny", playbooks=("policy",), size=size) as (app, pilot):
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

    async with diagnosed("default-deny", playbooks=("policy",), size=WIDE, order=order) as (app, _):
        shown = screen_text(app)
        assert "about Service shop/cart" in shown or "about Deployment shop/cart" in shown
        assert "shop/nobody names nothing here" in shown


async def test_another_context_is_opened_after_this_console_is_left() -> None:
    opened: list[str] = []
    contexts = Contexts(("prod-eu", "prod-us"), "prod-eu", opened.append)
    async with diagnosed("healthy", playbooks=("service",), contexts=lambda: contexts) as (app, pilot):
        assert "no context 'prod-uk'; near: prod-" in await typed(app, pilot, "ctx prod-uk")
        await pilot.press("colon", *"ctx", "enter")
        await pilot.pause()
        assert "Open which context? This is prod-eu." in screen_text(app)
        await pilot.press("enter")
        assert opened == ["prod-us"]


async def test_where_no_context_can_be_opened_the_command_is_said() -> None:
    async with diagnosed("healthy", playbooks=("service",)) as (app, pilot):
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

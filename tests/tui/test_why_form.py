"""`:why` in the console: the question typed at once, or filled into a form."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from playbooks.model.answer import Source
from tests.tui.command import recording
from tests.tui.consoles import NARROW, WIDE, connecting_to, console, running, screen_text, until
from tui.app import Console
from tui.commands.opening import recording as opened
from tui.keys import ACTIONS
from tui.screens.why import WhyScreen
from tui.view.naming import fitting
from tui.view.why_form import Field, WhyForm, WrongQuestion

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


def wrong_label() -> Source:
    """A recording in which nothing may call redis: its policy admits a label that nobody has."""
    return opened(recording("01")).source


async def typed(app: Console, pilot: Pilot[None], command: str) -> None:
    await pilot.press("colon")
    app.focused.post_message(Paste(command))
    await pilot.press("enter")
    await pilot.pause()


def quiet(**options: object) -> Console:
    return console(connecting_to(wrong_label(), kind="recording"), is_quiet=True, **options)


async def connected(app: Console, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: app.session.runs is not None)


@SIZES
async def test_the_verdict_is_what_the_command_prints(size: tuple[int, int]) -> None:
    app = quiet()
    async with running(app, size) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why shop/cart-client shop/redis:6379")
        await until(pilot, lambda: "What was seen" in screen_text(app))
        assert "✗ not admitted: " in screen_text(app)
        page = "\n".join(one.text for one in app.screen.printed())
        assert page.startswith("$ honeyguide why shop/cart-client shop/redis:6379")
        assert "default deny by CiliumNetworkPolicy shop/redis-ingress (our reading)" in page
        await pilot.press("escape", "escape")
        assert app.screen is app.diagnose


async def test_the_form_asks_for_both_ends_and_offers_names_while_typing() -> None:
    app = quiet()
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why")
        await until(pilot, lambda: "Names here that fit" in screen_text(app))
        await pilot.press(*"cart-c")
        await until(pilot, lambda: "shop/cart-client" in screen_text(app).splitlines()[-2])
        await pilot.press("tab", "enter")
        await pilot.press(*"redsi")
        await until(pilot, lambda: "shop/redis" in screen_text(app))
        await pilot.press("ctrl+u", *"shop/redis", "enter")
        await until(pilot, lambda: "What was seen" in screen_text(app))
        assert "not admitted" in screen_text(app)


async def test_a_name_that_is_not_there_is_told_with_what_is_near_and_can_be_put_right() -> None:
    app = quiet()
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why shop/cart-clinet shop/redis:6379")
        await until(pilot, lambda: "names nothing" in screen_text(app))
        assert "did you mean shop/cart-client?" in screen_text(app)
        await pilot.press("enter", "ctrl+u", *"shop/cart-client", "enter")
        await until(pilot, lambda: "What was seen" in screen_text(app))


async def test_a_port_and_a_name_to_be_looked_up_are_fields_of_their_own() -> None:
    app = quiet()
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why shop/cart-client kube-system/kube-dns")
        await until(pilot, lambda: isinstance(app.screen, WhyScreen) and not app.session.is_running)
        await pilot.press("escape", "down", "down", "enter", *"53/UDP", "enter")
        await until(pilot, lambda: not app.session.is_running)
        await until(pilot, lambda: "53/UDP" in "\n".join(one.text for one in app.screen.printed()))


async def test_the_question_and_the_verdict_are_copied(tmp_path: Path) -> None:
    app = quiet(copy_folder=tmp_path)
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why shop/cart-client shop/redis:6379")
        await until(pilot, lambda: "What was seen" in screen_text(app))
        await pilot.press("c", "enter")
        await pilot.pause()
        assert (tmp_path / "copied.txt").read_text() == "honeyguide why shop/cart-client shop/redis:6379"
        names = [one.name for one in app.screen.copies()]
        assert names[:2] == ["the question, as a command", "the verdict"]
        assert "a command that it rests on" in names


async def test_a_wrong_flag_is_told_without_leaving_the_screen() -> None:
    app = quiet()
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why shop/a shop/b --https x")
        assert "there is no --https" in screen_text(app)
        assert app.screen is app.diagnose


async def test_every_binding_of_the_form_comes_from_the_registry() -> None:
    known = {(key, action.id) for action in ACTIONS for key in action.keys}
    app = quiet()
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why")
        for node in (app.screen, *app.screen.query("*")):
            found = {(key, one.id) for key, each in node._bindings.key_to_bindings.items() for one in each}
            assert found <= known, node


async def test_it_draws_in_ascii() -> None:
    app = quiet(is_ascii=True)
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why shop/cart-client shop/redis:6379")
        await until(pilot, lambda: "What was seen" in screen_text(app))
        assert screen_text(app).isascii()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", WhyForm()),
        ("shop/a shop/b:80", WhyForm("shop/a", "shop/b:80")),
        ("shop/a shop/b --http 'GET /x' --dns a.b", WhyForm("shop/a", "shop/b", "", "GET /x", "a.b")),
        ("a b --header 'X-Role: admin'", WhyForm("a", "b", headers=("X-Role: admin",))),
        ("a b --http='GET /'", WhyForm("a", "b", "", "GET /")),
    ],
)
def test_what_is_typed_fills_the_form(text: str, form: WhyForm) -> None:
    assert WhyForm.of(text) == form


@pytest.mark.parametrize(
    ("text", "said"),
    [("a b c", "c is one too many"), ("a 'b", "a quote is not closed"), ("a b --dns", "--dns needs a value")],
)
def test_what_cannot_be_read_says_what_to_type(text: str, said: str) -> None:
    with pytest.raises(WrongQuestion, match=said):
        WhyForm.of(text)


def test_a_port_of_its_own_stands_behind_the_destination() -> None:
    form = WhyForm("shop/a", "shop/b").filled(Field.PORT, " 53/UDP ")
    assert form.command() == "honeyguide why shop/a shop/b:53/UDP"
    assert WhyForm("shop/a", "fd00::1", "80").called == "[fd00::1]:80"


def test_names_that_begin_come_before_names_that_hold_and_near_ones_only_where_neither_is() -> None:
    names = ("shop/redis", "shop/cart", "bank/shop-front")
    assert fitting("shop", names) == ("shop/redis", "shop/cart", "bank/shop-front")
    assert fitting("redsi", names) == ("shop/redis",)
    assert fitting("shop/crat", names) == ("shop/cart",)


async def test_what_is_typed_in_one_breath_goes_to_one_field_after_the_other() -> None:
    app = quiet()
    async with running(app) as pilot:
        await connected(app, pilot)
        await typed(app, pilot, "why")
        await pilot.press(*"shop/cart-client", "enter", *"shop/redis:6379", "enter")
        await until(pilot, lambda: "What was seen" in screen_text(app))
        assert "from      shop/cart-client" in screen_text(app)
        assert "to        shop/redis:6379" in screen_text(app)

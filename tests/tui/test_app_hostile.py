"""Text of a cluster that means harm: shown as it is, harmless, on every screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from playbooks.engine.discovery import Catalogue
from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agents import Agents
from playbooks.model.finding import Finding, Fix, Ref, Risk, Severity, capture, finding, step
from playbooks.model.request import AgentCommand, ContainerLog, Request
from playbooks.model.rule import Playbook, PlaybookStep
from tests.engine.toy import Count, ToyCluster, rule
from tests.tui.consoles import NARROW, WIDE, connecting_to, console, is_settled, running, until
from tui.app import Connected, Console

EVIL = "[bold]x[/b] [@click=app.quit]q[/] [link=http://x]\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u200b\r\x08\x00[/"
UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]")


def evil_finding(agents: Agents) -> Iterator[Finding]:
    """Evil.

    Theory of [evil].
    """
    proof = agents.evidence(EVIL + "\n" + EVIL)
    for severity in (Severity.ERROR, Severity.INFO):
        yield finding(
            severity,
            [Ref("Pod", EVIL, EVIL, node=EVIL), *(Ref("Node", f"{EVIL}{n}", node="a") for n in range(40))],
            EVIL,
            evidence=(proof,),
            alternatives=(EVIL,),
            impact=EVIL,
            changes=(EVIL,),
            owner=EVIL,
            fixes=(
                Fix.cure(
                    EVIL,
                    why=EVIL,
                    risk=Risk.HIGH,
                    steps=(capture(EVIL, "echo safe"), step(EVIL, f"kubectl delete {EVIL}")),
                    undo=EVIL,
                    verify=EVIL,
                ),
            ),
        )


def evil_gap(count: Count) -> Iterator[Finding]:
    """Needs what cannot be seen."""
    yield from ()


def evil_answer(request: Request) -> bytes | Gap | None:
    if isinstance(request, AgentCommand):
        return Gap(GapKind.FORBIDDEN, EVIL, request.command(), EVIL, node=EVIL)
    return EVIL.encode() if isinstance(request, ContainerLog) else None


def drawn(app: Console) -> str:
    """Every character that goes to the terminal."""
    text = "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
    assert not UNSAFE.search(text), UNSAFE.findall(text)
    return text


@pytest.fixture(autouse=True)
def playbooks_of_evil(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test put its own playbook where the real ones are read."""
    monkeypatch.setattr("playbooks.engine.discovery.catalogue", lambda: EVIL_CATALOGUE)


PLAYBOOK = Playbook("toy", EVIL, EVIL, (PlaybookStep("toy", EVIL, EVIL, EVIL, EVIL),))
EVIL_CATALOGUE = Catalogue((PLAYBOOK,), (rule(evil_finding, "TOY001"), rule(evil_gap, "TOY002")))


def hostile(**options: Any) -> Console:
    cluster = ToyCluster(hook=evil_answer, name=EVIL)
    return console(
        connecting_to(cluster, label=EVIL, server=EVIL, recording=lambda: EVIL, load=lambda: EVIL), **options
    )


SHORT = "enter enter d d q escape escape c escape i escape end enter"
LONG = f"""{SHORT} question_mark escape escape down enter d tab escape escape escape slash [bold enter
slash ctrl+u enter colon [/b] enter colon node_[x] enter colon log_a enter"""
KEYS = {*"cdiq", "enter", "escape", "tab", "end", "down", "slash", "colon", "question_mark", "ctrl+u"}


async def type_or_press(app: Console, pilot: Pilot[None], word: str) -> None:
    """Press a key, or paste what is none; a paste may hold anything."""
    if word in KEYS:
        await pilot.press(word)
    else:
        app.focused.post_message(Paste(word.replace("_", " ") + EVIL))
    await pilot.pause()


@pytest.mark.parametrize(
    ("size", "is_ascii", "ways"),
    [(NARROW, False, LONG), (WIDE, True, SHORT), ((40, 10), False, SHORT)],
    ids=["80x24", "200x50-ascii", "40x10"],
)
async def test_hostile_text_is_harmless_on_every_screen(
    size: tuple[int, int], is_ascii: bool, ways: str
) -> None:
    app = hostile(is_ascii=is_ascii)
    async with running(app, size) as pilot:
        await until(pilot, lambda: is_settled(app))
        for word in ways.split():
            await type_or_press(app, pilot, word)
            text = drawn(app)
            assert not is_ascii or text.isascii(), {one for one in text if not one.isascii()}
        assert app.is_running


async def test_hostile_text_is_there_to_be_read() -> None:
    app = hostile()
    async with running(app, WIDE) as pilot:
        await until(pilot, lambda: is_settled(app))
        assert "[bold]x[/b] [@click=app.quit]q[/]" in drawn(app)
        assert "\\e]0;owned\\a" in drawn(app)
        assert "\\u202egnp.exe" in drawn(app)


async def test_a_command_with_hidden_characters_is_not_offered() -> None:
    app = hostile()
    async with running(app, NARROW) as pilot:
        await until(pilot, lambda: is_settled(app))
        await pilot.press("c")
        await pilot.pause()
        assert "not offered, it holds hidden characters" in drawn(app)
        assert all("kubectl delete" not in row.key for row in app.screen.listing.entries)


async def test_an_error_of_the_connection_is_harmless() -> None:
    class Refused(Exception):
        what = where = remedy = EVIL

    async def connect() -> Connected:
        raise Refused

    app = console(connect)
    async with running(app, NARROW) as pilot:
        await until(pilot, lambda: app.session.failure)
        await pilot.pause()
        assert "[bold]x[/b]" in drawn(app)

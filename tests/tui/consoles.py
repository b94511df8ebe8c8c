"""Consoles on clusters made for tests, and how to wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from textual.pilot import Pilot

from playbooks.model.answer import Source
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from tests.engine.toy import ToyCluster
from tui.app import Connected, Console, ConsoleOptions

NARROW = (80, 24)
WIDE = (200, 50)


def connecting_to(source: Source, **more: Any) -> Callable[[], Awaitable[Connected]]:
    """Connects to a source that is there already."""

    async def connect() -> Connected:
        return Connected(source, more.pop("context", source.name), **more)

    return connect


@cache
def practice(scenario: str) -> Source:
    """A scenario of the practice cluster, in this process; nobody changes it, so one is enough."""
    return WorldSource(load(scenario).world(1))


class Hanging(ToyCluster):
    """A cluster whose agents never answer."""

    def __init__(self) -> None:
        super().__init__(hold=asyncio.Event())


def console(connect: Callable[[], Awaitable[Connected]], **options: Any) -> Console:
    """A console that draws the same on every machine."""
    return Console(
        connect, ConsoleOptions(**{"is_ascii": False, "theme": "dark", "interval": 0.0, **options})
    )


@asynccontextmanager
async def running(app: Console, size: tuple[int, int] = NARROW) -> AsyncIterator[Pilot[None]]:
    """Run a console, and let go of everything at the end."""
    async with app.run_test(size=size) as pilot:
        try:
            yield pilot
        finally:
            app.session.close()


@asynccontextmanager
async def diagnosed(
    scenario: str = "agent-crashloop", size: tuple[int, int] = NARROW, **options: Any
) -> AsyncIterator[tuple[Console, Pilot[None]]]:
    """A console on a practice scenario, when the first run is over."""
    app = console(connecting_to(practice(scenario), is_practice=True), **options)
    async with running(app, size) as pilot:
        await until(pilot, lambda: is_settled(app))
        yield app, pilot


def is_settled(app: Console) -> bool:
    """Whether nothing is under way and what is known is drawn."""
    session = app.session
    is_over = session.snapshot is not None and not session.is_running and not session.aside.is_asking
    return (is_over or session.failure is not None) and app._drawing is None


async def until(pilot: Pilot[None], happened: Callable[[], object]) -> None:
    """Wait until something is so; fails after many rounds of the event loop."""
    for _ in range(3000):
        if happened():
            await pilot.pause()
            return
        await pilot.pause()
    raise AssertionError(f"it never happened; the screen says:\n{screen_text(pilot.app)}")


def screen_text(app: Any) -> str:
    """What can be read on the screen, row by row."""
    height = app.size.height
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips[:height])


async def text_after(app: Console, pilot: Pilot[None], *keys: str) -> str:
    """What can be read after some keys."""
    await pilot.press(*keys)
    await pilot.pause()
    return screen_text(app)

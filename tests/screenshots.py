"""Draws the pictures of the README: the console on the practice cluster, as it really is.

Run: make screenshots
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import cairosvg

from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from playbooks.sources.access import ConnectOptions
from playbooks.sources.access import load as access_of
from playbooks.sources.hubble.places import Choice
from tests.tui.consoles import connecting_to, console, diagnosed, is_settled, running, until
from tui.app import Console
from tui.commands.practice_server import PracticeServer
from tui.flows.live import LiveFlows


def _typed(command: str) -> tuple[str, ...]:
    """The keys of a command after a colon."""
    names = {" ": "space", "/": "slash", ":": "colon", "-": "minus"}
    return ("colon", *(names.get(letter, letter) for letter in command), "enter")


FOLDER = Path(__file__).parents[1] / "screenshots"
PICTURES: dict[str, tuple[str, tuple[int, int], tuple[str, ...]]] = {
    "console": ("agent-crashloop", (160, 45), ()),
    "console-80x24": ("agent-crashloop", (80, 24), ()),
    "detail-80x24": ("agent-crashloop", (80, 24), ("enter",)),
    "fix-80x24": ("agent-crashloop", (80, 24), ("enter", "enter")),
    "not-visible": ("narrow-rbac", (160, 36), ("end",)),
    "help": ("agent-crashloop", (120, 40), ("question_mark",)),
    "side-by-side": ("map-row-missing", (160, 45), ()),
    "door-80x24": ("addresses-leak", (80, 24), ("s",)),
    "guide": ("addresses-leak", (120, 40), ("s", *["down"] * 4, "enter", "enter", "up", "enter", "down")),
    "why": ("default-deny", (120, 44), _typed("why shop/cart-client shop/cart:80")),
}
"""Name of the file: scenario, size, keys."""
_FOR_ANSWERS = 1.0
"""Seconds for the raw answer to be drawn too."""
_REMOTE_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def harmless(picture: str) -> str:
    """The picture without fonts from elsewhere: nobody who looks at it should be seen doing so."""
    return _REMOTE_FONT.sub("", picture).replace("Fira Code", "DejaVu Sans Mono")


async def draw(name: str, scenario: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    """Draw one picture, as SVG and as PNG."""
    async with diagnosed(scenario, size) as (app, pilot):
        await pilot.press(*keys)
        await pilot.pause(_FOR_ANSWERS)
        save(name, app)


def save(name: str, app: Console) -> None:
    """Keep what is drawn now."""
    picture = harmless(app.export_screenshot(title="honeyguide practice"))
    (FOLDER / f"{name}.svg").write_text(picture)
    # At its own size only: smaller letters would no longer fit the columns.
    cairosvg.svg2png(picture.encode(), write_to=str(FOLDER / f"{name}.png"))


async def draw_flows(name: str, size: tuple[int, int]) -> None:
    """Draw the flows of a finding, as Relay of the practice cluster tells them."""
    world = load("policy-label-typo").world(1)
    with PracticeServer(world) as server:
        access = access_of(ConnectOptions(kubeconfig=(str(server.serving.kubeconfig),)), {})
        flows = LiveFlows(access, Choice(), uses_environment=False)
        app = console(connecting_to(WorldSource(world), is_practice=True, flows=flows))
        async with running(app, size) as pilot:
            await until(pilot, lambda: is_settled(app))
            await pilot.press("w")
            await until(pilot, lambda: app.session.watch and app.session.watch.count > size[1])
            await pilot.pause(_FOR_ANSWERS)
            save(name, app)


async def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, (scenario, size, keys) in PICTURES.items():
        await draw(name, scenario, size, keys)
    await draw_flows("flows", (160, 36))


if __name__ == "__main__":
    asyncio.run(main())

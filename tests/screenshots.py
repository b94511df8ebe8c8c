"""Draws the pictures of the README: the console on the practice cluster, as it really is.

Run: make screenshots
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import cairosvg

from tests.tui.consoles import diagnosed

FOLDER = Path(__file__).parents[1] / "screenshots"
PICTURES: dict[str, tuple[str, tuple[int, int], tuple[str, ...]]] = {
    "console": ("agent-crashloop", (160, 45), ()),
    "console-80x24": ("agent-crashloop", (80, 24), ()),
    "detail-80x24": ("agent-crashloop", (80, 24), ("enter",)),
    "fix-80x24": ("agent-crashloop", (80, 24), ("enter", "enter")),
    "not-visible": ("narrow-rbac", (160, 36), ("end",)),
    "help": ("agent-crashloop", (120, 40), ("question_mark",)),
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
    async with diagnosed(scenario, size) as (console, pilot):
        await pilot.press(*keys)
        await pilot.pause(_FOR_ANSWERS)
        picture = harmless(console.export_screenshot(title="honeyguide practice"))
    (FOLDER / f"{name}.svg").write_text(picture)
    # At its own size only: smaller letters would no longer fit the columns.
    cairosvg.svg2png(picture.encode(), write_to=str(FOLDER / f"{name}.png"))


async def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, (scenario, size, keys) in PICTURES.items():
        await draw(name, scenario, size, keys)


if __name__ == "__main__":
    asyncio.run(main())

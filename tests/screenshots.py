"""Draws the pictures of the README: the console on the practice cluster, as it really is.

Run: make screenshots
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tests.tui.consoles import diagnosed

FOLDER = Path(__file__).parents[1] / "screenshots"
PICTURES = {"console": (160, 45), "console-80x24": (80, 24)}
_FOR_ANSWERS = 2.0
"""Seconds for the raw answer to be drawn too."""
_REMOTE_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def harmless(picture: str) -> str:
    """The picture without fonts from elsewhere: nobody who looks at it should be seen doing so."""
    return _REMOTE_FONT.sub("", picture).replace("Fira Code", "monospace")


async def draw() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, size in PICTURES.items():
        async with diagnosed("agent-crashloop", size) as (console, pilot):
            await pilot.pause(_FOR_ANSWERS)
            picture = harmless(console.export_screenshot(title="honeyguide practice"))
        (FOLDER / f"{name}.svg").write_text(picture)


if __name__ == "__main__":
    asyncio.run(draw())

"""Ways through the console as people go them: keys that are typed, and the screens that follow.

Run: python -m tests.tui.journeys (or `make journeys`) writes the screens anew; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tui.consoles import NARROW, WIDE
from tests.tui.terminals import terminal

SCREENS = Path(__file__).with_name("screens")
SIZES = (NARROW, WIDE)
_PROGRAM = """
import sys
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from tests.tui.consoles import connecting_to
from tui.app import ConsoleOptions, run_console
source = WorldSource(load({scenario!r}).world(1))
options = ConsoleOptions(theme="dark", interval=0.0)
sys.exit(run_console(connecting_to(source, is_practice=True), options))
"""


@dataclass(frozen=True)
class Step:
    """Keys, and what can be read once they have had their effect."""

    keys: str
    """As a terminal sends them."""
    until: tuple[str, ...]
    """Words on the screen that follows."""


@dataclass(frozen=True)
class Journey:
    """One way."""

    name: str
    """Of its screens."""
    scenario: str
    """The practice cluster that it goes through."""
    begin: tuple[str, ...]
    """What can be read before the first key."""
    steps: tuple[Step, ...]
    """In order."""


_OVER = ("NOT VISIBLE", "Cilium 1.20.2", "? help")
_WORKING = "x stop"
"""Stands on the key line while anything is asked."""
_DOWN, _UP, _END = "\x1b[B", "\x1b[A", "\x1b[F"
JOURNEYS = (
    Journey(
        "refused-flow",
        "default-deny",
        ("POL003", *_OVER),
        (
            Step("\r", ("What proves it",)),
            Step(":why shop/cart-client shop/cart:80\r", ("What the policies say now",)),
            Step(_END, ("it opens nothing else",)),
        ),
    ),
    Journey(
        "service-without-backends",
        "service-no-backends",
        ("SVC001", *_OVER),
        (
            Step("\r", ("What proves it",)),
            Step("\r", ("Patch the selector",)),
            Step(":service list @all\r", ("1 of 6",)),
        ),
    ),
    Journey(
        "pods-hang",
        "addresses-leak",
        ("END004", *_OVER),
        (
            Step("s", ("What do you see?",)),
            Step(f"{_DOWN * 4}\r", ("Question 1 of 2",)),
            Step("\r", ("Question 2 of 2",)),
            Step(f"{_UP}\r", ("Step 1 of",)),
            Step(_DOWN, ("Step 2 of",)),
        ),
    ),
)


def screens(journey: Journey, size: tuple[int, int]) -> Iterator[str]:
    """Each screen of a journey, as it can be read."""
    program = _PROGRAM.format(scenario=journey.scenario)
    with terminal(program=program, size=size) as shown:
        for step in (Step("", journey.begin), *journey.steps):
            if step.keys:
                shown.type(step.keys.encode())
                shown.answer()
            for words in step.until:
                shown.until(words)
            shown.rest()
            while _WORKING in shown.text():
                shown.rest()
            yield shown.text()
        shown.process.terminate()


def file_of(journey: Journey, size: tuple[int, int]) -> Path:
    """Where the screens of a journey are kept."""
    return SCREENS / f"{journey.name}-{size[0]}x{size[1]}.txt"


def sheet(journey: Journey, size: tuple[int, int]) -> str:
    """All screens of a journey, one below the other."""
    rule = "─" * size[0]
    return f"\n{rule}\n".join(screens(journey, size)) + "\n"


if __name__ == "__main__":
    SCREENS.mkdir(exist_ok=True)
    for one in JOURNEYS:
        for size in SIZES:
            file_of(one, size).write_text(sheet(one, size))

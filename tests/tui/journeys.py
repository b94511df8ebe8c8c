"""Ways through the console as people go them: keys that are typed, and the screens that follow.

Run: make journeys (writes the screens anew; a test compares)
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.tui.command import CLUSTERS, ROOT
from tests.tui.consoles import NARROW, WIDE
from tests.tui.terminals import Terminal, terminal

SCREENS = Path(__file__).with_name("screens")
SIZES = (NARROW, WIDE)
_DOWN, _UP, _END, _ENTER = "\x1b[B", "\x1b[A", "\x1b[F", "\r"
_SETTLED = 2.0
"""Seconds without a byte after which a screen that is to be kept is taken for drawn."""
_WORKING = "x stop"
"""Stands on the key line while anything is asked."""
_TMUX = 'set -g status off\nset -g default-terminal "screen-256color"\nset -s escape-time 0\n'


@dataclass(frozen=True)
class Step:
    """Keys, and what can be read once they have had their effect."""

    keys: str
    """As a terminal sends them."""
    until: str
    """Words on the screen that follows."""


@dataclass(frozen=True)
class Journey:
    """One way."""

    name: str
    """Of its screens."""
    words: tuple[str, ...]
    """The module that is run, and its arguments."""
    steps: tuple[Step, ...]
    """In order."""


def _sysdump(case: str) -> str:
    return str(next(CLUSTERS.glob(f"{case}-*")).relative_to(ROOT) / "sysdump.zip")


JOURNEYS = (
    Journey(
        "refused-flow",
        ("tui", _sysdump("16")),
        (
            Step("", "POL003"),
            Step("w", "Policy denied"),
            Step(_ENTER, "asks what decides it now"),
            Step(_ENTER, "What the policies say now"),
            Step(_END, "it also opens"),
        ),
    ),
    Journey(
        "service-without-backends",
        ("tui", _sysdump("02")),
        (
            Step("", "SVC001"),
            Step(_ENTER, "What proves it"),
            Step(_ENTER, "Patch the selector"),
            Step(_ENTER, "nobody has a backend"),
        ),
    ),
    Journey(
        "pods-hang",
        ("tests.tui.rehearsed", "addresses-leak"),
        (
            Step("", "END004"),
            Step("s", "What do you see?"),
            Step(f"{_DOWN * 4}{_ENTER}", "Question 1 of 2"),
            Step(_ENTER, "Question 2 of 2"),
            Step(f"{_UP}{_ENTER}", "Step 1 of"),
            Step(_DOWN, "Step 2 of"),
        ),
    ),
)


@contextmanager
def begun(journey: Journey, size: tuple[int, int]) -> Iterator[Terminal]:
    """A terminal in which a journey can be gone: inside tmux, as on a bastion, where there is one."""
    tmux = shutil.which("tmux")
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "tmux.conf"
        settings.write_text(_TMUX)
        server = [tmux, "-S", f"{folder}/tmux", "-f", str(settings)] if tmux else []
        inside = [*server, "new-session"] if tmux else []
        try:
            with terminal(words=journey.words, size=size, inside=inside) as shown:
                yield shown
        finally:
            if tmux:
                subprocess.run([*server, "kill-server"], check=False, capture_output=True)


def file_of(journey: Journey, size: tuple[int, int]) -> Path:
    """Where the screens of a journey are kept."""
    return SCREENS / f"{journey.name}-{size[0]}x{size[1]}.txt"


def rule(size: tuple[int, int]) -> str:
    """What stands between two screens in a file."""
    return f"\n{'━' * size[0]}\n"


def _kept(journey: Journey, size: tuple[int, int]) -> Iterator[str]:
    with begun(journey, size) as shown:
        for step in journey.steps:
            shown.type(step.keys.encode())
            shown.until(step.until)
            shown.rest(_SETTLED)
            while _WORKING in shown.text():
                shown.rest(_SETTLED)
            yield shown.text()


if __name__ == "__main__":
    SCREENS.mkdir(exist_ok=True)
    for one in JOURNEYS:
        for size in SIZES:
            file_of(one, size).write_text(rule(size).join(_kept(one, size)) + "\n")

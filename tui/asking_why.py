"""What the form "may this call that" asks: coroutines for the engine's loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.asking import reach
from playbooks.engine.reaching.verdicts import Reach
from playbooks.engine.targets.resolving import Directory
from playbooks.model.text import Text
from tui.commands.options import Options
from tui.commands.why import directory, request_of, resolved
from tui.commands.why_printing import lines
from tui.ink import Line
from tui.view.toned import inked


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict as it is shown and copied."""

    lines: tuple[Line, ...]
    """As `honeyguide why` prints it."""
    text: str
    """The same, for copying."""
    commands: tuple[Text, ...]
    """The commands that it rests on."""


async def known_names(knowing: Knowing) -> Directory:
    """What can be named in the cluster. Raises `Trouble`."""
    return await directory(knowing)


async def judged(knowing: Knowing, options: Options) -> Verdict:
    """The verdict on a question. Raises `Trouble`, with what is near."""
    request = request_of(options)
    names = await directory(knowing)
    source, destination = (resolved(names, word, options) for word in options.words)
    found = await reach(knowing, source, destination, request)
    return await asyncio.to_thread(_told, found)


def _told(found: Reach) -> Verdict:
    told = tuple(lines(found))
    evidence = [one.evidence for one in found.observed]
    evidence += [one for pair in found.pairs for side in (pair.egress, pair.ingress) for one in side.evidence]
    commands = dict.fromkeys(one.command for one in evidence)
    return Verdict(inked(told), "".join(f"{one.text}\n" for one in told), tuple(commands))

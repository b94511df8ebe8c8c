"""What the console is given: how to connect, and what the person asked for on the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.engine.run import Order
    from playbooks.engine.snapshot import Snapshot
    from playbooks.model.answer import Source
    from playbooks.model.rule import Rule
    from tui.flows.source import Flows


LIVE = "cluster"
"""The kind of a source that is no recording."""


def _nothing() -> str:
    return ""


def _forget(snapshot: Snapshot) -> None:
    """Nothing is kept."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A source, and what the status line says about it."""

    source: Source
    """Who is asked."""
    context: str
    """The cluster's name, as the person knows it."""
    label: str = ""
    """A mark that the person gave this context, such as PROD."""
    kind: str = LIVE
    """What it is: a cluster, a recording of when, an archive."""
    server: str = ""
    """Where it is: an address, a path."""
    is_insecure: bool = False
    """Whether the server's certificate is not verified."""
    is_practice: bool = False
    """Whether this is the practice cluster."""
    recording: Callable[[], str] = _nothing
    """What is being recorded and whether that works, in a few words; empty when nothing is."""
    load: Callable[[], str] = _nothing
    """How the source spares the cluster, in a few words; empty when it need not."""
    flows: Flows | None = None
    """Where flows come from; nothing where there are none."""
    finished: Callable[[Snapshot], None] = _forget
    """Told of every run that came to its end, on the engine's thread, so that it can be kept."""

    @property
    def is_live(self) -> bool:
        """Whether asking again can give another answer."""
        return self.is_practice or self.kind == LIVE


Connect = Callable[[], Awaitable[Connected]]
"""Connects, on the engine's thread, after the first paint.

Whatever it raises is shown in full: `what`, `where` and `remedy` if it has them, else its class and text.
"""


@dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts of the kubeconfig."""

    names: tuple[str, ...]
    """All of them."""
    current: str
    """The one that is open."""
    reopen: Callable[[str], object]
    """Has another one opened as soon as this console is left."""
    refusal: str = ""
    """Why no other one is opened from here, and what to type instead."""


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """What the person chose for the console."""

    order: Callable[[tuple[Rule, ...]], Order] | None = None
    """Makes the order of a run from its rules; the engine's defaults when missing."""
    playbooks: tuple[str, ...] = ()
    """Playbooks to run at the start; all of them when none is named."""
    is_quiet: bool = False
    """Run nothing until asked."""
    theme: str = ""
    """A theme by name; chosen by what the terminal can show when empty."""
    is_ascii: bool | None = None
    """Draw with ASCII only; found out when `None`."""
    is_slow: bool = False
    """Spare a bad link: fewer frames, the terminal's own colours."""
    has_mouse: bool = True
    """Whether the mouse is asked for."""
    keymap: Mapping[str, str] = field(default_factory=dict)
    """Other keys for actions, by id."""
    copy_folder: Path | None = None
    """Where copies are written; the person's state folder when missing."""
    contexts: Callable[[], Contexts] | None = None
    """Reads which contexts there are; nothing where there is no kubeconfig behind this."""
    interval: float = 5.0
    """Seconds between two looks at a finding that is watched."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no connection, for the person."""

    what: str
    """What happened."""
    where: str = ""
    """Where: a file, an address."""
    remedy: str = ""
    """What to do."""
    detail: str = ""
    """A traceback, where the error is not one that was foreseen."""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What an error says."""
        what = getattr(error, "what", None)
        if isinstance(what, str) and what:
            return cls(what, _said(error, "where"), _said(error, "remedy"))
        import traceback

        return cls(
            f"{type(error).__name__}: {error}",
            "",
            "try again with r; if it stays, report it with the lines below",
            "".join(traceback.format_exception(error)),
        )


def _said(error: BaseException, name: str) -> str:
    value = getattr(error, name, "")
    return str(value) if value else ""

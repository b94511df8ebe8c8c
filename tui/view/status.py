"""The fields of the status line, and the page that `info` shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.ink import BLANK, Ink, Line, Piece, cut_middle, line, piece
from tui.widgets.one_line import Field

if TYPE_CHECKING:
    from playbooks.engine.snapshot import Snapshot
    from tui.connection import Connected, Failure

_NAME = 28
"""Columns for the cluster's name."""
_ABOUT = 40
"""Columns for what the playbooks are aimed at."""


def _kind(kind: str) -> Iterator[Field]:
    """What it is instead of a live cluster, and of when: narrow terminals keep the first."""
    what, mark, when = kind.partition(" of ")
    yield Field((piece(what, Ink.WARN),), 4)
    if mark:
        yield Field((piece(f"of {when}", Ink.WARN),), 6)


@dataclass(frozen=True, slots=True)
class Status:
    """All that the status line is made of."""

    connected: Connected | None = None
    """The source, once there is one."""
    snapshot: Snapshot | None = None
    """All that is known so far."""
    failure: Failure | None = None
    """Why there is no source, or why a run broke."""
    is_running: bool = False
    """Whether anything is under way."""
    nodes: tuple[str, ...] | None = None
    """Globs of nodes chosen in the console."""
    about: str = ""
    """What the playbooks are aimed at."""
    namespace: str = ""
    """The one namespace that is shown."""
    stream: Piece | None = None
    """What the stream of flows is doing, once somebody asked for flows."""

    def fields(self) -> Iterator[Field]:
        """In the order of the line; the rank says which are kept in a narrow terminal."""
        connected, snapshot = self.connected, self.snapshot
        if connected and connected.is_practice:
            yield Field((Piece(" PRACTICE ", Ink.ALARM),), 0)
        yield Field(self._name(), 1)
        if connected and not connected.is_live:
            yield from _kind(connected.kind)
        yield Field((piece("read-only", Ink.OK),), 2)
        if snapshot and snapshot.nodes:
            ink = Ink.PLAIN if snapshot.ready == len(snapshot.nodes) else Ink.WARN
            yield Field((piece(f"agents {snapshot.ready}/{len(snapshot.nodes)}", ink),), 3)
        if snapshot and snapshot.gaps:
            yield Field((piece(f"{len(snapshot.gaps):,} not visible", Ink.UNSEEN),), 4)
        if self.namespace:
            yield Field((piece(f"ns {self.namespace}", Ink.WARN),), 4)
        if self.about:
            yield Field((piece(f"about {cut_middle(piece(self.about).text, _ABOUT)}", Ink.INFO),), 5)
        if connected and connected.is_insecure:
            yield Field((piece("insecure TLS", Ink.WARN),), 5)
        if self.stream:
            yield Field((Piece("stream: ", Ink.QUIET), self.stream), 5)
        if self.nodes:
            yield Field((piece(f"nodes {' '.join(self.nodes)}", Ink.WARN),), 6)
        if self.progress.pieces:
            yield Field(self.progress.pieces, 7)
        yield from self._quiet_fields()

    @property
    def progress(self) -> Line:
        """How far work is; empty when none is under way."""
        if not self.is_running:
            return line("stopped", ink=Ink.WARN) if self.snapshot and self.snapshot.is_stopped else BLANK
        if self.connected is None:
            return line("connecting...", ink=Ink.INFO)
        if self.snapshot is None:
            return line("asking...", ink=Ink.INFO)
        done = self.snapshot.progress
        counts = piece(f"asked {done.asked:,}, answered {done.answered:,}", Ink.INFO)
        return line(counts, piece(f", failed {done.failed:,}", Ink.WARN)) if done.failed else line(counts)

    def _name(self) -> tuple[Piece, ...]:
        if self.connected is None:
            return (piece("not connected", Ink.ERROR if self.failure else Ink.QUIET),)
        name = piece(cut_middle(piece(self.connected.context).text, _NAME), Ink.BOLD)
        return (name, piece(f" · {self.connected.label}", Ink.ALARM)) if self.connected.label else (name,)

    def _quiet_fields(self) -> Iterator[Field]:
        connected, snapshot = self.connected, self.snapshot
        if connected and (recording := connected.recording()):
            yield Field((piece(recording, Ink.QUIET),), 9)
        if connected and (load := connected.load()):
            yield Field((piece(load, Ink.WARN),), 8)
        if snapshot and snapshot.installation and snapshot.installation.version:
            yield Field((piece(f"Cilium {snapshot.installation.version}", Ink.QUIET),), 10)
        if snapshot:
            yield Field((piece(f"seen {snapshot.taken_at:%H:%M:%S} UTC", Ink.QUIET),), 11)

    def page(self, terminal: tuple[tuple[str, str], ...]) -> tuple[Line, ...]:
        """All of it, and what is known of the terminal."""
        return tuple(self._page(terminal))

    def _page(self, terminal: tuple[tuple[str, str], ...]) -> Iterator[Line]:
        yield line("Connection", ink=Ink.TITLE)
        connected = self.connected
        if connected:
            kind = "practice cluster: nothing here is real" if connected.is_practice else connected.kind
            yield from _entries(
                ("name", connected.context),
                ("label", connected.label),
                ("kind", kind),
                ("server", connected.server),
                (
                    "TLS",
                    "insecure: the server's certificate is not verified" if connected.is_insecure else "",
                ),
                ("recording", connected.recording() or "nothing is recorded"),
                ("load", connected.load() or "not throttled"),
            )
        else:
            yield from _entries(("state", "not connected"))
        yield from _entries(("changes", "read-only: honeyguide has no way to change anything in a cluster"))
        yield BLANK
        yield line("Cilium", ink=Ink.TITLE)
        yield from self._cilium()
        yield BLANK
        yield line("Terminal", ink=Ink.TITLE)
        yield from _entries(*terminal)

    def _cilium(self) -> Iterator[Line]:
        snapshot = self.snapshot
        found = snapshot.installation if snapshot else None
        if snapshot is None or found is None:
            yield from _entries(("state", "not found yet"))
        else:
            yield from _entries(
                ("version", found.version or "unknown"),
                ("namespace", found.namespace),
                ("workload", str(found.workload) if found.workload else "no DaemonSet seen"),
                ("container", found.container),
                ("provider", found.provider or "none recognised"),
            )
        if snapshot:
            done = snapshot.progress
            yield from _entries(
                ("agents", f"{snapshot.ready} of {len(snapshot.nodes)} ready"),
                ("about", self.about or "nothing in particular"),
                ("namespace", self.namespace or "all"),
                ("nodes", "chosen: " + " ".join(self.nodes) if self.nodes else "all"),
                ("sick", ", ".join(snapshot.sick[:20]) or "none by their pods and nodes"),
                ("asked", f"{done.asked:,}, answered {done.answered:,}, failed {done.failed:,}"),
                ("seen at", f"{snapshot.taken_at:%Y-%m-%d %H:%M:%S} UTC; all times are UTC"),
            )


def _entries(*pairs: tuple[str, str]) -> Iterator[Line]:
    for name, told in pairs:
        if told:
            yield line(piece(f"{name:<11}", Ink.QUIET), told, hang=11)

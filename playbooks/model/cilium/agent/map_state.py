"""What each endpoint's policy map should hold, with the policies that each entry comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import SHELL, answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_ENDPOINT = re.compile(r"^ID: (\d{1,9})\tNamespace: ([^\t]*)\tName: ([^\t]*)\tEntries: ?(\d{1,9})$")
_COLUMNS = ("Direction", "Identity", "Proto+Port", "Verdict", "ProxyPort", "Origins")


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """One entry that a policy map should hold."""

    direction: str
    """`Ingress` or `Egress`."""
    identity: int | None
    """Of the peer; 0 for everybody."""
    port: str
    """`TCP/53`, or `*` for all."""
    verdict: str
    """`allow` or `deny`."""
    proxy_port: int | None
    """Where traffic is led; 0 for nowhere."""
    origins: tuple[str, ...]
    """`Kind:namespace/name` of the policies behind it, or names of built-in rules."""


@dataclass(frozen=True, slots=True)
class WantedMap:
    """What the policy map of one endpoint should hold."""

    endpoint: int
    """Its number on this node."""
    namespace: str
    """Of its pod; empty for the host's."""
    name: str
    """Of its pod; empty for the host's."""
    entries: tuple[WantedEntry, ...]
    """In no order."""


@dataclass(frozen=True, kw_only=True)
class AgentMapState(Fact):
    """`policy/mapstate/entries` in the shell of one agent: its side of the policy maps."""

    items: tuple[WantedMap, ...]
    """One for each endpoint."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def of(self, endpoint: int) -> WantedMap | None:
        """What the map of an endpoint should hold."""
        return next((item for item in self.items if item.endpoint == endpoint), None)


def _decode(answer: Answer) -> AgentMapState:
    items = tuple(_maps(text_of(answer).split("\n")))
    if not items:
        raise Unreadable("the answer names no endpoint", 0)
    return AgentMapState(provenance=Provenance.of(answer.request, answer.end), items=items)


def _maps(lines: list[str]) -> Iterator[WantedMap]:
    starts = [number for number, line in enumerate(lines) if line.startswith("ID: ")]
    if any(line.strip() for line in lines[: starts[0] if starts else None]):
        raise Unreadable(f"the answer begins with no endpoint: {lines[0][:80]!r}", 0)
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        match = _ENDPOINT.match(lines[start])
        if not match:
            raise Unreadable(f"not an endpoint: {lines[start][:80]!r}")
        entries = tuple(map(_entry, rows_in(lines[start + 1 : end], _COLUMNS))) if int(match[4]) else ()
        if len(entries) != int(match[4]):
            raise Unreadable(f"endpoint {match[1]} has {len(entries)} of {match[4]} entries")
        yield WantedMap(int(match[1]), match[2], match[3], entries)


def _entry(row: Row) -> WantedEntry:
    return WantedEntry(
        row.text("Direction"),
        number_of(row.text("Identity")),
        row.text("Proto+Port"),
        row.text("Verdict"),
        number_of(row.text("ProxyPort")),
        tuple(part.strip() for part in row.text("Origins").split(",") if part.strip()),
    )


AgentMapState.ways = (
    answered(
        "agent's map state",
        asks("cilium-dbg", "shell", "--", "policy/mapstate/entries", since=SHELL),
        _decode,
    ),
)

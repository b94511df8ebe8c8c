"""How an agent reaches etcd: that of its own cluster, and those of the clusters of its mesh."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_SINCE = (1, 16)
_FOUND = re.compile(r"^Found (\d{1,6}) cluster configurations?$")
_CLUSTER = re.compile(r'^Cluster "([^"]*)":$')
_NO_CONFIGURATION = "Unable to read etcd configuration"
_EXPECTED = "This is expected when Cilium is running in CRD mode"
_ICONS = re.compile(r"^\W+")
_VARIANT = "\ufe0f"
"""Follows some icons to ask for their coloured form."""


class Mark(StrEnum):
    """What the icon before a line says."""

    GOOD = "good"
    FAULT = "fault"
    WARNING = "warning"
    NOTE = "note"


_MARKS = {"✅": Mark.GOOD, "❌": Mark.FAULT, "⚠": Mark.WARNING, "ℹ": Mark.NOTE}


@dataclass(frozen=True, slots=True)
class Check:
    """One line with an icon."""

    mark: Mark
    """What the icon says."""
    text: str
    """The line without it."""
    section: str
    """The heading above: endpoints, certificates, client; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Etcd:
    """How one etcd is reached."""

    cluster: str
    """The cluster whose etcd it is; empty for the agent's own."""
    checks: tuple[Check, ...]
    """In order."""

    @property
    def faults(self) -> tuple[Check, ...]:
        """What went wrong."""
        return tuple(check for check in self.checks if check.mark is Mark.FAULT)


@dataclass(frozen=True, kw_only=True)
class AgentMeshTroubleshoot(Fact):
    """`cilium-dbg troubleshoot clustermesh` of one node."""

    found: int
    """How many clusters are configured."""
    items: tuple[Etcd, ...]
    """One for each cluster."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class AgentKvstoreTroubleshoot(Fact):
    """`cilium-dbg troubleshoot kvstore` of one node."""

    etcd: Etcd | None
    """How the cluster's own etcd is reached; nothing in CRD mode, which has none."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _decode_mesh(answer: Answer) -> AgentMeshTroubleshoot:
    lines = text_of(answer).split("\n")
    counts = [match for line in lines if (match := _FOUND.match(line))]
    if not counts:
        raise Unreadable("no line says how many clusters are configured", 0)
    starts = [number for number, line in enumerate(lines) if _CLUSTER.match(line)]
    items = tuple(
        Etcd(lines[start][len('Cluster "') : -2], tuple(_checks(lines[start + 1 : end])))
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=False)
    )
    found = int(counts[0][1])
    if found != len(items) and not answer.end.is_truncated:
        raise Unreadable(f"{found} clusters are configured, but {len(items)} are told")
    return AgentMeshTroubleshoot(
        provenance=Provenance.of(answer.request, answer.end), found=found, items=items
    )


def _decode_kvstore(answer: Answer) -> AgentKvstoreTroubleshoot:
    lines = text_of(answer).split("\n")
    provenance = Provenance.of(answer.request, answer.end)
    if lines[0].startswith(_NO_CONFIGURATION) and _EXPECTED in lines:
        return AgentKvstoreTroubleshoot(provenance=provenance, etcd=None)
    checks = tuple(_checks(lines))
    if not checks:
        raise Unreadable("no line says whether something is good or a fault", 0)
    return AgentKvstoreTroubleshoot(provenance=provenance, etcd=Etcd("", checks))


def _checks(lines: list[str]) -> Iterator[Check]:
    section = ""
    for line in lines:
        words = line.replace(_VARIANT, "").strip()
        mark = _MARKS.get(words[:1])
        if mark:
            yield Check(mark, words[1:].strip(), section)
        elif line.endswith(":") and not line.startswith(" "):
            section = _ICONS.sub("", words.strip(": "))


AgentMeshTroubleshoot.ways = (
    answered(
        "agent's mesh checks", asks("cilium-dbg", "troubleshoot", "clustermesh", since=_SINCE), _decode_mesh
    ),
)
AgentKvstoreTroubleshoot.ways = (
    answered(
        "agent's kvstore checks", asks("cilium-dbg", "troubleshoot", "kvstore", since=_SINCE), _decode_kvstore
    ),
)

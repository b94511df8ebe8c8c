"""The versions of an agent and of the command in its image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


class Build(msgspec.Struct, frozen=True, rename="pascal"):
    """One program's build."""

    version: str = ""
    """Such as `1.20.2`."""
    revision: str = ""
    """Of the sources."""


@dataclass(frozen=True, kw_only=True)
class AgentVersions(Fact):
    """`cilium-dbg version` of one node."""

    client: Build
    """The command in the image that the container has now."""
    daemon: Build
    """The agent that runs."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def is_same(self) -> bool:
        """Whether command and agent come from one build."""
        return self.client == self.daemon


class _Response(msgspec.Struct, frozen=True, rename="pascal"):
    client: Build
    daemon: Build


def _decode_json(answer: Answer) -> AgentVersions:
    response = struct_of(answer, _Response)
    return AgentVersions(
        provenance=Provenance.of(answer.request, answer.end), client=response.client, daemon=response.daemon
    )


def _decode_text(answer: Answer) -> AgentVersions:
    rows = dict(line.partition(": ")[::2] for line in text_of(answer).split("\n"))
    if "Client" not in rows or "Daemon" not in rows:
        raise Unreadable("the answer names no client and daemon", 0)
    return AgentVersions(
        provenance=Provenance.of(answer.request, answer.end),
        client=_build(rows["Client"]),
        daemon=_build(rows["Daemon"]),
    )


def _build(text: str) -> Build:
    version, revision = [*text.split(" "), "", ""][:2]
    if not version[:1].isdecimal():
        raise Unreadable(f"not a version: {text[:80]!r}")
    return Build(version, revision)


AgentVersions.ways = (
    answered("agent's versions", asks("cilium-dbg", "version", "-o", "json"), _decode_json),
    answered("agent's versions as text", asks("cilium-dbg", "version"), _decode_text),
)

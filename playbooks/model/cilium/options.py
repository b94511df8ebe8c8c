"""The options with which an agent runs, under the names of its Go fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.wire import refusal, struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Unreadable, Way, decoding
from playbooks.model.request import Request


@dataclass(frozen=True, kw_only=True)
class AgentOptions(Fact):
    """`cilium-dbg config -a` of one node: what is in force, not what the ConfigMap says by now."""

    values: Mapping[str, str]
    """Plain values by Go field name, such as `EnableBPFMasquerade: true`; lists joined by blanks."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def made_at(self) -> datetime | None:
        """When the agent put its options together, at its start."""
        return time_of(self.values.get("CreationTime", ""))


def _json(scene: Scene) -> Request | Gap:
    return _ask(scene, "-o", "json")


def _text(scene: Scene) -> Request | Gap:
    return _ask(scene)


def _ask(scene: Scene, *flags: str) -> Request | Gap:
    agents = scene.get(Agents)
    agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
    return agent if isinstance(agent, Gap) else agent.command("cilium-dbg", "config", "-a", *flags)


def _decode(answer: Answer) -> AgentOptions | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    values = dict(_plain(struct_of(answer, dict[str, object])))
    if not values:
        raise Unreadable("the answer holds no option")
    return AgentOptions(provenance=Provenance.of(answer.request, answer.end), values=values)


def _plain(options: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    # Groups such as UnsafeDaemonConfigOption moved between versions; the field's own name stayed.
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _plain(value)
        elif isinstance(value, bool):
            yield name, str(value).lower()
        elif isinstance(value, str | int | float):
            yield name, str(value)
        elif isinstance(value, list) and all(isinstance(part, str) for part in value):
            yield name, " ".join(value)


_LINE = re.compile(r"^\t?([\w-]{1,120}?)\s*: (.*)$")
_SWITCHES = {"Enabled": "true", "Disabled": "false"}
_GROUPED = "\t"
"""What a line of a group begins with; in groups, switches are words."""
_NAMES = {"PolicyEnforcement": "policy-enforcement"}
"""Names that only text has, and what JSON calls them."""


def _decode_text(answer: Answer) -> AgentOptions | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    values = {found[0]: found[1] for line in text_of(answer).split("\n") if (found := _written(line))}
    if not values:
        raise Unreadable("the answer holds no option", 0)
    return AgentOptions(provenance=Provenance.of(answer.request, answer.end), values=values)


def _written(line: str) -> tuple[str, str] | None:
    """Name and plain value of a line; nothing for headings, absent values and groups written on one line."""
    match = _LINE.match(line)
    if match is None or match[2] == "<nil>" or match[2].startswith("map["):
        return None
    value = match[2]
    if value.startswith("[") and value.endswith("]"):
        value = value[1:-1]
    if line.startswith(_GROUPED):
        value = _SWITCHES.get(value, value)
    return _NAMES.get(match[1], match[1]), value


AgentOptions.ways = (
    decoding("agent's options", _json, _decode),
    decoding("agent's options as text", _text, _decode_text),
)

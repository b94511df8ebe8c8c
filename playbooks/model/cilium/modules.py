"""Health of the agent's modules, as they report it themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.installation import minor_of
from playbooks.model.cilium.wire import documents_of, refusal
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Unreadable, Way, decoding
from playbooks.model.request import AgentCommand, Request
from playbooks.model.text import decoded

_SHELL_SINCE = (1, 17)
_TABLE_SINCE = (1, 16)
_NUMBER = re.compile(r"[0-9]{1,18}")
_ENDPOINT = re.compile(r"^cilium-endpoint-(\d{1,9}) \((.*?)/(.*?)\)")


@dataclass(frozen=True, slots=True)
class Module:
    """One row: a component of a module with its level."""

    module: str
    """Path of the module, such as `agent.controlplane.envoy-proxy`."""
    component: str
    """Path of the component within it."""
    level: str
    """OK, Degraded or Stopped."""
    message: str
    """What it last reported."""
    error: str
    """The error behind it; empty when there is none."""
    updated: datetime | None
    """When it last reported."""
    count: int
    """How often it reported the same text in a row; a text with a duration in it never repeats."""

    @property
    def is_degraded(self) -> bool:
        """Whether it calls itself degraded."""
        return self.level.lower() == "degraded"

    @property
    def name(self) -> str:
        """Module and component as one path."""
        return ".".join(filter(None, (self.module, self.component)))

    @property
    def row(self) -> str:
        """The row as one line of evidence."""
        said = ": ".join(filter(None, (self.message, self.error)))
        return f"{self.name} {self.level} {said} (Count {self.count})"

    @property
    def endpoint(self) -> tuple[int, str, str] | None:
        """The endpoint it is about: id, namespace and name of the pod; the names of the host's are empty."""
        match = _ENDPOINT.match(self.component)
        return (int(match[1]), match[2], match[3]) if match else None


@dataclass(frozen=True, kw_only=True)
class AgentModules(Fact):
    """The table `health` of one agent."""

    items: tuple[Module, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def degraded(self) -> tuple[Module, ...]:
        """The rows that call themselves degraded."""
        return tuple(item for item in self.items if item.is_degraded)

    def pod_of(self, endpoint: int) -> tuple[str, str] | None:
        """Namespace and name of an endpoint's pod, by its id on this node."""
        named = (item.endpoint for item in self.items if item.component.startswith("cilium-endpoint-"))
        return next((pod[1:] for pod in named if pod and pod[0] == endpoint and pod[2]), None)


class _Id(msgspec.Struct, frozen=True):
    module: tuple[str, ...] = msgspec.field(default=(), name="Module")
    component: tuple[str, ...] = msgspec.field(default=(), name="Component")


class _Row(msgspec.Struct, frozen=True, rename="pascal"):
    id: _Id = msgspec.field(name="ID")
    level: str
    count: int
    message: str = ""
    error: str = ""
    updated: str = ""


def _agent(scene: Scene) -> Agent | Gap:
    agents = scene.get(Agents)
    return agents if isinstance(agents, Gap) else agents.on(scene.node)


def _shell(scene: Scene) -> Request | Gap:
    agent = _agent(scene)
    if isinstance(agent, Gap):
        return agent
    command = agent.command("cilium-dbg", "shell", "--", "db/show", "health", "-f", "json")
    version = minor_of(agent.version)
    return _too_old(command, agent.version) if version and version < _SHELL_SINCE else command


def _statedb(scene: Scene) -> Request | Gap:
    agent = _agent(scene)
    if isinstance(agent, Gap):
        return agent
    command = agent.command("cilium-dbg", "statedb", "health")
    version = minor_of(agent.version)
    if version and not _TABLE_SINCE <= version < _SHELL_SINCE:
        return _too_old(command, agent.version)
    return command


def _too_old(command: AgentCommand, version: str) -> Gap:
    return Gap(
        GapKind.NOT_IN_THIS_VERSION,
        f"agents of {version} on {command.node} do not show the health of their modules this way",
        command=command.command(),
        node=command.node,
    )


def _decode_json(answer: Answer) -> AgentModules | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    try:
        rows = [msgspec.convert(document, _Row) for document in _flat(documents_of(answer))]
    except msgspec.ValidationError as error:
        raise Unreadable(f"not a row of the table health: {error}") from error
    return _fact(answer, [_module(row) for row in rows])


def _flat(documents: Iterator[object]) -> Iterator[object]:
    for document in documents:
        yield from document if isinstance(document, list) else (document,)


def _module(row: _Row) -> Module:
    return Module(
        ".".join(row.id.module),
        ".".join(row.id.component),
        row.level,
        row.message,
        row.error,
        time_of(row.updated),
        row.count,
    )


def _fact(answer: Answer, items: list[Module]) -> AgentModules:
    if not items:
        raise Unreadable("the table health has no row")
    return AgentModules(provenance=Provenance.of(answer.request, answer.end), items=tuple(items))


_COLUMNS = ("Module", "Component", "Level", "Message", "Error", "UpdatedAt", "Count")


def _decode_text(answer: Answer) -> AgentModules | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    if answer.body.startswith(b"["):
        return _decode_json(answer)
    # Only whole lines: the count at the end of a row that was cut would be another one.
    header, *lines = decoded(answer.body).rpartition("\n")[0].splitlines() or [""]
    starts = {name: header.find(name) for name in (*_COLUMNS, "LastOK")}
    if min(starts[name] for name in _COLUMNS) < 0 or header.lstrip("# ")[:6] != "Module":
        raise Unreadable("the first line does not name the columns of the table health", 0)
    # Only the first name stands behind the mark of the header line, not the cells below it.
    edges = sorted([0, *(start for name, start in starts.items() if name != "Module" and start > 0)])
    names = sorted(starts, key=starts.__getitem__)
    return _fact(answer, [_text_row(line, edges, names) for line in lines if line.strip()])


def _text_row(line: str, edges: list[int], names: list[str]) -> Module:
    ends = [*edges[1:], len(line)]
    cell = {name: line[start:end].strip() for name, start, end in zip(names, edges, ends, strict=False)}
    if not _NUMBER.fullmatch(cell.get("Count", "")):
        raise Unreadable(f"not a row of the table health: {line[:80]}")
    return Module(
        cell["Module"],
        cell["Component"],
        cell["Level"],
        cell["Message"],
        cell["Error"],
        time_of(cell["UpdatedAt"]),
        int(cell["Count"]),
    )


AgentModules.ways = (
    decoding("agent's table health", _shell, _decode_json),
    decoding("agent's table health as text", _statedb, _decode_text),
)

"""The agent's own status: every part with its state, its controllers, its features as they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.status_response import Part, StatusResponse
from playbooks.model.cilium.status_text import read_status
from playbooks.model.cilium.wire import refusal, struct_of
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Unreadable, Way, decoding
from playbooks.model.request import Request
from playbooks.model.text import decoded

HEALTH_PART = "cilium-health"
"""The name under which the health daemon's state is found among the parts."""


@dataclass(frozen=True, kw_only=True)
class AgentStatus(Fact):
    """`cilium-dbg status` of one node."""

    response: StatusResponse
    """What it says; what it does not say is absent."""
    parts: Mapping[str, Part]
    """Every part with a state, by its name in the JSON; also those that this program does not know."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def version(self) -> str:
        """The running version, such as `1.20.2`; empty when it is not told."""
        first = self.response.cilium.msg.split(" ", 1)[0] if self.response.cilium else ""
        number = first.removeprefix("v")
        return number if number[:1].isdigit() else ""

    @property
    def bad_parts(self) -> Iterator[tuple[str, Part]]:
        """Parts in Warning or Failure."""
        return ((name, part) for name, part in self.parts.items() if part.is_bad)


def _json(scene: Scene) -> Request | Gap:
    agents = scene.get(Agents)
    agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
    return agent if isinstance(agent, Gap) else agent.command("cilium-dbg", "status", "-o", "json")


def _text(scene: Scene) -> Request | Gap:
    agents = scene.get(Agents)
    agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
    return agent if isinstance(agent, Gap) else agent.command("cilium-dbg", "status", "--verbose")


def _decode_json(answer: Answer) -> AgentStatus | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    parts = _parts(struct_of(answer, dict[str, object]))
    response = struct_of(answer, StatusResponse)
    if response.cilium is None:
        raise Unreadable("the answer holds no state of Cilium")
    return AgentStatus(provenance=Provenance.of(answer.request, answer.end), response=response, parts=parts)


def _parts(raw: Mapping[str, object]) -> dict[str, Part]:
    cluster = raw.get("cluster")
    health = cluster.get("ciliumHealth") if isinstance(cluster, dict) else None
    found = {name: _part(value) for name, value in [*raw.items(), (HEALTH_PART, health)]}
    return {name: part for name, part in found.items() if part}


def _part(value: object) -> Part | None:
    state = value.get("state") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(state, str):
        return None
    message = value.get("msg")
    return Part(state, message if isinstance(message, str) else "")


def _decode_text(answer: Answer) -> AgentStatus | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    # Only whole lines: a line that was cut says less than it meant, or something else.
    lines = decoded(answer.body).rpartition("\n")[0]
    response, parts = read_status(lines, answer.end.taken_at)
    return AgentStatus(provenance=Provenance.of(answer.request, answer.end), response=response, parts=parts)


AgentStatus.ways = (
    decoding("agent JSON", _json, _decode_json),
    decoding("agent text", _text, _decode_text),
)

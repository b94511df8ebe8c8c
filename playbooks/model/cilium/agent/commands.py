"""How a fact of an agent is asked for: a command in the running agent of a node, if its version has it."""

from __future__ import annotations

from collections.abc import Callable

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.installation import minor_of
from playbooks.model.cilium.wire import refusal
from playbooks.model.fact import Fact, Scene, Way, decoding
from playbooks.model.request import Request

Version = tuple[int, int]
"""Major and minor."""
SHELL = (1, 17)
"""The first version whose agent can be asked through its own shell."""


def agent_of(scene: Scene) -> Agent | Gap:
    """The running agent of the scene's node, or why there is none."""
    agents = scene.get(Agents)
    return agents if isinstance(agents, Gap) else agents.on(scene.node)


def asks(
    *argv: str, since: Version | None = None, until: Version | None = None, is_heavy: bool = False
) -> Callable[[Scene], Request | Gap]:
    """A request for a command; a gap for agents of versions that lack it. Unknown versions are asked."""

    def ask(scene: Scene) -> Request | Gap:
        agent = agent_of(scene)
        if isinstance(agent, Gap):
            return agent
        command = agent.command(*argv, is_heavy=is_heavy)
        version = minor_of(agent.version)
        if version is None or ((since or version) <= version <= (until or version)):
            return command
        has = f"since {_said(since)}" if since and version < since else f"up to {_said(until or version)}"
        return Gap(
            GapKind.NOT_IN_THIS_VERSION,
            f"the agent on {scene.node} is {agent.version}, which lacks `{' '.join(argv)}` ({has})",
            command.command(),
            node=scene.node,
        )

    return ask


def answered(
    name: str, ask: Callable[[Scene], Request | Gap | Fact], decode: Callable[[Answer], Fact | Gap]
) -> Way:
    """A way whose decoder sees only answers that are no refusal."""
    return decoding(name, ask, lambda answer: refusal(answer) or decode(answer))


def _said(version: Version) -> str:
    return f"{version[0]}.{version[1]}"

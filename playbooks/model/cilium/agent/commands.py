"""How a fact of an agent is asked for: a command in the running agent of a node, if its version has it."""

from __future__ import annotations

from collections.abc import Callable

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.installation import minor_of
from playbooks.model.cilium.wire import refusal
from playbooks.model.fact import Fact, Scene, Way, decoding
from playbooks.model.kube.pods import Pods
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


MANY = 3_000
"""Pods from which on not every agent is asked for the addresses of all of them."""


def of_few_pods(ask: Callable[[Scene], Request | Gap]) -> Callable[[Scene], Request | Gap]:
    """The same, unless the answer would be too long: every agent tells all addresses of the cluster."""

    def asked(scene: Scene) -> Request | Gap:
        pods, request = scene.known.get(Pods), ask(scene)
        if not isinstance(pods, Pods) or len(pods.items) <= MANY or isinstance(request, Gap):
            return request
        return Gap(
            GapKind.TOO_COSTLY,
            f"every agent would tell the addresses of all {len(pods.items):,} pods",
            request.command(),
            node=scene.node,
            remedy="run the command by hand on a node that you doubt",
        )

    return asked


def answered(
    name: str, ask: Callable[[Scene], Request | Gap | Fact], decode: Callable[[Answer], Fact | Gap]
) -> Way:
    """A way whose decoder sees only answers that are no refusal."""
    return decoding(name, ask, lambda answer: refusal(answer) or decode(answer))


def _said(version: Version) -> str:
    return f"{version[0]}.{version[1]}"

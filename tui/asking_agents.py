"""An agent command on some nodes, the answers merged: coroutines for the engine's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase

from playbooks.engine.knowing import Knowing
from playbooks.knowledge.agent_commands import Allowed
from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import F
from playbooks.model.kube.pods import Pod, Pods
from tui.commands.answers import lines, merged
from tui.commands.near import near
from tui.commands.trouble import Trouble
from tui.view.agent_words import AgentWords
from tui.view.sheet import Sheet

Progress = Callable[[int, int, int], object]
"""Told how many agents answered, of how many, and how many of them with a gap."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What agents answered."""

    sheet: Sheet
    """The answers, equal ones once, marked by the nodes that gave them."""
    command: str
    """The command that shows it again."""
    taken_at: datetime
    """When."""


async def ask_agents(knowing: Knowing, words: AgentWords, progress: Progress) -> Merged:
    """Run a command where it was said. Raises `Trouble`."""
    agents = await _known(knowing, Agents)
    allowed = words.allowed
    nodes: tuple[str, ...]
    if words.pod:
        pod = await _pod_of(knowing, words.pod)
        nodes = (pod.spec.node_name,)
        if words.argument >= 0:
            allowed = await _with_endpoint(knowing, words, pod)
    else:
        nodes = _nodes(agents, words.node)
    told = await _ask_all(knowing, agents, nodes, allowed, progress)
    only = told[0][1] if len(told) == 1 else None
    command = only.end.command if isinstance(only, Answer) else words.command()
    sheet = await asyncio.to_thread(_sheet, told)
    return Merged(sheet, command, knowing.now())


async def _ask_all(
    knowing: Knowing, agents: Agents, nodes: tuple[str, ...], allowed: Allowed, progress: Progress
) -> list[tuple[str, Answer | Gap]]:
    told: list[tuple[str, Answer | Gap]] = []

    async def one(node: str) -> None:
        agent = agents.on(node)
        if isinstance(agent, Gap):
            found: Answer | Gap = agent
        else:
            found = await knowing.asking.raw(agent.command(*allowed.argv, is_heavy=allowed.is_heavy))
        told.append((node, found))
        progress(len(told), len(nodes), sum(isinstance(answer, Gap) for _, answer in told))

    await asyncio.gather(*map(one, nodes))
    return told


def _sheet(told: list[tuple[str, Answer | Gap]]) -> Sheet:
    text = "".join(f"{one.text}\n" for one in lines(merged(told), len(told)))
    return Sheet.of(text.encode("utf-8", errors="replace"))


def _nodes(agents: Agents, glob: str) -> tuple[str, ...]:
    nodes = tuple(node for node in agents.nodes if fnmatchcase(node, glob))
    if not nodes:
        close = near(glob, agents.nodes)
        remedy = f"did you mean @{' or @'.join(close)}?" if close else "@all asks every agent"
        raise Trouble(f"no node with an agent matches {glob}", "", remedy)
    return nodes


async def _pod_of(knowing: Knowing, name: str) -> Pod:
    pods = await _known(knowing, Pods)
    namespace, _, bare = name.partition("/")
    every = {(one.metadata.namespace, one.metadata.name): one for one in pods.items}
    found = every.get((namespace, bare))
    if found is None:
        names = [f"{one}/{other}" for one, other in every]
        close = [other for other in names if other.startswith(name)][:3] or near(name, names)
        remedy = f"did you mean {' or '.join(close)}?" if close else "kubectl get pods -A lists them"
        raise Trouble(f"there is no pod {name}", "", remedy)
    if not found.spec.node_name:
        raise Trouble(f"pod {name} is on no node yet", "", "name a node instead, as in @NODE")
    return found


async def _with_endpoint(knowing: Knowing, words: AgentWords, pod: Pod) -> Allowed:
    node = pod.spec.node_name
    endpoints = await _known(knowing, AgentEndpoints, node)
    endpoint = endpoints.at(pod.status.pod_ip) if pod.status.pod_ip else None
    if endpoint is None or pod.spec.host_network:
        raise Trouble(
            f"the agent of {node} has no endpoint with the address of pod {words.pod}",
            endpoints.provenance.command,
            "a pod on the host's network has none; else the endpoint playbook says why",
        )
    argv = [*words.allowed.argv]
    argv[words.argument] = str(endpoint.id)
    return replace(words.allowed, argv=tuple(argv))


async def _known(knowing: Knowing, kind: type[F], node: str = "") -> F:
    fact = await knowing.know(kind, node)
    if isinstance(fact, Gap):
        raise Trouble(fact.detail, fact.command, fact.remedy)
    return fact


def gap_of(error: BaseException) -> Gap:
    """Why there is no answer, as a pane shows it."""
    if isinstance(error, Trouble):
        return Gap(GapKind.NOT_FOUND, error.what, command=error.where, remedy=error.remedy)
    return Gap(GapKind.FAILED, f"{type(error).__name__}: {error}", remedy="try again")

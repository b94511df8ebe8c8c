"""`honeyguide exec`: a read-only agent command on the right agents, answers merged and marked by node."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.knowledge.agent_commands import Allowed, Refused, known_commands, read_only
from playbooks.model.answer import Answer, Gap, Source, answer
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import F
from playbooks.model.kube.pods import Pods
from tui.commands.answers import Group, lines, merged
from tui.commands.near import near
from tui.commands.opening import open_live, way_in
from tui.commands.options import Options
from tui.commands.printing import print_lines
from tui.commands.progress import ProgressLine
from tui.commands.signals import Interrupted, Signals, foreground
from tui.commands.trouble import Trouble

if TYPE_CHECKING:
    from playbooks.sources.access import Access

_CLEAN, _FAILED, _UNSEEN = 0, 1, 4

Told = list[tuple[str, Answer | Gap]]
"""What each node answered."""


def run(options: Options) -> int:
    """Run it; 0 when every agent answered with 0, 1 when one did not, 4 when one could not be asked."""
    if sum((bool(options.pod), bool(options.nodes), options.is_all)) != 1:
        raise Trouble("say where to run it", "", "give one of --pod NAMESPACE/NAME, --node GLOB, --all")
    if options.no_exec:
        raise Trouble("--no-exec and exec exclude each other", "", "leave out --no-exec")
    allowed = _allowed(options.argv)
    return foreground(_run(way_in(options), options, allowed))


def _allowed(argv: Sequence[str]) -> Allowed:
    try:
        return read_only(argv)
    except Refused as refused:
        names = [known.name for known in known_commands() if known.kind == "read"]
        close = near(" ".join(argv), names)
        remedy = (
            f"perhaps: {', '.join(close)}" if close else "put the command after --, as in -- status --verbose"
        )
        raise Trouble(str(refused), "", remedy) from refused


async def _run(access: Access, options: Options, allowed: Allowed) -> int:
    with Signals() as signals:
        try:
            opened = await signals.unless(open_live(access, options))
        except Interrupted as interrupted:
            return interrupted.code
        try:
            nodes, agents = await signals.unless(_where(opened.source, options))
            told = await signals.unless(_ask(opened.source, nodes, agents, options, allowed))
        except Interrupted as interrupted:
            return interrupted.code
        finally:
            await opened.close()
    return _print(merged(told), len(told))


async def _where(source: Source, options: Options) -> tuple[tuple[str, ...], Agents]:
    """The nodes whose agents are meant. Raises `Trouble`."""
    knowing = Knowing(Asking(source, 1, Turns(options.workers)), options.choice(), lambda: source.now)
    agents = await _known(knowing, Agents)
    if options.pod:
        return (await _node_of(knowing, options.pod),), agents
    globs = options.nodes or ["*"]
    nodes = tuple(node for node in agents.nodes if any(fnmatchcase(node, glob) for glob in globs))
    if not nodes:
        close = near(globs[0], agents.nodes)
        remedy = (
            f"did you mean {', '.join(close)}?"
            if close
            else f"there are {len(agents.nodes)} nodes with agents"
        )
        raise Trouble(f"no node with an agent matches {' or '.join(globs)}", source.name, remedy)
    return nodes, agents


async def _node_of(knowing: Knowing, name: str) -> str:
    namespace, slash, pod = name.partition("/")
    if not slash:
        raise Trouble(f"--pod {name} names no namespace", "", f"write it as NAMESPACE/{name}")
    pods = await _known(knowing, Pods)
    found = next(
        (one for one in pods.items if (one.metadata.namespace, one.metadata.name) == (namespace, pod)), None
    )
    if found is None:
        close = near(name, [f"{one.metadata.namespace}/{one.metadata.name}" for one in pods.items])
        remedy = f"did you mean {', '.join(close)}?" if close else "kubectl get pods -A lists them"
        raise Trouble(f"there is no pod {name}", "", remedy)
    if not found.spec.node_name:
        raise Trouble(f"pod {name} is on no node yet", "", "give --node instead")
    return found.spec.node_name


async def _known(knowing: Knowing, kind: type[F]) -> F:
    fact = await knowing.know(kind)
    if isinstance(fact, Gap):
        raise Trouble(fact.detail, fact.command, fact.remedy, _UNSEEN)
    return fact


async def _ask(
    source: Source, nodes: tuple[str, ...], agents: Agents, options: Options, allowed: Allowed
) -> Told:
    progress = ProgressLine(is_quiet=options.is_quiet)
    told: Told = []
    turns = asyncio.Semaphore(options.workers)

    async def one(node: str) -> None:
        agent = agents.on(node)
        if isinstance(agent, Gap):
            told.append((node, agent))
        else:
            async with turns:
                request = agent.command(*allowed.argv, is_heavy=allowed.is_heavy)
                told.append((node, await answer(source, request, 1)))
        failed = sum(isinstance(result, Gap) for _, result in told)
        progress.say(f"agents {len(told)}/{len(nodes)}" + (f", {failed} failed" if failed else ""))

    try:
        await asyncio.gather(*map(one, nodes))
    finally:
        progress.clear()
    return told


def _print(groups: tuple[Group, ...], total: int) -> int:
    if total == 1 and groups[0].gap is None and not sys.stdout.isatty():
        # One answer into a pipe is for a program such as jq, which needs it as it came.
        sys.stdout.buffer.write(groups[0].body)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.write(groups[0].stderr)
    else:
        print_lines(lines(groups, total))
    if any(group.gap for group in groups):
        return _UNSEEN
    return _FAILED if any(group.exit_code for group in groups) else _CLEAN

"""What the console asks of a run besides its findings: coroutines for the engine's loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from textual.message import Message

from playbooks.engine.knowing import Knowing
from playbooks.engine.looked import Looked
from playbooks.engine.run import Run
from playbooks.model.answer import Answer, Gap, GapKind, Source
from playbooks.model.cilium.agents import Agents
from playbooks.model.finding import Ref
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.request import ContainerLog, Request
from playbooks.model.rule import Rule
from tui.news import AnswerArrived
from tui.view.sheet import Sheet

NOT_KEPT = "the answer was too large to keep"


class Laid(NamedTuple):
    """An answer and its rows."""

    answer: Answer
    sheet: Sheet


async def answer_to(command: str, runs: Sequence[Run], *, may_ask: bool) -> Laid | Gap:
    """The answer behind a command, of the newest run that asked it; asked again if it was not kept."""
    for run in runs:
        kept = run.kept(command)
        if kept is not None:
            return kept if isinstance(kept, Gap) else await _laid(kept)
    if not may_ask:
        return Gap(GapKind.TOO_LARGE, NOT_KEPT, command=command, remedy="press d to ask again and read it")
    gap = Gap(GapKind.NOT_FOUND, "nothing was asked yet", command=command, remedy="ask with r")
    for run in runs:
        found = await run.raw_of(command)
        if isinstance(found, Answer):
            return await _laid(found)
        gap = gap if found.kind is GapKind.NOT_FOUND else found
    return gap


async def log_of(node: str, runs: Sequence[Run], is_previous: bool | None) -> Laid | Gap:
    """The log of a node's agent: of the run before when its container does not run now."""
    if not runs:
        return Gap(GapKind.NOT_FOUND, "nothing was asked yet", node=node, remedy="ask with r")
    agents = await runs[0].know(Agents)
    if isinstance(agents, Gap):
        return agents
    agent = agents.by_node.get(node)
    if agent is None:
        return Gap(GapKind.NOT_RUNNING, f"there is no agent pod on {node}", node=node)
    previous = not agent.is_running if is_previous is None else is_previous
    found = await runs[0].raw(agent.log(is_previous=previous))
    return found if isinstance(found, Gap) else await _laid(found)


def container_log(pod: Ref, container: str) -> ContainerLog:
    """The end of the log of a container: of any pod, only shown and never judged."""
    return ContainerLog(pod.namespace, pod.name, container, pod.node)


async def raw(knowing: Knowing, request: Request) -> Laid | Gap:
    """An answer as it comes."""
    found = await knowing.asking.raw(request)
    return found if isinstance(found, Gap) else await _laid(found)


async def policies(runs: Sequence[Run]) -> WrittenPolicies | Gap:
    """The policies of the cluster as they are written now."""
    if not runs:
        return Gap(GapKind.NOT_FOUND, "nothing was asked yet", remedy="ask with r")
    try:
        return await runs[0].know(WrittenPolicies)
    except Exception as error:  # noqa: BLE001  a page waits for an answer of any kind
        return Gap(GapKind.FAILED, f"{type(error).__name__}: {error}")


async def looked_at(rules: tuple[Rule, ...], runs: Sequence[Run]) -> tuple[Looked, ...]:
    """What verdicts rest on, from the newest run that judged these rules."""
    return runs[0].looked(rules) if runs else ()


async def paused(source: Source, seconds: float) -> None:
    """Let time pass in the cluster, and here: a recording has no pause of its own."""
    begun = time.monotonic()
    await source.pause(seconds)
    await asyncio.sleep(seconds - (time.monotonic() - begun))


def told_answer(name: str, post: Callable[[Message], object]) -> Callable[[Future[Laid | Gap]], object]:
    """Passes an answer on as a message."""

    def tell(done: Future[Laid | Gap]) -> object:
        if done.cancelled():
            return post(AnswerArrived(name, None, Gap(GapKind.FAILED, "asking was stopped"), None))
        if error := done.exception():
            gap = Gap(GapKind.FAILED, f"{type(error).__name__}: {error}", remedy="try again with r")
            return post(AnswerArrived(name, None, gap, None))
        found = done.result()
        if isinstance(found, Gap):
            return post(AnswerArrived(name, None, found, found.taken_at, found.command))
        end = found.answer.end
        return post(AnswerArrived(name, found.sheet, None, end.taken_at, end.command))

    return tell


async def _laid(found: Answer) -> Laid:
    return Laid(found, await asyncio.to_thread(Sheet.of, found.body))

"""Answers of recordings and of hand, as ways read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Answer, End, Gap, answer
from playbooks.model.fact import Choice, Fact
from playbooks.model.request import AgentCommand
from tests.recorded import source

NODE = "lab-node-1"
F = TypeVar("F", bound=Fact)

_AT = datetime(2026, 1, 1, tzinfo=UTC)


def read(
    kind: type[F], way: int, body: bytes | str, *, stderr: bytes = b"", exit_code: int = 0, size: int = 0
) -> F | Gap:
    """What a way makes of an answer. Raises `Unreadable`."""
    request = AgentCommand(NODE, "kube-system", "cilium-abcde", "cilium-agent", ("cilium-dbg",))
    end = End(request.command(), NODE, _AT, 0.1, exit_code, stderr)
    data = body.removeprefix("\n").encode() if isinstance(body, str) else body
    reader = kind.ways[way].reader()
    for start in range(0, len(data), size or len(data) or 1):
        reader.feed(data[start : start + (size or len(data))])
    result = reader.finish(request, end)
    assert isinstance(result, Gap | kind)
    return result


async def recorded(cluster: str, command: str, look: int = 1) -> bytes:
    """What a command printed in a recorded cluster."""
    replay = source(cluster)
    argv = tuple(command.split())
    request = next(r for _, r in replay.asked if isinstance(r, AgentCommand) and r.argv == argv)
    told = await answer(replay, request, look)
    assert isinstance(told, Answer), told
    return told.body


def knowing(cluster: str, look: int = 1) -> Knowing:
    """Facts of a recorded cluster."""
    replay = source(cluster)
    return Knowing(Asking(replay, look, Turns(8)), Choice(), lambda: replay.now)


async def known(cluster: str, kind: type[F], look: int = 1, node: str = NODE) -> F:
    """A fact of a recorded cluster."""
    fact = await knowing(cluster, look).know(kind, node)
    assert isinstance(fact, kind), fact
    return fact

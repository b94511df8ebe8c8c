"""Facts of an agent read from answers: recorded ones, and ones that a test writes."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from playbooks.model.answer import End, Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scene
from playbooks.model.request import AgentCommand, Request
from tests.facts import LONG_AGO, running_agent
from tests.told import told

NODE = ("node-1", "kube-system", "cilium-x", "cilium-agent")
ASKED = AgentCommand(*NODE, ("cilium-dbg",))

F = TypeVar("F", bound=Fact)


def ask(kind: type[Fact], way: int = 0, version: str = "") -> Request | Gap | Fact:
    """What a way asks of a running agent of some version."""
    return kind.ways[way].ask(Scene({Agents: running_agent(*NODE, version=version)}, "node-1"))


def argv(kind: type[Fact], way: int = 0, version: str = "") -> tuple[str, ...]:
    """The command that a way runs."""
    request = ask(kind, way, version)
    assert isinstance(request, AgentCommand)
    return request.argv


def answered(
    kind: type[F],
    body: bytes,
    way: int = 0,
    *,
    code: int = 0,
    stderr: bytes = b"",
    is_truncated: bool = False,
) -> F | Gap:
    """What a way makes of an answer. Raises `Unreadable`."""
    reader = kind.ways[way].reader()
    for start in range(0, len(body), 997):
        reader.feed(body[start : start + 997])
    end = End("cilium-dbg", "node-1", LONG_AGO, 0.1, code, stderr, is_truncated)
    result = reader.finish(ASKED, end)
    assert isinstance(result, Gap | kind)
    return result


def read(kind: type[F], body: bytes | str, way: int = 0, *, is_truncated: bool = False) -> F:
    """The fact that an answer holds."""
    data = body if isinstance(body, bytes) else body.removeprefix("\n").encode()
    result = answered(kind, data, way, is_truncated=is_truncated)
    assert isinstance(result, kind), result
    return result


def recorded(kind: type[F], way: int = 0, cluster: str = "healthy", look: int = 1) -> F:
    """The fact that an agent of a recorded cluster told."""
    return read(kind, _told(cluster, look, *argv(kind, way)), way)


@cache
def _told(cluster: str, look: int, *words: str) -> bytes:
    return told(cluster, *words, look=look)


def columns(*rows: tuple[str, ...]) -> str:
    """A table as commands print it: padded to stand three blanks apart."""
    widths = [max(len(row[column]) for row in rows) + 3 for column in range(len(rows[0]))]
    lines = ("".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line}\n" for line in lines)

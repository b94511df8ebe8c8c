"""What a look keeps of answers has a limit: the oldest go, and are asked again when they are wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.kept import Kept
from playbooks.model.answer import Answer, End, Gap, GapKind
from playbooks.model.fact import Fact
from playbooks.model.request import AgentCommand, Request

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Talker:
    """Answers every command with as many bytes as its last word says."""

    name = "talker"
    now = AT

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        self.asked.append(request)
        assert isinstance(request, AgentCommand)
        yield b"x" * int(request.argv[-1])
        yield End(request.command(), "here", AT, 0.0)

    async def pause(self, seconds: float) -> None:
        """Nothing passes."""

    async def close(self) -> None:
        """Nothing is open."""


class Nobody:
    """Reads nothing."""

    def feed(self, chunk: bytes) -> None:
        """Let it pass."""

    def finish(self, request: Request, end: End) -> Fact | Gap:
        return Gap(GapKind.NOT_FOUND, "nothing was looked for")


def command(number: int, size: int) -> AgentCommand:
    return AgentCommand(f"node-{number}", "kube-system", "cilium-x", "agent", ("print", str(size)))


async def test_the_oldest_answers_go_when_there_are_too_many() -> None:
    source = Talker()
    look = Asking(source, 1, Turns(4), kept=Kept(fresh=700, packed=15))
    requests = [command(number, 300) for number in range(5)]
    for request in requests:
        await look.read(request, Nobody())
    kept = [request for request in requests if isinstance(look.kept.get(request), Answer)]
    assert kept == requests[2:]
    for request in (requests[0], requests[2], requests[4]):
        told = await look.raw(request)
        assert isinstance(told, Answer)
        assert told.body == b"x" * 300
    assert source.asked == [*requests, requests[0]]


def answer(number: int, body: bytes) -> Answer:
    return Answer(command(number, 0), body, End("print", "here", AT, 0.0))


def test_older_answers_are_packed_and_come_out_as_they_went_in() -> None:
    kept = Kept(fresh=10, packed=1000)
    told = [answer(number, bytes([number]) * 9) for number in range(3)]
    for one in told:
        kept.keep(one)
    assert [kept.get(one.request) for one in told] == told


def test_a_later_answer_stands_instead_of_an_earlier_one_or_a_gap() -> None:
    kept = Kept(fresh=10)
    kept.miss(command(1, 0), Gap(GapKind.FAILED, "it failed"))
    kept.keep(answer(1, b"a" * 9))
    kept.keep(answer(2, b"b" * 9))
    kept.keep(answer(1, b"c" * 9))
    kept.miss(command(1, 0), Gap(GapKind.FAILED, "it failed"))
    assert kept.get(command(1, 0)) == answer(1, b"c" * 9)
    assert kept.get(command(2, 0)) == answer(2, b"b" * 9)

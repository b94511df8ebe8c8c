"""Asks a live cluster carefully: the patient may be the API server, and each command runs inside an agent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from playbooks.model.answer import End, Gap, GapKind, Source
from playbooks.model.request import AgentCommand, ContainerLog, Request
from playbooks.sources.memory import COMMANDS, refusal
from playbooks.sources.stream import Before, Closing, Piece
from playbooks.sources.workers import Load, Slots, Workers

LOOKS_KEPT = 4
NODES_PER_DUMP = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked."""

    workers: int = 64
    """Commands and logs at once, at most."""
    commands: int = 40
    """Commands per agent and look: four playbooks ask about 25, and older agents some in two ways."""
    output: int = 4 * 1024 * 1024
    """Bytes of light output per agent and look."""
    silences: int = 2
    """Commands that may time out per agent and look before the others are not even sent."""
    no_exec: bool = False
    """Whether no command is sent at all."""


@dataclass(slots=True)
class _Spent:
    """What one agent was asked in one look."""

    commands: int = 0
    output: int = 0
    silences: int = 0


@dataclass(slots=True)
class _Agent:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    looks: dict[int, _Spent] = field(default_factory=dict)

    def spent(self, look: int) -> _Spent:
        spent = self.looks.setdefault(look, _Spent())
        while len(self.looks) > LOOKS_KEPT:
            del self.looks[min(self.looks)]
        return spent


class Careful(Before):
    """A source that asks within limits; what is over them is the gap *too costly*, with its command."""

    def __init__(
        self,
        source: Source,
        limits: Limits | None = None,
        kubectl: str = "kubectl",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`source` is asked; its complaints go to `press`. `kubectl` begins the commands in gaps."""
        super().__init__(source)
        self._limits = limits or Limits()
        self._kubectl = kubectl
        self._clock = clock
        self._workers = Workers(self._limits.workers, clock)
        self._dumps = Slots(1)
        self._agents: dict[tuple[str, str, str], _Agent] = {}

    @property
    def state(self) -> Load:
        """How many commands may run at once, and why not more."""
        return self._workers.state

    def press(self, reason: str) -> None:
        """The API server is asked too much: ask less at once."""
        self._workers.press(reason)

    def open(self, request: Request, look: int) -> AsyncIterator[Piece]:
        """Yield the answer's chunks, then exactly one `End` or `Gap`."""
        if isinstance(request, AgentCommand):
            return self._command(request, look)
        if isinstance(request, ContainerLog):
            return self._log(request, look)
        return self._source.open(request, look)

    async def _log(self, request: ContainerLog, look: int) -> AsyncGenerator[Piece, None]:
        async with self._workers.slots, Closing(self._source.open(request, look)) as pieces:
            async for piece in pieces:
                yield piece

    async def _command(self, request: AgentCommand, look: int) -> AsyncGenerator[Piece, None]:
        if self._limits.no_exec:
            yield self._gap(request, GapKind.TOO_COSTLY, "exec is switched off (--no-exec)")
            return
        async with AsyncExitStack() as held:
            # An agent's own turn first: who waits for it must not keep a worker from other agents.
            agent = self._agent(request)
            await held.enter_async_context(agent.turn)
            spent = agent.spent(look)
            if gap := self._over(request, spent):
                yield gap
                return
            if request.is_heavy:
                await held.enter_async_context(self._dumps)
            await held.enter_async_context(self._workers.slots)
            if request.is_heavy:
                spent.commands += COMMANDS
                if why := await refusal(self._source, request, look):
                    yield self._gap(request, GapKind.TOO_COSTLY, why)
                    return
            spent.commands += 1
            pieces = await held.enter_async_context(Closing(self._source.open(request, look)))
            begin, seconds = self._clock(), -1.0
            async for piece in pieces:
                if seconds < 0:
                    seconds = self._clock() - begin
                if isinstance(piece, bytes):
                    if not request.is_heavy:
                        spent.output += len(piece)
                    if spent.output > self._limits.output and not request.is_heavy:
                        yield self._too_much(request)
                        return
                elif isinstance(piece, End):
                    if not request.is_heavy:
                        self._workers.answered(request.argv, seconds)
                elif piece.kind is GapKind.TIMED_OUT and not request.is_heavy:
                    spent.silences += 1
                yield piece

    def _agent(self, request: AgentCommand) -> _Agent:
        key = (request.node_name, "", "") if request.node_name else ("", request.namespace, request.pod)
        agent = self._agents.get(key)
        if agent is None:
            agent = self._agents[key] = _Agent()
            self._dumps.limit = len(self._agents) // NODES_PER_DUMP
        return agent

    def _over(self, request: AgentCommand, spent: _Spent) -> Gap | None:
        """Why the command is not even sent, if it is not."""
        limits = self._limits
        if spent.silences >= limits.silences:
            node, shown = request.node_name, request.command(self._kubectl)
            what = f"not asked: {spent.silences} commands on {node} timed out already; this one was not sent"
            # It carries no time: nothing was seen then, so as evidence it proves less than what was sent.
            return Gap(GapKind.TIMED_OUT, what, shown, f"look at the agent's pod and node: {node}", node)
        if spent.commands >= limits.commands:
            what = f"this agent has run {spent.commands} commands in this look, which is the limit"
            return self._gap(request, GapKind.TOO_COSTLY, what)
        if spent.output > limits.output and not request.is_heavy:
            return self._too_much(request)
        return None

    def _too_much(self, request: AgentCommand) -> Gap:
        size = self._limits.output // 1024 // 1024
        return self._gap(request, GapKind.TOO_COSTLY, f"this agent's output in this look is over {size} MiB")

    def _gap(self, request: AgentCommand, kind: GapKind, detail: str) -> Gap:
        return Gap(
            kind, detail, request.command(self._kubectl), "run the command by hand", request.node, self.now
        )

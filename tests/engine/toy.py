"""A toy cluster and toy facts, to watch the engine without Cilium's shapes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from playbooks.model.answer import Answer, End, Gap, GapKind
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Unreadable, Way, decoding
from playbooks.model.finding import Ref, Severity, Verdict, finding
from playbooks.model.request import AgentCommand, ApiPath, Objects, Request
from playbooks.model.rule import Case, Rule

START = datetime(2026, 1, 1, tzinfo=UTC)


def _object(kind: str, name: str, rest: str) -> bytes:
    return f'{{"kind":"{kind}","metadata":{{"name":"{name}","namespace":"kube-system"}},{rest}}}'.encode()


def pod(node: str) -> str:
    return (
        f'{{"metadata":{{"name":"cilium-{node}","namespace":"kube-system","labels":{{"k8s-app":"cilium"}}}},'
        f'"spec":{{"nodeName":"{node}","containers":[{{"name":"cilium-agent","image":"c:v1.20.2"}}]}},'
        '"status":{"phase":"Running","containerStatuses":[{"name":"cilium-agent","ready":true,'
        '"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}}'
    )


@dataclass
class ToyCluster:
    """Answers lists of nodes and agents, and `count` in each agent."""

    nodes: tuple[str, ...] = ("a", "b", "c")
    counts: dict[str, int | Gap] = field(default_factory=dict)
    growth: int = 0
    asked: list[tuple[int, Request]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    name: str = "toy"
    now: datetime = START
    hold: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    hook: Callable[[Request], bytes | Gap | None] = lambda request: None

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        self.asked.append((look, request))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if self.hold and isinstance(request, AgentCommand):
                self.reached.set()
                await self.hold.wait()
            body = self._body(request, look)
        finally:
            self.at_once -= 1
        if isinstance(body, Gap):
            yield body
            return
        yield body
        yield End(request.command(), "toy", self.now, 0.0)

    def _body(self, request: Request, look: int) -> bytes | Gap:
        special = self.hook(request)
        if special is not None:
            return special
        if isinstance(request, Objects):
            return self._list(request)
        if isinstance(request, AgentCommand):
            count = self.counts.get(request.node_name, 1)
            return count if isinstance(count, Gap) else str(count + self.growth * (look - 1)).encode()
        if isinstance(request, ApiPath):
            return b'{"kind":"APIResourceList","resources":[]}'
        return Gap(GapKind.NOT_FOUND, "nothing of this kind")

    def _list(self, request: Objects) -> bytes:
        match request.resource.plural:
            case "pods":
                items = ",".join(pod(node) for node in self.nodes)
            case "nodes":
                items = ",".join(f'{{"metadata":{{"name":"{node}"}}}}' for node in self.nodes)
            case "daemonsets":
                items = (
                    '{"metadata":{"name":"cilium","namespace":"kube-system"},"spec":{"selector":{"matchLabels":'
                    '{"k8s-app":"cilium"}},"template":{"metadata":{"labels":{"k8s-app":"cilium"}},"spec":'
                    '{"containers":[{"name":"cilium-agent","image":"c:v1.20.2"}]}}}}'
                )
            case _:
                items = ""
        return f'{{"kind":"{request.resource.kind}List","items":[{items}]}}\n'.encode()

    async def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, kw_only=True)
class Count(Fact):
    """A number that an agent prints."""

    value: int
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def count_of(answer: Answer, kind: type[Count] = Count) -> Count:
    if not answer.body.strip().isdigit():
        raise Unreadable("not a number", 0)
    return kind(provenance=Provenance.of(answer.request, answer.end), value=int(answer.body))


def ask(*argv: str) -> Callable[[Scene], Request | Gap]:
    def request(scene: Scene) -> Request | Gap:
        agents = scene.get(Agents)
        agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
        return agent if isinstance(agent, Gap) else agent.command(*argv)

    return request


Count.ways = (decoding("count", ask("count"), count_of), decoding("old count", ask("tally"), count_of))


def rule(judge: Callable[..., Iterator[Verdict]], id: str = "TOY001", **more: object) -> Rule:
    cases = (Case("TOY", "W", "none"),)
    return Rule(id, judge.__name__, "toy", "toy", "Toy.", "Why.", cases, judge, **more)  # type: ignore[arg-type]


def warn(fact: Fact, name: str, **more: object) -> Verdict:
    proof = (fact.evidence("proof"),)
    return finding(Severity.WARN, Ref("Node", name), f"{name} is bad", evidence=proof, **more)  # type: ignore[arg-type]

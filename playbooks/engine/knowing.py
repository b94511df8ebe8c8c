"""Gets facts: each once per look and node, by the first way that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime

from playbooks.engine.asking import Asking
from playbooks.model.answer import Gap, GapKind
from playbooks.model.fact import Choice, F, Fact, Scene, Scope, Way
from playbooks.model.request import AgentCommand
from playbooks.model.sharing import Words

Key = tuple[type[Fact], str]
"""A fact and the node it is of; empty for the cluster."""


_AGENT_IS_OUT = (GapKind.TIMED_OUT, GapKind.UNREACHABLE, GapKind.NOT_RUNNING, GapKind.TOO_COSTLY)
"""Gaps after which another command in the same agent would fare no better."""


@dataclass(slots=True)
class Knowing:
    """What is known in one look."""

    asking: Asking
    """By whom it is asked."""
    choice: Choice
    """What the person chose."""
    now: Callable[[], datetime]
    """The time in the cluster."""
    earlier: Knowing | None = None
    """The look before; facts not `fresh` come from there."""
    fresh: frozenset[type[Fact]] = frozenset()
    """In a later look: the facts that are asked again."""
    chosen: Callable[[str], Gap | None] = lambda node: None
    """Why a node is not asked, if it is not."""
    gaps: dict[Key, Gap] = field(default_factory=dict)
    """Everything that could not be known."""
    words: Words = field(default_factory=Words)
    """What nodes told in the same words."""
    _tasks: dict[Key, asyncio.Task[Fact | Gap]] = field(default_factory=dict)

    async def know(self, kind: type[F], node: str = "") -> F | Gap:
        """A fact, or the gap; asked once however many rules want it."""
        node = node if kind.scope is Scope.NODE else ""
        if self.earlier and kind not in self.fresh:
            return await self.earlier.know(kind, node)
        key = (kind, node)
        if key not in self._tasks or self._tasks[key].cancelled():
            self._tasks[key] = asyncio.create_task(self._find(kind, node))
        task = self._tasks[key]
        result = task.result() if task.done() else await asyncio.shield(task)
        if isinstance(result, Gap | kind):
            return result
        raise TypeError(f"{kind.__name__} was read as {type(result).__name__}")

    def promise(self, kind: type[F], made: Coroutine[None, None, F | Gap]) -> None:
        """A fact that somebody else makes: rules that need it wait for that."""
        self._tasks[kind, ""] = asyncio.create_task(made)

    def kept(self, kind: type[F], node: str = "") -> F | None:
        """A fact if it is there already; nothing is asked for it."""
        if self.earlier and kind not in self.fresh:
            return self.earlier.kept(kind, node)
        task = self._tasks.get((kind, node if kind.scope is Scope.NODE else ""))
        found = task.result() if task and _is_done(task) else None
        return found if isinstance(found, kind) else None

    def known(self) -> dict[Key, Fact]:
        """The facts that are there already."""
        done = {key: task.result() for key, task in self._tasks.items() if _is_done(task)}
        return {key: fact for key, fact in done.items() if isinstance(fact, Fact)}

    def peek(self, kind: type[F], node: str = "") -> F | Gap | None:
        """A fact or its gap if it is there already; nothing while it is not, or when nobody wanted it."""
        node = node if kind.scope is Scope.NODE else ""
        if self.earlier and kind not in self.fresh:
            return self.earlier.peek(kind, node)
        task = self._tasks.get((kind, node))
        if task is None or not task.done() or task.cancelled():
            return None
        result = None if task.exception() else task.result()
        return result if isinstance(result, Gap | kind) else None

    def nodes_of(self, kind: type[Fact]) -> tuple[str, ...]:
        """Nodes of which a fact was asked for."""
        if self.earlier and kind not in self.fresh:
            return self.earlier.nodes_of(kind)
        return tuple(sorted(node for one, node in self._tasks if one is kind and node))

    async def cancel(self) -> None:
        """Stop everything under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _find(self, kind: type[Fact], node: str) -> Fact | Gap:
        refused = self.chosen(node) if node else None
        if refused:
            return self._miss(kind, node, refused)
        needed = await asyncio.gather(*(self.know(need, node) for need in kind.needs))
        scene = Scene(dict(zip(kind.needs, needed, strict=True)), node, self.choice, self.now())
        blind = next((need.blind for need in needed if isinstance(need, Fact) and need.blind), None)
        if kind.is_view:
            result = blind or kind.derive(scene)
        else:
            result = await self._first_way(kind, scene)
        return self._miss(kind, node, result) if isinstance(result, Gap) else result

    async def _first_way(self, kind: type[Fact], scene: Scene) -> Fact | Gap:
        tried: list[tuple[Way, Gap]] = []
        agent_is_out = False
        for way in kind.ways:
            request = way.ask(scene)
            if isinstance(request, Fact):
                return request
            if isinstance(request, Gap):
                tried.append((way, request))
                continue
            if agent_is_out and isinstance(request, AgentCommand):
                continue
            result = await self.asking.read(request, way.reader())
            if isinstance(result, Fact):
                if kind.scope is Scope.NODE:
                    self.words.share(result)
                return replace(result, provenance=replace(result.provenance, way=way.name))
            tried.append((way, result))
            agent_is_out = isinstance(request, AgentCommand) and result.kind in _AGENT_IS_OUT
        return _all_failed(kind, tried)

    def _miss(self, kind: type[Fact], node: str, gap: Gap) -> Gap:
        self.gaps[kind, node] = gap
        return gap


def _is_done(task: asyncio.Task[Fact | Gap]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _all_failed(kind: type[Fact], tried: list[tuple[Way, Gap]]) -> Gap:
    if not tried:
        return Gap(GapKind.NOT_FOUND, f"there is no way to know {kind.__name__}")
    # A way that the version has tells more than one that it lacks: how it failed can be put right.
    tried = sorted(tried, key=lambda one: one[1].kind is GapKind.NOT_IN_THIS_VERSION)
    first = tried[0][1]
    others = "; ".join(f"{way.name}: {gap.detail}" for way, gap in tried[1:] if gap.detail != first.detail)
    return replace(first, detail=f"{first.detail} (then {others})") if others else first

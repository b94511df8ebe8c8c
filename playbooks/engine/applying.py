"""Applies one rule: gets its facts in their forms, calls it, and sums up the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from playbooks.engine.judging import Judged, judge
from playbooks.engine.knowing import Knowing
from playbooks.engine.needs import Form, Need, Needs, needs_of
from playbooks.model.answer import Gap, GapKind
from playbooks.model.fact import Change, Fact, Fleet, OnNode, Scope
from playbooks.model.finding import Finding
from playbooks.model.outcome import Outcome, OutcomeKind
from playbooks.model.rule import Rule


@dataclass(slots=True)
class Tally:
    """Sums up the calls of one rule."""

    rule: Rule
    findings: list[Finding] = field(default_factory=list)
    looked: int = 0
    total: int = 0
    whys: list[str] = field(default_factory=list)
    not_applicable: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    slow: bool = False

    def miss(self, why: str) -> None:
        """One subject that could not be looked at."""
        self.total += 1
        self.whys.append(why)

    def take(self, judged: Judged) -> None:
        """The result of one call."""
        self.findings += judged.findings
        self.slow = self.slow or judged.is_too_slow
        if judged.not_applicable and not judged.findings and not judged.doubts:
            self.not_applicable += judged.not_applicable
            return
        self.total += 1
        if judged.traceback:
            self.tracebacks.append(judged.traceback)
        elif judged.doubts:
            self.whys += judged.doubts
        else:
            self.looked += 1

    def outcome(self) -> Outcome:
        """The rule's outcome over all calls."""
        kind, why = self._kind()
        return Outcome(
            self.rule,
            kind,
            self.looked,
            self.total,
            why,
            tuple(self.findings),
            traceback="\n".join(self.tracebacks),
        )

    def _kind(self) -> tuple[OutcomeKind, str]:
        why = "; ".join(sorted(set(self.whys)))
        if self.slow:
            return OutcomeKind.TOO_SLOW, "took too long and was cut off; what it found until then is kept"
        if self.tracebacks and not self.findings:
            return OutcomeKind.CRASHED, self.tracebacks[0].strip().rpartition("\n")[2]
        if self.findings:
            return OutcomeKind.FINDINGS, why
        if self.whys:
            return OutcomeKind.COULD_NOT_LOOK, why
        if self.not_applicable and not self.looked:
            return OutcomeKind.NOT_APPLICABLE, self.not_applicable[0]
        return OutcomeKind.CLEAN, ""


@dataclass(slots=True)
class Applying:
    """Applies rules to what is known in one look, or in two."""

    knowing: Knowing
    """The look; the second one for rules over two looks."""
    nodes: tuple[str, ...]
    """Nodes that have or should have an agent and were not excluded by choice."""
    nodes_gap: Gap | None
    """Why the nodes are not known, if they are not."""
    found: Callable[[Rule, list[Finding]], None] = lambda rule, findings: None
    """Told of findings as they come."""

    async def apply(self, rule: Rule) -> Outcome:
        """Run a rule with everything it needs."""
        needs = needs_of(rule)
        tally = Tally(rule)
        given = await self._cluster_arguments(needs, tally)
        if given is None:
            return tally.outcome()
        if not needs.is_per_node:
            await self._call(rule, given, tally)
        elif self.nodes_gap:
            tally.miss(self.nodes_gap.detail)
        else:
            await asyncio.gather(*(self._on_node(rule, needs, node, given, tally) for node in self.nodes))
        return tally.outcome()

    async def without_candidate(self, rule: Rule) -> Outcome | None:
        """The outcome of a rule over two looks that this look leaves nothing to compare; else nothing."""
        needs = needs_of(rule)
        tally = Tally(rule)
        for need in needs.each:
            if need.fact.scope is Scope.CLUSTER and not need.is_optional and need.form is not Form.FLEET:
                fact = await self._judgeable(need.fact, needs)
                if isinstance(fact, Gap):
                    tally.miss(fact.detail)
                    return tally.outcome()
        if needs.is_per_node and self.nodes_gap:
            tally.miss(self.nodes_gap.detail)
            return tally.outcome()
        nodes = self.nodes if needs.is_per_node else ("",)
        # All nodes at once: whichever comes first, every one of them has to answer.
        wanting = await asyncio.gather(*(self._is_candidate(rule, needs, node, tally) for node in nodes))
        return None if any(wanting) else tally.outcome()

    async def _is_candidate(self, rule: Rule, needs: Needs, node: str, tally: Tally) -> bool:
        kinds = [need.fact for need in needs.each if need.form is Form.CHANGE]
        facts = await asyncio.gather(*(self.knowing.know(kind, node) for kind in kinds))
        gaps = [fact.detail for fact in facts if isinstance(fact, Gap)]
        if gaps:
            tally.miss(f"{node}: {gaps[0]}" if node and node not in gaps[0] else gaps[0])
            return False
        if rule.candidate is None or rule.candidate(*facts):
            return True
        tally.take(Judged())
        return False

    async def _cluster_arguments(self, needs: Needs, tally: Tally) -> dict[str, Any] | None:
        given: dict[str, Any] = {}
        for need in needs.each:
            if need.form is Form.FLEET:
                given[need.name] = await self._fleet(need.fact)
            elif need.form is Form.CLUSTER and need.fact.scope is Scope.CLUSTER:
                fact = await self._judgeable(need.fact, needs)
                if isinstance(fact, Gap) and not need.is_optional:
                    tally.miss(fact.detail)
                    return None
                given[need.name] = None if isinstance(fact, Gap) else fact
            elif need.form is Form.CHANGE and need.fact.scope is Scope.CLUSTER:
                change = await self._change(need.fact, "")
                if isinstance(change, Gap):
                    tally.miss(change.detail)
                    return None
                given[need.name] = change
        return given

    async def _judgeable(self, kind: type[Fact], needs: Needs) -> Fact | Gap:
        fact = await self.knowing.know(kind)
        # A rule that hears agents themselves needs to know of them no more than whom it hears.
        hears = any(need.fact.scope is Scope.NODE and not need.fact.is_view for need in needs.each)
        return fact if isinstance(fact, Gap) or hears else fact.blind or fact

    async def _fleet(self, kind: type[Fact]) -> Fleet[Any]:
        facts = await asyncio.gather(*(self.knowing.know(kind, node) for node in self.nodes))
        pairs = list(zip(self.nodes, facts, strict=True))
        missing = {node: fact for node, fact in pairs if isinstance(fact, Gap)}
        if self.nodes_gap:
            missing["?"] = self.nodes_gap
        return Fleet({node: fact for node, fact in pairs if isinstance(fact, Fact)}, missing)

    async def _change(self, kind: type[Fact], node: str) -> Change[Any] | Gap:
        earlier = self.knowing.earlier
        if earlier is None:
            return Gap(GapKind.NOT_RECORDED, "one look: no second observation to compare with")
        before, after = await earlier.know(kind, node), await self.knowing.know(kind, node)
        if isinstance(before, Gap):
            return before
        return after if isinstance(after, Gap) else Change(before, after)

    async def _on_node(
        self, rule: Rule, needs: Needs, node: str, given: dict[str, Any], tally: Tally
    ) -> None:
        arguments = dict(given)
        for need in needs.each:
            if need.name in arguments:
                continue
            fact = await self._node_argument(need, node)
            if isinstance(fact, Gap):
                if not need.is_optional:
                    tally.miss(f"{node}: {fact.detail}" if node not in fact.detail else fact.detail)
                    return
                arguments[need.name] = None
            else:
                arguments[need.name] = fact
        await self._call(rule, arguments, tally)

    async def _node_argument(self, need: Need, node: str) -> object:
        if need.form is Form.CHANGE:
            return await self._change(need.fact, node)
        fact = await self.knowing.know(need.fact, node)
        return fact if isinstance(fact, Gap) else OnNode(node, fact)

    async def _call(self, rule: Rule, arguments: dict[str, Any], tally: Tally) -> None:
        judged = await judge(rule, arguments)
        tally.take(judged)
        if judged.findings:
            self.found(rule, judged.findings)


def fresh_kinds(rules: Iterable[Rule]) -> frozenset[type[Fact]]:
    """The facts that rules over two looks want to see again, with those that views among them are made of."""
    wanted = {need.fact for rule in rules for need in needs_of(rule).each if need.form is Form.CHANGE}
    found: set[type[Fact]] = set()
    while wanted:
        kind = wanted.pop()
        found.add(kind)
        # A view made of what the first look saw would only be the first look's again.
        wanted |= {need for need in kind.needs if kind.is_view} - found
    return frozenset(found)

"""One run of playbooks against a source: facts, rules, a second look where it pays, a report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from playbooks.engine.addressing import addressed
from playbooks.engine.applying import Applying, fresh_kinds
from playbooks.engine.asking import Asking, Turns
from playbooks.engine.background import Background
from playbooks.engine.beside.gathering import Beside, beside
from playbooks.engine.beside.sight import Sight
from playbooks.engine.knowing import Knowing
from playbooks.engine.looked import Looked, looked
from playbooks.engine.needs import needs_of
from playbooks.engine.ranking import Found, ranked
from playbooks.engine.selection import Selection, select, unmatched
from playbooks.engine.snapshot import Progress, Snapshot
from playbooks.engine.targets.aim import Aim, aimed
from playbooks.engine.wanting import Call, wanted
from playbooks.model.answer import Answer, Gap, GapKind, Source
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Choice, F
from playbooks.model.finding import Finding
from playbooks.model.kube.nodes import Nodes
from playbooks.model.outcome import Outcome, OutcomeKind
from playbooks.model.request import Request
from playbooks.model.rule import Rule
from playbooks.model.wanted import WantedCalls


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, and how hard."""

    rules: tuple[Rule, ...]
    """The rules of the chosen playbooks."""
    looks: int = 2
    """How many looks at most."""
    interval: float = 5.0
    """Seconds between looks."""
    workers: int = 64
    """Requests at once at most."""
    nodes: tuple[str, ...] = ()
    """Globs of nodes; empty for all."""
    all_nodes: bool = False
    """Ask every agent, however many there are."""
    choice: Choice = field(default_factory=Choice)
    """Where Cilium is, if it has to be told."""
    first_look: int = 1
    """The number of the first look; a re-run counts on."""
    targets: tuple[str, ...] = ()
    """Nodes, pods, workloads, services and other things, as typed, whose findings come first."""
    calls: tuple[Call, ...] = ()
    """Calls that are to pass, as typed; where only one end was named the other is empty."""
    kubectl: str = "kubectl"
    """How a command to this cluster begins, for the commands of fixes."""


class Run:
    """One run; `start` returns the last snapshot, `changed` says when an earlier one is worth a look."""

    def __init__(self, source: Source, order: Order, changed: Callable[[], None] = lambda: None) -> None:
        self._source = source
        self._order = order
        self._changed = changed
        self._turns = Turns(order.workers)
        self._selection = Selection()
        self._first = self._knowing(order.first_look, None, frozenset())
        self._second: Knowing | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._early: dict[str, list[Finding]] = {}
        self._installation: Installation | Gap | None = None
        self._ready = 0
        self._unmatched: Gap | None = None
        self._aim = Aim()
        self._is_over = False

    async def start(self) -> Snapshot:
        """Run to the end. Cancelling the task stops all that is under way."""
        try:
            nodes_gap = await self._prepare()
            later = await self._look(self._first, self._order.rules, nodes_gap)
            await self._second_look(later, nodes_gap)
            self._tell_background()
        finally:
            await self._first.cancel()
            if self._second:
                await self._second.cancel()
            self._is_over = True
        return replace(self.snapshot(), is_over=True)

    def snapshot(self) -> Snapshot:
        """How things stand now."""
        found = [Found(rule, finding) for rule in self._order.rules for finding in self._findings_of(rule)]
        asked = tuple(reversed(self._looks))
        counts = [one.asking.counts for one in asked]
        return Snapshot(
            cluster=self._source.name,
            taken_at=self._source.now,
            installation=self._installation if isinstance(self._installation, Installation) else None,
            rules=self._order.rules,
            outcomes=dict(self._outcomes),
            ranked=ranked(found, self._aim.covers),
            gaps=self._gaps(asked),
            progress=Progress(
                sum(one.asked for one in counts),
                sum(one.answered for one in counts),
                sum(one.failed for one in counts),
            ),
            nodes=self._selection.nodes,
            sick=tuple(sorted(self._selection.sick)),
            ready=self._ready,
            about=self._aim.said,
            unfound=self._aim.missing,
            things=self._aim.things,
        )

    def _gaps(self, asked: Iterable[Knowing]) -> tuple[Gap, ...]:
        """In an order of their own, so that a run and its replay tell them alike."""
        gaps = {gap for one in asked for gap in one.gaps.values()}
        ordered = sorted(gaps, key=lambda gap: (gap.kind, gap.node, gap.command, gap.detail))
        return (*((self._unmatched,) if self._unmatched else ()), *ordered)

    async def raw(self, request: Request) -> Answer | Gap:
        """The answer to a request as it came, for a pane."""
        return await self._first.asking.raw(request)

    async def raw_of(self, command: str) -> Answer | Gap:
        """The answer behind a command that evidence names, as it came."""
        for look in self._looks:
            request = look.asking.commands.get(command)
            if request is not None:
                return await look.asking.raw(request)
        return Gap(GapKind.NOT_FOUND, "this run did not ask that", command=command, remedy="ask again")

    def kept(self, command: str) -> Answer | Gap | None:
        """What is in memory of that answer; nothing when it was too large to keep, or never asked."""
        for look in self._looks:
            request = look.asking.commands.get(command)
            found = look.asking.kept.get(request) if request is not None else None
            if found is not None:
                return found
        return None

    async def know(self, kind: type[F], node: str = "") -> F | Gap:
        """A fact of this run, for a pane."""
        return await self._looks[0].know(kind, node)

    def has(self, kind: type[F]) -> F | None:
        """A fact of this run if it is there already; nothing is asked for it."""
        return self._looks[0].kept(kind)

    async def beside(self, rule: Rule, finding: Finding) -> Beside:
        """The tables and log lines of a finding; little is asked for them, and nothing while this runs."""
        return await beside(Sight(self._looks[0], may_ask=self._is_over), finding, rule.playbook)

    def has_judged(self, rule: Rule) -> bool:
        """Whether a rule has come to its end in this run."""
        return rule.id in self._outcomes

    def looked(self, rules: Iterable[Rule]) -> tuple[Looked, ...]:
        """The answers and gaps that verdicts rest on, as far as they are there."""
        return looked(rules, *reversed(self._looks))

    @property
    def _looks(self) -> tuple[Knowing, ...]:
        """Newest first."""
        return (self._second, self._first) if self._second else (self._first,)

    def _findings_of(self, rule: Rule) -> tuple[Finding, ...]:
        outcome = self._outcomes.get(rule.id)
        return outcome.findings if outcome else tuple(self._early.get(rule.id, ()))

    def _is_urgent(self, request: Request) -> bool:
        return request.node in self._selection.sick or request.node in self._aim.nodes

    def _knowing(self, look: int, earlier: Knowing | None, fresh: frozenset[type]) -> Knowing:
        asking = Asking(self._source, look, self._turns, self._is_urgent)
        return Knowing(asking, self._order.choice, lambda: self._source.now, earlier, fresh)

    async def _prepare(self) -> Gap | None:
        """Choose the nodes; the gap when agents cannot be found."""
        self._installation = await self._first.know(Installation)
        agents, nodes = await asyncio.gather(self._first.know(Agents), self._first.know(Nodes))
        if isinstance(agents, Gap):
            return agents
        order = self._order
        self._aim = await aimed(self._first, order.targets)
        if order.calls:
            self._first.promise(WantedCalls, wanted(self._first, order.calls))
        self._selection = select(
            agents, nodes, order.nodes, all_nodes=order.all_nodes, wanted=self._aim.nodes
        )
        self._first.chosen = self._selection.refusal()
        ready = {name for name, agent in agents.by_node.items() if agent.status and agent.status.ready}
        self._ready = sum(node in ready for node in self._selection.nodes)
        self._changed()
        missed = unmatched(agents.nodes, order.nodes)
        if missed and agents.nodes:
            self._unmatched = _unmatched(missed, order.kubectl, agents.nodes)
        return None if self._selection.nodes else self._unmatched

    async def _look(
        self, knowing: Knowing, rules: tuple[Rule, ...], nodes_gap: Gap | None
    ) -> tuple[Rule, ...]:
        """Apply rules to a look; the rules that wait for a second one are returned."""
        applying = Applying(knowing, self._selection.nodes, nodes_gap, self._found)
        later = [rule for rule in rules if needs_of(rule).is_change and knowing.earlier is None]
        now = [rule for rule in rules if rule not in later]
        waiting = await asyncio.gather(
            asyncio.gather(*(self._apply(applying, rule) for rule in now)),
            asyncio.gather(*(self._wants_second(applying, rule) for rule in later)),
        )
        return tuple(rule for rule, wants in zip(later, waiting[1], strict=True) if wants)

    async def _apply(self, applying: Applying, rule: Rule) -> None:
        outcome = await applying.apply(rule)
        findings = tuple(addressed(found, self._order.kubectl) for found in outcome.findings)
        self._outcomes[rule.id] = replace(outcome, findings=findings)
        self._changed()

    async def _wants_second(self, applying: Applying, rule: Rule) -> bool:
        """Whether a rule over two looks has a candidate; if not, the first look judges it."""
        outcome = await applying.without_candidate(rule)
        if outcome is None:
            return True
        self._outcomes[rule.id] = outcome
        self._changed()
        return False

    async def _second_look(self, rules: tuple[Rule, ...], nodes_gap: Gap | None) -> None:
        if not rules:
            return
        if self._order.looks < 2:
            for rule in rules:
                self._outcomes[rule.id] = _one_look(rule)
            return
        await self._source.pause(self._order.interval)
        second = self._knowing(self._order.first_look + 1, self._first, fresh_kinds(rules))
        second.chosen = self._selection.refusal()
        self._second = second
        await self._look(second, rules, nodes_gap)
        for rule in rules:
            outcome = self._outcomes[rule.id]
            if outcome.kind is OutcomeKind.COULD_NOT_LOOK and "one look" in outcome.why:
                self._outcomes[rule.id] = replace(outcome, is_one_look=True)

    def _tell_background(self) -> None:
        """At the end, when all that will be read is there: a run and its replay then tell the same."""
        facts = [fact for look in reversed(self._looks) for fact in look.known().values()]
        background = Background.of(facts)
        for name, outcome in self._outcomes.items():
            findings = tuple(background.behind(found, self._source.now) for found in outcome.findings)
            self._outcomes[name] = replace(outcome, findings=findings)

    def _found(self, rule: Rule, findings: list[Finding]) -> None:
        mine = (addressed(found, self._order.kubectl) for found in findings)
        self._early.setdefault(rule.id, []).extend(mine)
        self._changed()


def _unmatched(globs: Sequence[str], kubectl: str, nodes: Sequence[str]) -> Gap:
    """Nothing was looked at: a name that is mistyped must not come out as a cluster that is well."""
    return Gap(
        GapKind.NOT_FOUND,
        f"no node with an agent matches {' or '.join(globs)}",
        command=f"{kubectl} get nodes",
        remedy=f"choose among the {len(nodes)} nodes with agents, such as {nodes[0]}",
    )


def _one_look(rule: Rule) -> Outcome:
    why = "could not look: one look; this rule compares two"
    return Outcome(rule, OutcomeKind.COULD_NOT_LOOK, 0, 1, why, is_one_look=True)

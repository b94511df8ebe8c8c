"""A run: who is asked what, what becomes of rules, and what two looks see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest

from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Gap, GapKind
from playbooks.model.fact import Change, Fact, Fleet, OnNode, Scene, Scope, decoding
from playbooks.model.finding import CouldNotLook, NotApplicable, Verdict
from playbooks.model.kube.workloads import Deployments
from playbooks.model.outcome import OutcomeKind
from playbooks.model.request import AgentCommand
from playbooks.model.rule import Rule
from playbooks.sources.careful import Careful
from tests.engine.toy import Count, ToyCluster, ask, count_of, rule, warn


class Other(Count):
    """What another command of the same agent prints."""


class Third(Count):
    """What a third command of the same agent prints."""


Other.ways = (decoding("other", ask("other"), lambda answer: count_of(answer, Other)),)
Third.ways = (decoding("third", ask("third"), lambda answer: count_of(answer, Third)),)


def too_high(count: OnNode[Count]) -> Iterator[Verdict]:
    if count.fact.value > 5:
        yield warn(count.fact, count.node)


def grows(count: Change[Count]) -> Iterator[Verdict]:
    if count.after.value > count.before.value:
        yield warn(count.after, "grown")


@dataclass(frozen=True, kw_only=True)
class Doubled(Fact):
    """Made of the count alone."""

    value: int
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Count,)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> Doubled | Gap:
        count = scene.get(Count)
        return count if isinstance(count, Gap) else cls(provenance=count.provenance, value=2 * count.value)


def doubles(view: Change[Doubled]) -> Iterator[Verdict]:
    if view.after.value > view.before.value:
        yield warn(view.after, "grown")


def nobody_counts(counts: Fleet[Count]) -> Iterator[Verdict]:
    if not any(count.value for _, count in counts):
        yield counts.if_complete().finding(warn(next(iter(counts.facts.values())), "all"))  # type: ignore[arg-type]


async def run(cluster: ToyCluster, *rules: Rule, **order: object) -> Snapshot:
    return await Run(cluster, Order(rules, **order)).start()  # type: ignore[arg-type]


async def test_a_rule_on_nodes_is_called_for_each_node() -> None:
    snapshot = await run(ToyCluster(counts={"b": 9}), rule(too_high))
    assert [one.finding.subject.name for one in snapshot.roots] == ["b"]
    outcome = snapshot.outcomes["TOY001"]
    assert (outcome.kind, outcome.looked, outcome.total) == (OutcomeKind.FINDINGS, 3, 3)
    assert snapshot.is_complete


async def test_clean_on_some_nodes_is_not_clean() -> None:
    gap = Gap(GapKind.UNREACHABLE, "no route to b")
    outcome = (await run(ToyCluster(counts={"b": gap}), rule(too_high))).outcomes["TOY001"]
    assert (outcome.kind, outcome.looked, outcome.total) == (OutcomeKind.COULD_NOT_LOOK, 2, 3)
    assert "no route to b" in outcome.why


async def test_a_finding_on_absence_needs_every_node() -> None:
    silent = {"a": 0, "b": 0, "c": 0}
    assert (await run(ToyCluster(counts=dict(silent)), rule(nobody_counts))).roots
    cut = await run(ToyCluster(counts={**silent, "c": Gap(GapKind.FORBIDDEN, "no")}), rule(nobody_counts))
    assert not cut.roots
    assert cut.outcomes["TOY001"].kind is OutcomeKind.COULD_NOT_LOOK


async def test_garbage_is_a_gap_that_names_command_and_offset() -> None:
    cluster = ToyCluster(hook=lambda request: b"{]" if isinstance(request, AgentCommand) else None)
    snapshot = await run(cluster, rule(too_high))
    gap = next(gap for gap in snapshot.gaps if gap.node == "a")
    assert gap.kind is GapKind.UNREADABLE
    assert "byte 0" in gap.detail
    assert "exec cilium-a" in gap.command


async def test_the_second_way_is_tried_when_the_first_fails() -> None:
    def only_tally(request: object) -> Gap | None:
        if isinstance(request, AgentCommand) and request.argv == ("count",):
            return Gap(GapKind.NOT_IN_THIS_VERSION, "no count here")
        return None

    snapshot = await run(ToyCluster(counts={"a": 9}, hook=only_tally), rule(too_high))
    assert snapshot.roots[0].finding.evidence[0].way == "old count"


async def test_a_way_that_failed_counts_more_than_one_that_the_version_lacks() -> None:
    def fails(request: object) -> Gap | None:
        argv = request.argv if isinstance(request, AgentCommand) else ()
        if argv == ("count",):
            return Gap(GapKind.NOT_IN_THIS_VERSION, "no count here")
        return Gap(GapKind.FORBIDDEN, "exec is forbidden") if argv == ("tally",) else None

    gaps = (await run(ToyCluster(hook=fails), rule(too_high))).gaps
    assert {(gap.kind, gap.detail) for gap in gaps} == {
        (GapKind.FORBIDDEN, "exec is forbidden (then count: no count here)")
    }


async def test_nothing_is_asked_twice_in_a_look() -> None:
    cluster = ToyCluster()
    await run(cluster, rule(too_high), rule(nobody_counts, "TOY002"))
    assert len(cluster.asked) == len(set(cluster.asked))


async def test_a_change_rule_compares_two_looks() -> None:
    cluster = ToyCluster(growth=1)
    snapshot = await run(cluster, rule(grows))
    assert snapshot.roots
    assert snapshot.is_complete
    second = [request for look, request in cluster.asked if look == 2]
    assert second
    assert all(isinstance(request, AgentCommand) for request in second), (
        "only what is compared is asked again"
    )


async def test_a_view_of_the_second_look_is_made_of_what_that_look_saw() -> None:
    assert (await run(ToyCluster(growth=3), rule(doubles))).roots
    assert not (await run(ToyCluster(growth=0), rule(doubles))).roots


async def test_one_look_is_no_gap_but_not_complete() -> None:
    snapshot = await run(ToyCluster(growth=1), rule(grows), looks=1)
    assert snapshot.outcomes["TOY001"].kind is OutcomeKind.COULD_NOT_LOOK
    assert not snapshot.is_complete
    assert not snapshot.is_unjudged


async def test_no_second_look_without_a_candidate() -> None:
    cluster = ToyCluster(growth=1)
    snapshot = await run(cluster, rule(grows, candidate=lambda count: count.value > 100))
    assert snapshot.outcomes["TOY001"].kind is OutcomeKind.CLEAN
    assert {look for look, _ in cluster.asked} == {1}


async def test_a_crash_is_an_outcome_and_the_others_go_on() -> None:
    def crashes(count: OnNode[Count]) -> Iterator[Verdict]:
        raise RuntimeError("boom")
        yield

    snapshot = await run(ToyCluster(counts={"a": 9}), rule(crashes), rule(too_high, "TOY002"))
    assert snapshot.outcomes["TOY001"].kind is OutcomeKind.CRASHED
    assert "boom" in snapshot.outcomes["TOY001"].traceback
    assert snapshot.roots
    assert snapshot.is_unjudged


async def test_a_question_that_does_not_arise() -> None:
    def windows_only(deployments: Deployments) -> Iterator[Verdict]:
        yield NotApplicable("no Windows here")

    outcome = (await run(ToyCluster(), rule(windows_only))).outcomes["TOY001"]
    assert (outcome.kind, outcome.why) == (OutcomeKind.NOT_APPLICABLE, "no Windows here")


async def test_doubt_of_the_rule_itself_is_could_not_look() -> None:
    def unsure(deployments: Deployments) -> Iterator[Verdict]:
        yield CouldNotLook("one page is missing")

    assert (await run(ToyCluster(), rule(unsure))).is_unjudged


async def test_a_rule_may_do_without_an_optional_fact() -> None:
    seen: list[object] = []

    def perhaps(deployments: Deployments | None, count: OnNode[Count] | None) -> Iterator[Verdict]:
        seen.append((deployments, count))
        yield from ()

    def no_deployments(request: object) -> Gap | None:
        return Gap(GapKind.FORBIDDEN, "no") if "deployments" in str(request) else None

    snapshot = await run(ToyCluster(nodes=("a",), hook=no_deployments), rule(perhaps))
    assert snapshot.outcomes["TOY001"].kind is OutcomeKind.CLEAN
    assert len(seen) == 1


async def test_a_cluster_without_cilium_says_so() -> None:
    def empty(request: object) -> bytes | None:
        plural = getattr(getattr(request, "resource", None), "plural", "")
        return b'{"kind":"List","items":[]}' if plural in ("pods", "daemonsets") else None

    snapshot = await run(ToyCluster(hook=empty), rule(too_high))
    assert snapshot.is_unjudged
    assert any("not installed" in gap.detail and gap.remedy for gap in snapshot.gaps)


async def test_globs_choose_nodes() -> None:
    snapshot = await run(ToyCluster(nodes=("w-1", "w-2", "cp-1")), rule(too_high), nodes=("w-*",))
    assert snapshot.outcomes["TOY001"].total == 2
    assert snapshot.outcomes["TOY001"].kind is OutcomeKind.CLEAN


async def test_large_clusters_are_sampled_and_say_so() -> None:
    nodes = tuple(f"n{number:03}" for number in range(150))
    cluster = ToyCluster(nodes=nodes)
    outcome = (await run(cluster, rule(too_high))).outcomes["TOY001"]
    assert outcome.looked < 10
    assert outcome.total == 150
    assert "of 150 nodes were asked" in outcome.why
    every = (await run(ToyCluster(nodes=nodes), rule(too_high), all_nodes=True)).outcomes["TOY001"]
    assert every.looked == 150


async def test_a_silent_agent_is_given_up_after_two_commands() -> None:
    silent = Gap(GapKind.TIMED_OUT, "no answer from b")
    cluster = ToyCluster(counts={"b": silent})

    def needs_other(other: OnNode[Other]) -> Iterator[Verdict]:
        yield from ()

    def needs_third(third: OnNode[Third]) -> Iterator[Verdict]:
        yield from ()

    rules = (rule(too_high), rule(needs_other, "TOY002"), rule(needs_third, "TOY003"))
    snapshot = await Run(Careful(cluster), Order(rules)).start()
    to_b = [request for _, request in cluster.asked if getattr(request, "node_name", "") == "b"]
    assert len(to_b) == 2
    assert any("not sent" in gap.detail for gap in snapshot.gaps)


async def test_workers_are_bounded() -> None:
    cluster = ToyCluster(nodes=tuple(f"n{number}" for number in range(50)))
    await run(cluster, rule(too_high), workers=4)
    assert cluster.most_at_once <= 4


async def test_cancelling_stops_what_is_under_way() -> None:
    cluster = ToyCluster(hold=asyncio.Event())
    task = asyncio.create_task(run(cluster, rule(too_high)))
    await cluster.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert cluster.at_once == 0


async def test_findings_come_before_the_run_is_over() -> None:
    cluster = ToyCluster(counts={"a": 9})
    seen: list[int] = []
    made = Run(
        cluster,
        Order((rule(too_high), rule(grows, "TOY002"))),
        lambda: seen.append(len(made.snapshot().roots)),
    )
    await made.start()
    assert 1 in seen


async def test_a_change_rule_that_saw_nothing_is_not_clean() -> None:
    def empty(request: object) -> bytes | None:
        plural = getattr(getattr(request, "resource", None), "plural", "")
        return b'{"kind":"List","items":[]}' if plural in ("pods", "daemonsets") else None

    candidate = lambda count: count.value > 5  # noqa: E731
    nowhere = await run(ToyCluster(hook=empty), rule(grows, candidate=candidate))
    assert nowhere.outcomes["TOY001"].kind is OutcomeKind.COULD_NOT_LOOK
    gap = Gap(GapKind.FORBIDDEN, "no exec")
    cluster = ToyCluster(counts={"a": gap, "b": gap, "c": gap})
    silent = await run(cluster, rule(grows))
    assert silent.outcomes["TOY001"].kind is OutcomeKind.COULD_NOT_LOOK
    assert "no exec" in silent.outcomes["TOY001"].why
    assert {look for look, _ in cluster.asked} == {1}, (
        "there is nothing to compare, so nothing is asked again"
    )

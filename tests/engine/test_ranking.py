"""Ranking: causes before symptoms, equal findings as one, no cycle ends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.engine.ranking import Found, Ranked, ranked
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Ref, Severity, Verdict, finding
from tests.engine.toy import START, rule

AGENT = Condition(ConditionKind.AGENT_DOWN, "node-1")
OPERATOR = Condition(ConditionKind.OPERATOR_DOWN)
NODE = Condition(ConditionKind.NODE_NOT_READY, "node-1")


def judge() -> Iterator[Verdict]:
    yield from ()


def found(id: str, name: str = "x", severity: Severity = Severity.WARN, **more: object) -> Found:
    made: Finding = finding(severity, Ref("Node", name), f"{name} is bad", evidence=(), **more)  # type: ignore[arg-type]
    return Found(rule(judge, id), made)


def ids(trees: tuple[Ranked, ...]) -> list[object]:
    return [[one.rule.id, *ids(one.symptoms)] if one.symptoms else one.rule.id for one in trees]


def test_a_symptom_is_nested_below_its_cause() -> None:
    trees = ranked([found("B", because_of=(AGENT,)), found("A", asserts=(AGENT,))])
    assert ids(trees) == [["A", "B"]]


def test_a_cause_elsewhere_explains_nothing_here() -> None:
    other = Condition(ConditionKind.AGENT_DOWN, "node-2")
    assert ids(ranked([found("B", because_of=(other,)), found("A", asserts=(AGENT,))])) == ["A", "B"]


def test_a_stated_cause_is_not_hidden_below_another_one() -> None:
    stated = found("B", because_of=(OPERATOR,), stated_cause="fatal: invalid tunnel protocol")
    assert ids(ranked([stated, found("A", asserts=(OPERATOR,))])) == ["A", "B"]
    fitting = found(
        "B", because_of=(OPERATOR,), stated_cause="Still waiting for Cilium Operator to register CRDs"
    )
    assert ids(ranked([fitting, found("A", asserts=(OPERATOR,))])) == [["A", "B"]]


def test_an_observation_explains_no_fault() -> None:
    trees = ranked([found("B", because_of=(AGENT,)), found("A", severity=Severity.INFO, asserts=(AGENT,))])
    assert ids(trees) == ["B", "A"]


def test_a_cycle_is_cut_at_the_earlier_onset() -> None:
    late = found("A", asserts=(AGENT,), because_of=(NODE,), first_seen=START + timedelta(minutes=5))
    early = found("B", asserts=(NODE,), because_of=(AGENT,), first_seen=START)
    assert ids(ranked([late, early])) == [["B", "A"]]


def test_a_finding_that_asserts_its_own_cause_stays_a_root() -> None:
    assert ids(ranked([found("A", asserts=(AGENT,), because_of=(AGENT,))])) == ["A"]


def test_the_strongest_cause_is_the_parent_and_the_others_are_named() -> None:
    effect = found("C", because_of=(AGENT, OPERATOR))
    trees = ranked(
        [effect, found("A", asserts=(OPERATOR,)), found("B", severity=Severity.ERROR, asserts=(AGENT,))]
    )
    assert ids(trees) == [["B", "C"], "A"]
    assert trees[0].symptoms[0].also_because_of == ("A",)


def test_equal_findings_are_one_with_many_subjects() -> None:
    trees = ranked([found("A", f"n{number}", same_as="fatal") for number in range(400)])
    assert len(trees) == 1
    assert len(trees[0].finding.subjects) == 400
    assert len(trees[0].finding.evidence) <= 10


def test_findings_on_the_target_come_first() -> None:
    trees = ranked([found("A", "x", Severity.ERROR), found("B", "cart")], lambda ref: ref.name == "cart")
    assert ids(trees) == ["B", "A"]


def test_the_one_that_explains_more_comes_first() -> None:
    trees = ranked([found("A", "x"), found("B", "y", asserts=(AGENT,)), found("C", because_of=(AGENT,))])
    assert ids(trees) == [["B", "C"], "A"]

"""Calls that were named as wanted: refused ones are faults, also where nobody was seen to try."""

from __future__ import annotations

import asyncio

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.edited import Edit, command, edited, gap

MAPS = command("cilium-dbg", "bpf", "policy", "get")


def judged(source: str, destination: str, *edits: Edit, cluster: str = "healthy") -> Snapshot:
    rules = catalogue().rules_of(("policy", "service"))
    order = Order(rules, looks=1, targets=(source, destination), calls=((source, destination),))
    return asyncio.run(Run(edited(recorded.source(cluster), *edits), order).start())


def test_a_wanted_call_that_a_policy_refuses_is_the_first_fault_with_the_rule_that_is_missing() -> None:
    first = judged("shop/frontend-client", "shop/redis:6379").roots[0]
    assert (first.rule.id, first.finding.severity) == ("POL029", Severity.ERROR)
    assert str(first.finding.subject) == "CiliumNetworkPolicy shop/redis-ingress"
    assert "attempts refused lately" in first.finding.impact.raw
    change = first.finding.fixes[0].steps[0]
    assert change.language == "diff"
    assert '"app": "frontend-client"' in change.command.raw  # type: ignore[union-attr]


def test_a_wanted_call_that_is_admitted_is_clean() -> None:
    assert judged("shop/cart-client", "shop/redis:6379").outcomes["POL029"].kind is OutcomeKind.CLEAN


def test_what_refuses_it_is_the_symptom_of_a_policy_that_is_wrong() -> None:
    (root,) = [
        one
        for one in judged("shop/cart-client", "shop/redis:6379", cluster="01-policy-wrong-label").roots
        if one.finding.subject.name == "redis-ingress"
    ]
    assert (root.rule.id, [one.rule.id for one in root.symptoms]) == ("POL002", ["POL029"])


def test_without_the_policy_maps_it_cannot_be_told() -> None:
    outcome = judged("shop/cart-client", "shop/redis:6379", gap(MAPS)).outcomes["POL029"]
    assert outcome.kind is OutcomeKind.COULD_NOT_LOOK


def test_without_a_call_the_question_does_not_arise() -> None:
    rules = catalogue().rules_of(("policy",))
    snapshot = asyncio.run(Run(recorded.source("healthy"), Order(rules, looks=1)).start())
    assert snapshot.outcomes["POL029"].kind is OutcomeKind.NOT_APPLICABLE


def test_of_several_pods_those_that_are_refused_are_counted() -> None:
    world = load("default-deny").world(1)
    order = Order(catalogue().rules_of(("policy",)), looks=1, calls=(("shop/cart-client", "shop/cart:80"),))
    snapshot = asyncio.run(Run(WorldSource(world), order).start())
    assert [one.rule.id for one in snapshot.roots] == ["POL003"]
    assert [one.rule.id for one in snapshot.roots[0].symptoms] == ["POL029"]


def test_a_service_without_pods_is_a_fault_for_whoever_named_it() -> None:
    snapshot = judged("", "shop/noback")
    found = {one.rule.id: one.finding for one in snapshot.roots}
    assert found["SVC006"].severity is Severity.ERROR
    assert "named as called" in found["SVC006"].impact.raw

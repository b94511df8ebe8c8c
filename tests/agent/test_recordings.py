"""The agent playbook on recordings of a real Cilium: the truth, and nothing but the truth."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests import recorded

AGENT_FAULTS = ("05-agent-crashloop-bad-config", "11-operator-down")


@cache
def snapshot(name: str, looks: int = 2) -> Snapshot:
    rules = catalogue().rules_of(("agent",))
    return asyncio.run(Run(recorded.source(name), Order(rules, looks=looks)).start())


@pytest.mark.parametrize("name", recorded.clusters())
@pytest.mark.parametrize("looks", [1, 2])
def test_nothing_above_info_that_is_not_true(name: str, looks: int) -> None:
    loud = [one for one in snapshot(name, looks).every() if one.finding.severity > Severity.INFO]
    wrong = [
        f"{one.rule.id} {one.finding.summary}"
        for one in loud
        if not recorded.is_true(name, one.rule.id, one.finding)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", AGENT_FAULTS)
@pytest.mark.parametrize("looks", [1, 2])
def test_an_agent_fault_has_exactly_its_truth_as_root(name: str, looks: int) -> None:
    truth = recorded.truth(name).roots[0].subject
    roots = [one.finding.subject for one in snapshot(name, looks).roots]
    assert [truth.covers(ref.kind, ref.namespace, ref.name) for ref in roots] == [True], roots


@pytest.mark.parametrize("name", [name for name in recorded.clusters() if name not in AGENT_FAULTS])
def test_what_is_no_agent_fault_has_no_agent_root_of_its_own(name: str) -> None:
    roots = snapshot(name).roots
    assert all(recorded.is_true(name, one.rule.id, one.finding) for one in roots)


@pytest.mark.parametrize("name", recorded.clusters())
def test_no_rule_crashes(name: str) -> None:
    crashed = {
        rule: outcome.traceback
        for rule, outcome in snapshot(name).outcomes.items()
        if outcome.kind in (OutcomeKind.CRASHED, OutcomeKind.TOO_SLOW)
    }
    assert crashed == {}

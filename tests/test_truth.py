"""All playbooks on recordings of a real Cilium: the truth first, and nothing loud that is not true."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from playbooks.sources.sysdump import SysdumpSource
from tests import recorded

FIRST = (
    "01-policy-wrong-label",
    "02-service-selector-typo",
    "03-service-wrong-targetport",
    "05-agent-crashloop-bad-config",
    "06-regeneration-failing",
    "09-ipcache-and-policymap-entry-deleted",
    "11-operator-down",
    "16-default-deny-namespace",
    "18-stale-endpoint",
)
"""Recordings whose root is the first finding."""


@cache
def snapshot(name: str, looks: int = 2) -> Snapshot:
    return asyncio.run(Run(recorded.source(name), Order(catalogue().rules, looks=looks)).start())


@pytest.mark.parametrize("name", recorded.clusters())
@pytest.mark.parametrize("looks", [1, 2])
def test_nothing_above_info_that_is_not_true(name: str, looks: int) -> None:
    loud = [one for one in snapshot(name, looks).every() if one.finding.severity > Severity.INFO]
    assert [
        f"{one.rule.id} {one.finding.summary}"
        for one in loud
        if not recorded.is_true(name, one.rule.id, one.finding)
    ] == []


@pytest.mark.parametrize("name", FIRST)
def test_the_first_finding_is_the_truth(name: str) -> None:
    truth = recorded.truth(name)
    roots = [one.finding.subject for one in snapshot(name).roots]
    assert roots
    first, *rest = roots
    assert truth.roots[0].subject.covers(first.kind, first.namespace, first.name), first
    stated = [statement.subject for statement in (*truth.roots, *truth.allowed)]
    strangers = [ref for ref in rest if not any(s.covers(ref.kind, ref.namespace, ref.name) for s in stated)]
    assert strangers == []


@pytest.mark.parametrize("name", recorded.clusters())
def test_no_rule_crashes(name: str) -> None:
    crashed = {
        rule: outcome.traceback
        for rule, outcome in snapshot(name).outcomes.items()
        if outcome.kind in (OutcomeKind.CRASHED, OutcomeKind.TOO_SLOW)
    }
    assert crashed == {}


SEEN_IN_ARCHIVE = tuple(name for name in FIRST if name[:2] in ("01", "02", "03", "06", "11", "16"))
"""Recordings whose fault shows in one look; that of the others needs two, and says so."""


@cache
def of_archive(name: str) -> Snapshot:
    source = SysdumpSource(recorded.archive_of(name))
    return asyncio.run(Run(source, Order(catalogue().rules)).start())


@pytest.mark.parametrize("name", [name for name in recorded.clusters() if recorded.archive_of(name).exists()])
def test_an_archive_alone_tells_nothing_that_is_not_true(name: str) -> None:
    loud = [one for one in of_archive(name).every() if one.finding.severity > Severity.INFO]
    wrong = [one.finding.summary for one in loud if not recorded.is_true(name, one.rule.id, one.finding)]
    assert wrong == []


@pytest.mark.parametrize("name", SEEN_IN_ARCHIVE)
def test_an_archive_alone_tells_the_truth_first(name: str) -> None:
    first = of_archive(name).roots[0].finding.subject
    assert recorded.truth(name).roots[0].subject.covers(first.kind, first.namespace, first.name)


@pytest.mark.parametrize(
    ("name", "rule"), [("09-ipcache-and-policymap-entry-deleted", "POL004"), ("18-stale-endpoint", "END001")]
)
def test_what_needs_two_looks_says_so_of_an_archive(name: str, rule: str) -> None:
    assert of_archive(name).outcomes[rule].is_one_look

"""What changed before a finding, and who manages what it is about."""

from __future__ import annotations

import asyncio
from functools import cache

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Finding, Severity
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource


@cache
def judged(scenario: str, playbook: str) -> Snapshot:
    source = WorldSource(load(scenario).world(1))
    return asyncio.run(Run(source, Order(catalogue().rules_of((playbook,)))).start())


def found(scenario: str, playbook: str, rule: str) -> Finding:
    return next(one.finding for one in judged(scenario, playbook).every() if one.rule.id == rule)


def changes(finding: Finding) -> list[str]:
    return [change.raw for change in finding.changes]


def test_a_symptom_tells_what_was_changed_shortly_before_it_and_by_whom() -> None:
    crash = found("agent-crashloop", "agent", "AGT002")
    assert changes(crash) == [
        "2026-11-23T07:51:15Z ConfigMap kube-system/cilium-config was written: tunnel-protocol"
        " by kubectl-edit"
    ]
    assert crash.owner.raw == "DaemonSet cilium"


def test_a_finding_tells_the_writes_of_its_subject() -> None:
    typo = found("policy-label-typo", "policy", "POL002")
    assert changes(typo) == [
        "2026-11-23T07:58:00Z CiliumNetworkPolicy shop/redis-ingress was written (generation 2 now)"
        " by kubectl-client-side-apply"
    ]


def test_what_a_rule_says_itself_is_not_said_twice() -> None:
    cause = found("agent-crashloop", "agent", "AGT001")
    assert changes(cause) == [
        "2026-11-23T07:51:15Z ConfigMap kube-system/cilium-config written by kubectl-edit (tunnel-protocol)"
    ]


def test_the_beginning_of_what_is_there_for_long_explains_nothing() -> None:
    assert changes(found("addresses-leak", "endpoint", "END004")) == []


def test_what_changed_after_the_first_evidence_is_not_before_it() -> None:
    for one in judged("agent-crashloop", "agent").every():
        first = one.finding.first_seen
        for change in changes(one.finding) if first and one.finding.severity is not Severity.INFO else ():
            assert change.partition(" ")[0] <= f"{first:%Y-%m-%dT%H:%M:%SZ}"


def test_an_endpoint_is_owned_by_who_owns_its_pod() -> None:
    assert found("map-row-missing", "policy", "POL004").owner.raw.startswith("ReplicaSet redis-")

from __future__ import annotations

import asyncio

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from tests import recorded


def about(cluster: str, *targets: str) -> Snapshot:
    rules = tuple(rule for rule in catalogue().rules if rule.id in ("SVC001", "SVC002", "POL001", "POL002"))
    calls = tuple(("", target) for target in targets)
    order = Order(rules, targets=targets, calls=calls, looks=1)
    return asyncio.run(Run(recorded.source(cluster), order).start())


def test_findings_on_the_target_come_before_worse_ones() -> None:
    worst, *_ = about("02-service-selector-typo").roots
    assert worst.finding.subject.name == "checkout"
    aimed, *_ = about("02-service-selector-typo", "shop/cart:8081").roots
    assert aimed.finding.subject.name == "cart"


def test_a_target_brings_what_belongs_to_it() -> None:
    """A workload is refused by the policy that selects its pods."""
    snapshot = about("01-policy-wrong-label", "shop/redis")
    assert snapshot.roots[0].finding.subject.name == "redis-ingress"
    assert snapshot.about == ("Service shop/redis, 1 backend",)


@pytest.mark.parametrize(
    "word", ["redis", "shop/app=redis", "10.244.0.68", "redis.shop.svc.cluster.local", "lab-node-1"]
)
def test_things_are_found_by_what_people_type(word: str) -> None:
    snapshot = about("healthy", word)
    assert snapshot.about
    assert snapshot.unfound == ()


def test_what_is_not_there_says_what_is_near() -> None:
    snapshot = about("healthy", "chekout-client")
    (gap,) = snapshot.unfound
    assert "shop/checkout-client" in gap.remedy

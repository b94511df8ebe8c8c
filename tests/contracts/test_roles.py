"""With exactly the roles that are printed everything works; with less, the gap is named."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache

import pytest
import yaml

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.knowledge.roles import permissions, roles_text
from playbooks.model.answer import GapKind
from playbooks.practice import scenarios
from playbooks.practice.access import Access, Permission, permissions_from
from playbooks.practice.source import WorldSource

CASES = ("healthy", "agent-crashloop", "operator-down")
ELSEWHERE = {"ciliumendpointslices"}
"""Read only in installations that have them instead of something else; the practice cluster does not."""


def granted() -> tuple[Permission, ...]:
    """What the printed roles permit."""
    documents = [one for one in yaml.safe_load_all(roles_text()) if one["kind"] in ("Role", "ClusterRole")]
    return permissions_from(documents)


def run(scenario: str, access: Access) -> Snapshot:
    world = scenarios.load(scenario).world(nodes=3)
    world.access = access
    return asyncio.run(Run(WorldSource(world), Order(catalogue().rules)).start())


@cache
def as_admin(scenario: str) -> Snapshot:
    return run(scenario, Access())


def told(snapshot: Snapshot) -> dict[str, tuple[str, int]]:
    return {rule: (one.kind.value, one.looked) for rule, one in snapshot.outcomes.items()}


@pytest.mark.parametrize("scenario", CASES)
def test_with_exactly_these_everything_works(scenario: str) -> None:
    snapshot = run(scenario, Access("oncall", granted()))
    assert [gap for gap in snapshot.gaps if gap.kind is GapKind.FORBIDDEN] == []
    assert told(snapshot) == told(as_admin(scenario))


@pytest.mark.parametrize("left_out", granted(), ids=lambda one: ",".join(one.resources))
def test_with_less_the_gap_is_named(left_out: Permission) -> None:
    rest = tuple(one for one in granted() if one != left_out)
    seen = run("agent-crashloop", Access("oncall", rest))
    refused = {gap.detail for gap in seen.gaps if gap.kind is GapKind.FORBIDDEN}
    for resource in {*left_out.resources} - ELSEWHERE:
        assert any(f'"{resource}"' in detail or f"{resource}." in detail for detail in refused), (
            f"{resource} is asked for and never needed: {sorted(refused)}"
        )


def test_exec_needs_the_verb_that_servers_check() -> None:
    (exec_rule,) = [one for one in permissions() if "pods/exec" in one.resources]
    assert set(exec_rule.verbs) == {"get", "create"}
    without = tuple(
        replace(one, verbs=("create",)) if "pods/exec" in one.resources else one for one in granted()
    )
    refused = [gap.detail for gap in run("healthy", Access("oncall", without)).gaps]
    assert any("pods/exec" in detail for detail in refused)

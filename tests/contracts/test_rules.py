"""What holds for every rule, however many there will be."""

from __future__ import annotations

import ast
import inspect
import re
import string
from pathlib import Path

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.needs import needs_of
from playbooks.model.rule import Rule
from playbooks.model.text import Text

RULES = catalogue().rules
ALL = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
CLOCKS = {"now", "today", "utcnow", "monotonic", "perf_counter", "time_ns"}


def test_there_are_rules() -> None:
    assert RULES
    assert len({rule.name for rule in RULES}) == len(RULES)


@ALL
def test_its_id_and_name_can_be_relied_on(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z]{3}\d{3}", rule.id)
    assert re.fullmatch(r"[a-z][a-z0-9_]{4,60}", rule.name)
    assert not rule.name.startswith(("check_", "test_", "is_"))
    assert Path(inspect.getfile(rule.judge)).stem == rule.name


@ALL
def test_its_manual_page_is_one(rule: Rule) -> None:
    assert rule.title.endswith(".")
    assert 10 <= len(rule.title) <= 100
    assert len(rule.why.split()) >= 12, "say why it is so"
    for text in (rule.title, rule.why):
        assert all(line == Text(line).shown for line in text.splitlines())
        assert not re.search(r"\[/?[a-z]+\]|</?[a-z]+>", text), "no markup"


@ALL
def test_each_case_has_proof_and_a_silent_twin(rule: Rule) -> None:
    assert rule.cases
    for case in rule.cases:
        assert re.fullmatch(r"[A-Za-z][\w -]+", case.id)
        assert case.proof in ("R", "V", "W")
        assert len(case.twin.split()) >= 3, "say what the twin restores"
        assert bool(case.lines) <= (case.proof == "V")


@ALL
def test_its_step_is_one_of_its_playbook(rule: Rule) -> None:
    playbook = catalogue().playbook(rule.playbook)
    assert playbook
    assert rule.step in {step.key for step in playbook.steps}


@ALL
def test_it_asks_for_facts_only(rule: Rule) -> None:
    assert needs_of(rule).each


@ALL
def test_its_file_holds_one_fault(rule: Rule) -> None:
    same = [other.id for other in RULES if other.judge.__module__ == rule.judge.__module__]
    assert same == [rule.id]


@ALL
def test_it_does_not_read_the_clock(rule: Rule) -> None:
    tree = ast.parse(Path(inspect.getfile(rule.judge)).read_text())
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert called & CLOCKS == set()


@ALL
def test_it_names_no_other_rule(rule: Rule) -> None:
    text = Path(inspect.getfile(rule.judge)).read_text()
    assert [other.id for other in RULES if other.id in text and other.id != rule.id] == []


def test_every_playbook_is_well_formed() -> None:
    for playbook in catalogue().playbooks:
        assert set(playbook.name) <= set(string.ascii_lowercase)
        assert playbook.question.endswith("?")
        keys = [step.key for step in playbook.steps]
        assert len(set(keys)) == len(keys)
        for step in playbook.steps:
            assert all((step.question, step.command, step.why, step.reading))

"""`check --symptom`: the door without a screen."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.knowledge.symptoms import symptoms
from tests.tui.command import honeyguide, recording
from tui.commands.choosing import rules_of, symptom
from tui.commands.trouble import Trouble


@pytest.mark.parametrize(
    ("seen", "key"),
    [
        ("dns", "dns"),
        ("DNS", "dns"),
        ("Pods hang in ContainerCreating", "creating"),
        ("containercreating", "creating"),
        ("not ready nodes", "not-ready"),
        ("403", "requests"),
    ],
)
def test_a_symptom_is_named_by_its_key_or_in_words(seen: str, key: str) -> None:
    assert symptom(seen).key == key


def test_every_symptom_of_the_door_leads_to_the_rules_of_its_steps() -> None:
    known = catalogue()
    for one in symptoms():
        rules = rules_of((), one.key)
        assert rules
        walked = {(name, step) for name, step in one.walk}
        assert all((rule.playbook, rule.step) in walked or (rule.playbook, "") in walked for rule in rules)
        assert symptom(one.says) is one
    every = rules_of((), "anything")
    assert set(every) == set(known.rules)
    assert set(rules_of(("agent",), "dns")) > set(rules_of((), "dns"))


def test_what_is_unknown_says_what_there_is_and_what_is_near() -> None:
    with pytest.raises(Trouble) as trouble:
        symptom("creatign")
    assert "did you mean" in trouble.value.remedy
    assert "creating" in trouble.value.remedy
    with pytest.raises(Trouble) as trouble:
        symptom("xyzzy")
    assert all(one.key in trouble.value.remedy for one in symptoms())
    with pytest.raises(Trouble, match="can mean several"):
        symptom("a pod cannot reach")


def test_the_report_holds_the_steps_of_the_symptom_only() -> None:
    done = honeyguide("check", "--symptom", "service", "--input", recording("02-"), "--quiet")
    assert done.returncode == 1
    assert "SVC001" in done.stdout

"""`check --input` on an archive that `cilium sysdump` made."""

from __future__ import annotations

import json

from tests.sources.archives import BUGTOOL, HEALTHY, OPERATOR_DOWN
from tests.tui.command import honeyguide


def test_the_fault_of_a_real_sysdump_is_its_root() -> None:
    ran = honeyguide("check", "agent", "--input", str(OPERATOR_DOWN), "-o", "json")
    report = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert [(root["fault"], root["subjects"][0]["name"]) for root in report["roots"]] == [
        ("operator_scaled_to_zero", "cilium-operator")
    ]


def test_a_healthy_sysdump_is_judged_by_all_rules_and_says_what_it_lacks() -> None:
    ran = honeyguide("check", "agent", "--input", str(HEALTHY), "-o", "json")
    report = json.loads(ran.stdout)
    assert report["roots"] == []
    assert report["complete"]
    assert {gap["kind"] for gap in report["gaps"]} <= {"not_recorded", "not_in_this_version", "not_found"}


def test_a_bugtool_archive_alone_calls_nothing_clean_that_it_cannot_show() -> None:
    ran = honeyguide("check", "agent", "--input", str(BUGTOOL), "-o", "json")
    report = json.loads(ran.stdout)
    assert ran.returncode == 4
    outcomes = {rule: outcome["outcome"] for rule, outcome in report["outcomes"].items()}
    assert set(outcomes.values()) == {"clean", "could_not_look"}
    assert (outcomes["AGT055"], outcomes["AGT003"]) == ("clean", "could_not_look")

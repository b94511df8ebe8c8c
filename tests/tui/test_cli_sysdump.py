"""`check --input` on an archive that `cilium sysdump` made."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tui.command import honeyguide

ARCHIVES = Path(__file__).parents[1] / "sources" / "archives"


def test_the_fault_of_a_real_sysdump_is_its_root() -> None:
    ran = honeyguide("check", "agent", "--input", str(ARCHIVES / "operator-down.zip"), "-o", "json")
    report = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert [(root["fault"], root["subjects"][0]["name"]) for root in report["roots"]] == [
        ("operator_scaled_to_zero", "cilium-operator")
    ]


def test_a_healthy_sysdump_has_no_fault_and_says_what_it_lacks() -> None:
    ran = honeyguide("check", "agent", "--input", str(ARCHIVES / "healthy.zip"), "-o", "json")
    report = json.loads(ran.stdout)
    assert report["roots"] == []
    assert not report["complete"]
    assert {gap["kind"] for gap in report["gaps"]} <= {"not_recorded", "not_in_this_version", "not_found"}


def test_a_bugtool_archive_alone_calls_nothing_clean_that_it_cannot_show() -> None:
    ran = honeyguide("check", "agent", "--input", str(ARCHIVES / "bugtool.tar.gz"), "-o", "json")
    report = json.loads(ran.stdout)
    assert ran.returncode == 4
    assert {outcome["outcome"] for outcome in report["outcomes"].values()} == {"could_not_look"}

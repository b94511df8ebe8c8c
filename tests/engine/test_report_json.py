"""The report for scripts: every key, every spelling, and its page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec

from playbooks.engine.ranking import Found
from playbooks.engine.report import Exit, as_json
from playbooks.engine.report.schema import Report
from playbooks.model.answer import Gap, GapKind
from playbooks.model.text import Text
from tests.engine import reports as r

TOP = ["schema", "cluster", "exit", "complete", "about", "roots", "notes", "outcomes", "gaps"]
FINDING = {
    *("id", "fault", "playbook", "severity", "summary", "subjects", "evidence", "first_evidence"),
    *("last_evidence", "ongoing", "impact", "changes", "owner", "fixes", "symptoms"),
}


def made(snapshot: object = None, exit: Exit = Exit.FINDINGS) -> dict[str, Any]:
    return json.loads(as_json(snapshot or r.everything(), exit))  # type: ignore[arg-type, no-any-return]


def test_it_has_every_key_and_no_other() -> None:
    report = made()
    assert list(report) == TOP
    root = report["roots"][0]
    assert set(root) == FINDING
    assert set(root["symptoms"][0]) == FINDING
    assert set(report["notes"][0]) == FINDING
    assert set(root["subjects"][0]) == {"kind", "namespace", "name", "node", "cluster"}
    assert set(root["evidence"][0]) == {"command", "excerpt"}
    assert set(root["fixes"][0]) == {"title", "kind", "risk", "steps", "undo", "verify"}
    assert set(report["outcomes"]["AGT004"]) == {"outcome", "looked", "total", "why"}
    assert set(report["gaps"][0]) == {"command", "kind", "detail"}


def test_it_spells_as_documented() -> None:
    report = made()
    assert (report["schema"], report["cluster"], report["exit"]) == ("honeyguide.report/1", "prod-eu", 1)
    assert report["complete"] is False
    root = report["roots"][0]
    assert (root["id"], root["fault"], root["playbook"]) == ("AGT001", "agent_ends_at_start", "agent")
    assert (root["severity"], root["ongoing"]) == ("error", "yes")
    assert root["first_evidence"] == "2026-01-01T12:00:00Z"
    assert root["last_evidence"] == "2026-01-01T12:05:07Z"
    assert root["subjects"][3] == {
        "kind": "Pod",
        "namespace": "kube-system",
        "name": "cilium-3",
        "node": "node-3",
        "cluster": None,
    }
    assert root["evidence"][0]["excerpt"] == "line one\nline two"
    assert root["fixes"][0]["steps"] == [
        "Keep the log.\nkubectl logs --previous",
        "Edit it.\nkubectl edit configmap",
    ]
    assert (root["fixes"][0]["kind"], root["fixes"][0]["risk"]) == ("cure", "medium")
    symptom = root["symptoms"][0]
    assert (symptom["id"], symptom["severity"], symptom["impact"]) == ("AGT002", "warn", None)
    assert report["notes"][0]["severity"] == "info"
    outcomes = report["outcomes"]
    assert [outcomes[f"AGT00{n}"]["outcome"] for n in range(1, 6)] == [
        *("findings", "findings", "findings", "could_not_look", "crashed")
    ]
    assert outcomes["AGT004"] == {
        "outcome": "could_not_look",
        "looked": 11,
        "total": 12,
        "why": "node-9 did not answer",
    }
    assert report["gaps"][0]["kind"] == "forbidden"


def test_all_subjects_are_there() -> None:
    assert len(made()["roots"][0]["subjects"]) == 40


def test_every_kind_of_gap_has_a_spelling() -> None:
    gaps = tuple(Gap(kind, "why") for kind in GapKind)
    kinds = [gap["kind"] for gap in made(r.snapshot(gaps=gaps))["gaps"]]
    assert kinds == [kind.value for kind in GapKind]
    assert all(kind == kind.lower() and " " not in kind for kind in kinds)


def test_a_rule_that_was_not_reached_could_not_look() -> None:
    stopped = replace(r.snapshot(outcomes={}, is_over=False), is_stopped=True)
    outcome = made(stopped, Exit.TERMINATED)["outcomes"]["AGT001"]
    assert outcome["outcome"] == "could_not_look"
    assert "stopped" in outcome["why"]


def test_hostile_text_is_harmless_even_after_decoding() -> None:
    found = replace(r.root(r.HOSTILE), impact=Text(r.HOSTILE + "\ud800"))
    written = as_json(r.snapshot(Found(r.ROOT, found)), Exit.FINDINGS)
    assert written.isascii()
    assert all(character.isprintable() or character == "\n" for character in written)
    decoded = json.loads(written)["roots"][0]
    assert "\x1b" not in decoded["summary"]
    assert "\\e]52" in decoded["summary"]


def test_it_fits_its_own_schema() -> None:
    report = msgspec.json.decode(as_json(r.everything(), Exit.FINDINGS), type=Report)
    assert [root.id for root in report.roots] == ["AGT001"]

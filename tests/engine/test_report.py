"""The report for people: what is wrong, where, since when, who is hurt, what to do, what was not seen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from playbooks.engine.ranking import Found
from playbooks.engine.report import (
    Exit,
    FailOn,
    Mark,
    Tone,
    as_lines,
    as_markdown,
    as_text,
    exit_code,
    verdict,
)
from playbooks.model.finding import Severity
from playbooks.model.outcome import Outcome, OutcomeKind
from playbooks.model.rule import Rule
from tests.engine import reports as r


def text(snapshot: object = None, **more: object) -> str:
    return as_text(snapshot or r.everything(), Exit.FINDINGS, **more)  # type: ignore[arg-type]


def test_it_says_first_what_is_wrong_then_where_since_when_who_is_hurt_and_what_to_do() -> None:
    whole = text()
    wanted = (
        "✗ ERROR AGT001 ConfigMap kube-system/cilium-config holds a value",
        "where    Pod kube-system/cilium-0 on node-0",
        "since    2026-01-01T12:00:00Z, still so",
        "hurt     new pods on 40 nodes get no network",
        "changed  2026-01-01T11:59:00Z written by kubectl-edit",
        "owner    Helm release cilium, which undoes",
        "or       a newer agent",
        "$ kubectl get pods",
        "> line one",
        "> line two",
        "fix · cure · medium risk: Restore the value.",
        "1. save first: Keep the log.",
        "2. Edit it.",
        "undo     Put it back.",
        "verify   The agent stays up.",
        "What follows from it",
        "! WARN AGT002 node-1 is not ready",
        "• INFO AGT003 node-2's clock is 3 s off (unproven",
        "What could not be seen (2 things)",
        "forbidden (2 times): may not create pods/exec on node-8",
        "nodes    node-8, node-9",
        "? not checked  11/12  AGT004 agent_is_silent",
        "# crashed  0/1  AGT005 this_crashes",
        "1 root cause, 1 symptom, 1 note; exit code 1",
    )
    places = [whole.find(part) for part in wanted]
    assert -1 not in places, wanted[places.index(-1)]
    assert places == sorted(places)


def test_a_long_list_of_subjects_is_cut_and_says_so() -> None:
    whole = text()
    assert whole.count("Pod kube-system/cilium-") == 10
    assert "10 of 40 shown" in whole


def test_a_clean_run_says_so_in_three_lines() -> None:
    lines = as_text(r.snapshot(), Exit.CLEAN).splitlines()
    assert lines[1] == "✓ ok              agent          1 rule, nothing found"
    assert lines[-1] == "Nothing wrong was found; exit code 0: all was judged, no fault"
    assert len(lines) == 4


def test_unknown_is_never_green() -> None:
    blind = {r.ROOT.id: Outcome(r.ROOT, OutcomeKind.COULD_NOT_LOOK, 0, 1, "why")}
    assert verdict(r.snapshot(outcomes=blind), "agent").mark is Mark.NOT_CHECKED
    assert verdict(r.snapshot(outcomes={}), "agent").mark is Mark.NOT_CHECKED
    partly = {r.ROOT.id: Outcome(r.ROOT, OutcomeKind.CLEAN, 11, 12)}
    assert verdict(r.snapshot(outcomes=partly), "agent").mark is Mark.NOT_CHECKED


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        (OutcomeKind.CLEAN, Mark.OK),
        (OutcomeKind.NOT_APPLICABLE, Mark.NOT_APPLICABLE),
        (OutcomeKind.CRASHED, Mark.CRASHED),
        (OutcomeKind.TOO_SLOW, Mark.TOO_SLOW),
    ],
)
def test_a_playbook_has_the_mark_of_its_rules(kind: OutcomeKind, mark: Mark) -> None:
    looked = 1 if kind in (OutcomeKind.CLEAN, OutcomeKind.TOO_SLOW) else 0
    outcomes = {r.ROOT.id: Outcome(r.ROOT, kind, looked, looked)}
    assert verdict(r.snapshot(outcomes=outcomes), "agent").mark is mark


def test_a_playbook_that_runs_says_so() -> None:
    running = r.snapshot(outcomes={}, is_over=False)
    assert verdict(running, "agent").mark is Mark.RUNNING


def test_a_stopped_run_says_so_and_names_what_it_did_not_reach() -> None:
    stopped = replace(r.snapshot(outcomes={}, is_over=False), is_stopped=True)
    whole = as_text(stopped, Exit.INTERRUPTED)
    assert "Stopped before the end" in whole
    assert "not reached: AGT001" in whole
    assert "exit code 130: interrupted" in whole


@pytest.mark.parametrize("format", [as_text, as_markdown], ids=["text", "markdown"])
def test_hostile_text_is_harmless(format: object) -> None:
    found = r.root(r.HOSTILE)
    whole = format(r.snapshot(Found(r.ROOT, replace(found, owner=found.summary))), Exit.FINDINGS)  # type: ignore[operator]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", whole)
    assert "\\e]52" in whole.replace("\\\\", "\\").replace("\\]", "]")


def test_a_command_with_hidden_characters_is_not_offered() -> None:
    bad = replace(r.root(), fixes=(r.fix(command="kubectl delete \u202epod"),))
    for report in (as_text, as_markdown):
        whole = report(r.snapshot(Found(r.ROOT, bad)), Exit.FINDINGS)
        assert "is not offered" in whole
        assert "kubectl delete" not in whole


def test_ascii_terminals_get_ascii() -> None:
    whole = text(is_ascii=True)
    assert whole.isascii()
    assert "x ERROR AGT001" in whole
    assert "fix | cure | medium risk" in whole


def test_every_line_has_a_tone_that_a_terminal_can_colour() -> None:
    tones = {line.tone for line in as_lines(r.everything(), Exit.FINDINGS)}
    assert {Tone.TITLE, Tone.ERROR, Tone.WARN, Tone.INFO, Tone.UNSEEN, Tone.COMMAND, Tone.PROOF} <= tones


@pytest.mark.parametrize(
    ("severity", "fail_on", "wanted"),
    [
        (Severity.ERROR, FailOn.ERROR, Exit.FINDINGS),
        (Severity.WARN, FailOn.ERROR, Exit.CLEAN),
        (Severity.WARN, FailOn.WARN, Exit.FINDINGS),
        (Severity.INFO, FailOn.WARN, Exit.CLEAN),
        (Severity.ERROR, FailOn.NEVER, Exit.CLEAN),
    ],
)
def test_the_exit_code_follows_the_severity(severity: Severity, fail_on: FailOn, wanted: Exit) -> None:
    assert exit_code(r.snapshot(Found(r.ROOT, r.symptom(severity))), fail_on) is wanted


def test_what_was_not_judged_gives_4_unless_something_is_wrong() -> None:
    outcomes = {r.ROOT.id: Outcome(r.ROOT, OutcomeKind.COULD_NOT_LOOK, 0, 1, "why")}
    assert exit_code(r.snapshot(outcomes=outcomes)) is Exit.UNJUDGED
    assert exit_code(r.everything()) is Exit.FINDINGS
    assert exit_code(r.everything(), is_strict=True) is Exit.UNJUDGED
    assert exit_code(r.everything(), FailOn.NEVER) is Exit.UNJUDGED


def test_a_missing_second_look_alone_is_no_gap() -> None:
    waiting = Outcome(r.ROOT, OutcomeKind.COULD_NOT_LOOK, 0, 1, "one look", is_one_look=True)
    one_look = r.snapshot(outcomes={r.ROOT.id: waiting})
    assert exit_code(one_look) is Exit.CLEAN
    assert not one_look.is_complete
    assert "AGT001" in as_text(one_look, Exit.CLEAN)


def test_rules_that_lack_a_verdict_for_one_reason_are_told_together() -> None:
    def blind(rule: Rule, node: str) -> Outcome:
        why = f"{node}: the agent on {node} is silent; node-1: the agent on node-1 is silent"
        return Outcome(rule, OutcomeKind.COULD_NOT_LOOK, 0, 2, why)

    outcomes = {rule.id: blind(rule, "node-2") for rule in (r.ROOT, r.SYMPTOM, r.BLIND)}
    whole = as_text(r.snapshot(rules=(r.ROOT, r.SYMPTOM, r.BLIND), outcomes=outcomes), Exit.UNJUDGED)
    assert "? not checked  0/2  AGT001, AGT002, AGT004" in whole
    assert whole.count("is silent") == 1

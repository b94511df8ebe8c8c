"""A run with a bit of everything in it, for the tests of reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from playbooks.engine.ranking import Found, ranked
from playbooks.engine.snapshot import Progress, Snapshot
from playbooks.model.answer import Gap, GapKind
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    Evidence,
    Finding,
    Fix,
    Ongoing,
    Ref,
    Risk,
    Severity,
    capture,
    finding,
    step,
)
from playbooks.model.outcome import Outcome, OutcomeKind
from playbooks.model.rule import Case, Rule
from playbooks.model.text import Text

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 12, 5, 7, 250_000, tzinfo=UTC)
HOSTILE = "a\x1b]52;c;Zm9v\x07b\u202ec\x9b31m[red]x[/red] <img src=x> @all #1 `code` | *bold* \x7f\u200b"


def judge() -> Iterator[Finding]:
    yield from ()


def rule(id: str, name: str = "agent_ends_at_start", proof: str = "R", playbook: str = "agent") -> Rule:
    cases = (Case("LAB-05", proof, "the value restored"),)  # type: ignore[arg-type]
    return Rule(id, name, playbook, "running", "An agent ends.", "Because.", cases, judge)


ROOT, SYMPTOM, NOTE, BLIND, BROKEN = (
    rule("AGT001"),
    rule("AGT002", "node_without_network"),
    rule("AGT003", "clock_is_off", proof="W"),
    rule("AGT004", "agent_is_silent"),
    rule("AGT005", "this_crashes"),
)
DOWN = Condition(ConditionKind.AGENT_DOWN, "node-1")


def evidence(command: str = "kubectl get pods", excerpt: str = "CrashLoopBackOff") -> Evidence:
    return Evidence(Text(command), Text(excerpt), "API server", NOON)


def fix(title: str = "Restore the value.", command: str = "kubectl edit configmap") -> Fix:
    return Fix.cure(
        title,
        why="The agent reads it at its start.",
        risk=Risk.MEDIUM,
        steps=(step("Edit it.", command), capture("Keep the log.", "kubectl logs --previous")),
        undo="Put it back.",
        verify="The agent stays up.",
    )


def root(summary: str = "ConfigMap kube-system/cilium-config holds a value that agents refuse") -> Finding:
    return finding(
        Severity.ERROR,
        [Ref("Pod", f"cilium-{number}", "kube-system", f"node-{number}") for number in range(40)],
        summary,
        evidence=(evidence(excerpt="line one\nline two"),),
        asserts=(DOWN,),
        fixes=(fix(),),
        impact="new pods on 40 nodes get no network",
        first_seen=NOON,
        last_seen=LATER,
        ongoing=Ongoing.YES,
        changes=("2026-01-01T11:59:00Z written by kubectl-edit",),
        owner="Helm release cilium",
        alternatives=("a newer agent than the value is for; its version would decide",),
    )


def symptom(severity: Severity = Severity.WARN) -> Finding:
    return finding(
        severity, Ref("Node", "node-1"), "node-1 is not ready", evidence=(evidence(),), because_of=(DOWN,)
    )


def note() -> Finding:
    return finding(Severity.INFO, Ref("Node", "node-2"), "node-2's clock is 3 s off", evidence=(evidence(),))


def snapshot(
    *found: Found, rules: tuple[Rule, ...] = (ROOT,), gaps: tuple[Gap, ...] = (), **more: object
) -> Snapshot:
    """A finished run in which every rule judged all, unless `outcomes` says otherwise."""
    judged = {
        one.id: Outcome(one, OutcomeKind.CLEAN, 1, 1)
        if one not in [other.rule for other in found]
        else Outcome(one, OutcomeKind.FINDINGS, 1, 1, "", tuple(f.finding for f in found if f.rule == one))
        for one in rules
    }
    told: dict[str, object] = {"outcomes": judged, "is_over": True, "nodes": ("node-1", "node-2")} | more
    return Snapshot(
        cluster="prod-eu",
        taken_at=LATER,
        installation=None,
        rules=rules,
        ranked=ranked(found),
        gaps=gaps,
        progress=Progress(12, 11, 1),
        **told,  # type: ignore[arg-type]
    )


def everything() -> Snapshot:
    """A root with a symptom, a note, a rule that could not look, one that crashed, and gaps."""
    outcomes = {
        ROOT.id: Outcome(ROOT, OutcomeKind.FINDINGS, 1, 1, "", (root(),)),
        SYMPTOM.id: Outcome(SYMPTOM, OutcomeKind.FINDINGS, 2, 2, "", (symptom(),)),
        NOTE.id: Outcome(NOTE, OutcomeKind.FINDINGS, 2, 2, "", (note(),)),
        BLIND.id: Outcome(BLIND, OutcomeKind.COULD_NOT_LOOK, 11, 12, "node-9 did not answer"),
        BROKEN.id: Outcome(BROKEN, OutcomeKind.CRASHED, 0, 1, "ValueError: x", traceback="..."),
    }
    gaps = tuple(
        Gap(GapKind.FORBIDDEN, f"may not create pods/exec on {node}", f"kubectl exec {node}", "ask", node)
        for node in ("node-8", "node-9")
    )
    found = (Found(ROOT, root()), Found(SYMPTOM, symptom()), Found(NOTE, note()))
    rules = (ROOT, SYMPTOM, NOTE, BLIND, BROKEN)
    return snapshot(*found, rules=rules, gaps=gaps, outcomes=outcomes)

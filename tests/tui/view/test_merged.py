"""Results of a smaller, later run within those of an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playbooks.engine.ranking import Found, ranked
from playbooks.engine.snapshot import Progress, Snapshot
from playbooks.model.answer import Gap, GapKind
from playbooks.model.finding import Finding, Ref, Severity, finding
from playbooks.model.outcome import Outcome, OutcomeKind
from tests.engine.toy import START, rule
from tui.view.merged import is_unseen, judged_since, keyed, merged


def one(nothing: object) -> Iterator[Finding]:
    """One."""
    yield from ()


ONE, TWO = rule(one, "TOY001"), rule(one, "TOY002")
BAD = finding(Severity.WARN, Ref("Node", "a"), "a is bad", evidence=())


def snapshot(*outcomes: Outcome, gaps: tuple[Gap, ...] = ()) -> Snapshot:
    rules = tuple(outcome.rule for outcome in outcomes)
    found = [Found(outcome.rule, each) for outcome in outcomes for each in outcome.findings]
    known = {outcome.rule.id: outcome for outcome in outcomes}
    return Snapshot("toy", START, None, rules, known, ranked(found), gaps, Progress(), is_over=True)


FOUND = Outcome(ONE, OutcomeKind.FINDINGS, 1, 1, findings=(BAD,))
CLEAN = Outcome(ONE, OutcomeKind.CLEAN, 1, 1)
BLIND = Outcome(ONE, OutcomeKind.COULD_NOT_LOOK, 0, 1, "forbidden")
OTHER = Outcome(TWO, OutcomeKind.CLEAN, 1, 1)


def test_a_later_run_replaces_only_what_it_asked() -> None:
    whole = merged(snapshot(FOUND, OTHER), snapshot(CLEAN))
    assert not whole.roots
    assert set(whole.outcomes) == {"TOY001", "TOY002"}


def test_a_run_of_everything_replaces_everything() -> None:
    later = snapshot(CLEAN, OTHER)
    assert merged(snapshot(FOUND, OTHER), later) is later


def test_only_a_rule_that_looked_makes_a_finding_go() -> None:
    assert [key for key, _ in judged_since(snapshot(FOUND), snapshot(CLEAN))] == ["TOY001 Node a"]
    assert list(judged_since(snapshot(FOUND), snapshot(BLIND))) == []
    assert list(judged_since(snapshot(FOUND), snapshot(OTHER))) == []


def test_a_finding_that_cannot_be_seen_stays() -> None:
    for later in (snapshot(BLIND), snapshot(BLIND, OTHER)):
        whole = merged(snapshot(FOUND, OTHER), later)
        assert [each.finding for each in whole.roots] == [BAD]
        assert is_unseen(whole.outcomes["TOY001"])
        assert not whole.outcomes["TOY001"].is_judged


def test_gaps_of_the_same_question_are_one_however_often_it_is_asked() -> None:
    gap = Gap(GapKind.TIMED_OUT, "no answer", "kubectl exec", node="a", taken_at=START)
    other = Gap(GapKind.FORBIDDEN, "forbidden", "kubectl get")
    earlier = snapshot(FOUND, OTHER, gaps=(gap, other))
    later = snapshot(CLEAN, gaps=(replace(gap, taken_at=None),))
    assert len(merged(earlier, later).gaps) == 2


def test_equal_findings_have_keys_of_their_own() -> None:
    twice = replace(FOUND, findings=(BAD, BAD))
    assert list(keyed(snapshot(twice))) == ["TOY001 Node a", "TOY001 Node a #2"]

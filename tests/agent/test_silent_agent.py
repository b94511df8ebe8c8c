"""An agent that runs and does not answer."""

from __future__ import annotations

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import MODULES, found, only, outcome, practice, run
from tests.edited import command, gap

NODE = "orchard-worker-3"
STATUS = command("cilium-dbg", "status")


@pytest.mark.parametrize("seed", [0, 1])
def test_two_commands_that_time_out_prove_it(seed: int) -> None:
    one = only("AGT050", cluster=practice("agent-hangs", seed))
    assert one.severity is Severity.WARN
    assert one.subject.kind == "Pod"
    assert len({proof.command for proof in one.evidence}) == 2
    assert "status" in one.evidence[0].command.raw
    assert one.asserts == (Condition(ConditionKind.AGENT_SILENT, one.subject.node),)


def test_it_is_the_only_root_of_its_scenario() -> None:
    assert [one.rule.id for one in run(practice("agent-hangs")).roots] == ["AGT050"]


def test_healthy_agents_answer() -> None:
    assert found("AGT050", cluster=practice()) == []
    assert found("AGT050") == []


def test_one_command_that_times_out_is_bad_luck() -> None:
    assert found("AGT050", gap(STATUS, GapKind.TIMED_OUT), cluster=practice()) == []
    assert found("AGT050", gap(MODULES, GapKind.TIMED_OUT), cluster=practice()) == []


@pytest.mark.parametrize("kind", [kind for kind in GapKind if kind is not GapKind.TIMED_OUT])
def test_no_other_gap_is_silence(kind: GapKind) -> None:
    assert found("AGT050", gap(command(), kind), cluster=practice()) == []


@pytest.mark.parametrize("kind", [GapKind.FORBIDDEN, GapKind.UNREACHABLE, GapKind.NOT_RECORDED])
def test_an_agent_that_was_not_asked_is_not_judged(kind: GapKind) -> None:
    assert outcome("AGT050", gap(command(), kind)).kind is OutcomeKind.COULD_NOT_LOOK


def test_an_agent_whose_container_does_not_run_is_no_silent_one() -> None:
    assert found("AGT050", cluster="05") == []

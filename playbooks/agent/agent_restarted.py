"""An agent that is ready now has restarted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent_steps import saved_log, told
from playbooks.model.cilium.down import alike, ended_by_probe, keeps_agent_down
from playbooks.model.cilium.last_run import LastRun
from playbooks.model.cilium.logs import LAST
from playbooks.model.cilium.probes import killing_probe
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.events import Warnings
from playbooks.model.moments import ago, is_recent, lasts
from playbooks.model.rule import Case, fault

_LATELY = timedelta(hours=1)
_INSTALLING = timedelta(minutes=10)
_MANY = 3


@fault(
    "AGT005",
    step="running",
    cases=(Case("CRASH-past", proof="W", twin="the same pod whose container never ended"),),
)
def agent_restarted(run: OnNode[LastRun], warnings: Warnings | None) -> Iterator[Finding]:
    """An agent that is ready now has restarted.

    Every restart is a minute without policy and DNS updates on its node, and a sound agent has none. Reboots
    of the node and the first minutes of an installation explain one; an end with an error of late, or a
    count that grows, does not pass by itself.
    """
    last, agent = run.fact, run.fact.agent
    status, end = agent.status, last.end
    if status is None or end is None or end.reason == "OOMKilled" or end.finished_at is None:
        return
    if standing_of(agent.pod, agent.container, last.taken_at) is not Standing.READY:
        return
    is_by_probe = killing_probe(last, warnings) is not None
    has_said = last.last is not None and last.last.level in LAST
    is_late = is_recent(end.finished_at, last.taken_at, _LATELY)
    is_settled = lasts(agent.pod.metadata.creation_timestamp, end.finished_at, _INSTALLING)
    is_fault = is_late and is_settled and (has_said or (end.exit_code != 0 and status.restart_count >= _MANY))
    why = last.cause if has_said else f"exit code {end.exit_code}"
    words = [last.words(last.last)] if last.last and has_said else []
    yield finding(
        Severity.WARN if is_fault else Severity.INFO,
        agent.pod.ref,
        f"{agent.pod.ref} restarted {ago(end.finished_at, last.taken_at)} ago: {why}",
        evidence=[*words, last.evidence(told(status))],
        because_of=(*keeps_agent_down(run.node), *((ended_by_probe(run.node),) if is_by_probe else ())),
        stated_cause=last.last.said if last.last and has_said else "",
        impact=f"policy and DNS updates on {run.node} waited while it started",
        last_seen=end.finished_at,
        ongoing=Ongoing.NO if not is_fault else Ongoing.UNKNOWN,
        fixes=(
            Fix.cure(
                "Find out why it ended, before the next time.",
                why="The log of the run that ended is kept until the next restart only.",
                risk=Risk.LOW,
                steps=(
                    saved_log(agent.pod, agent.container),
                    step("Read the last lines of it.", agent.log(is_previous=True, tail=50).command()),
                ),
                undo="Nothing is changed by reading.",
                verify="The count of restarts stays as it is.",
            ),
        ),
        same_as=f"{is_fault} {alike(why)}",
    )

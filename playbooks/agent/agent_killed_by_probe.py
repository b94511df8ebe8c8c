"""An agent was ended by kubelet because a probe failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent_steps import described, saved_log, told
from playbooks.model.cilium.down import ended_by_probe, keeps_agent_down
from playbooks.model.cilium.last_run import LastRun
from playbooks.model.cilium.probes import killing_probe
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding
from playbooks.model.kube.events import Warnings
from playbooks.model.moments import is_recent
from playbooks.model.rule import Case, fault

_LATELY = timedelta(hours=1)


@fault(
    "AGT004",
    step="running",
    cases=(
        Case(
            "CRASH-probe",
            proof="V",
            lines=(
                'Startup probe failed: Get "http://127.0.0.1:9879/healthz": dial tcp 127.0.0.1:9879: '
                "connect: connection refused",
            ),
            twin="the same pod without restart and without the probe's event",
        ),
    ),
)
def agent_killed_by_probe(run: OnNode[LastRun], warnings: Warnings) -> Iterator[Finding]:
    """An agent was ended by kubelet because a probe failed.

    Kubelet asks the agent's health port every few seconds. The startup probe gives the start several minutes;
    an agent that waits for CRDs, for the API server or for the key-value store longer than that is killed
    before it can say so itself. The liveness probe ends an agent that hangs or whose key-value store has lost
    its quorum. A restart helps only where the agent itself hung.
    """
    last, agent = run.fact, run.fact.agent
    status = agent.status
    event = killing_probe(last, warnings)
    if status is None or event is None:
        return
    standing = standing_of(agent.pod, agent.container, last.taken_at)
    is_down = standing in (Standing.CRASHING, Standing.UNREADY)
    ended = last.end.finished_at if last.end else None
    if not is_down and not is_recent(ended, last.taken_at, _LATELY):
        return
    probe = event.text.partition(" ")[0].lower()
    yield finding(
        Severity.ERROR if is_down else Severity.WARN,
        agent.pod.ref,
        f"{agent.pod.ref} was ended by its {probe} probe",
        evidence=(warnings.evidence(event.excerpt), last.evidence(told(status))),
        asserts=(
            ended_by_probe(run.node),
            *((Condition(ConditionKind.AGENT_DOWN, run.node),) if is_down else ()),
        ),
        because_of=(*keeps_agent_down(run.node), Condition(ConditionKind.AGENT_SILENT, run.node)),
        impact=f"new pods, policies and DNS rules on {run.node} wait while it starts anew",
        first_seen=event.first,
        last_seen=ended,
        ongoing=Ongoing.YES if is_down else Ongoing.UNKNOWN,
        fixes=(
            Fix.cure(
                "Remove what the agent waited for when the probe failed.",
                why="A probe only measures: the log of the run that was ended says what it waited for.",
                risk=Risk.LOW,
                steps=(saved_log(agent.pod, agent.container), sysdump(), described(agent.pod)),
                undo="Nothing is changed by reading.",
                verify="No new event of reason Unhealthy appears for the pod, and it stays ready.",
            ),
        ),
        same_as=f"{probe} {is_down}",
    )

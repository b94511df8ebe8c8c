"""An agent ends again and again."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, saved_log, told
from playbooks.model.cilium.down import alike, ended_by_probe, keeps_agent_down
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.last_run import LastRun
from playbooks.model.cilium.probes import killing_probe
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.cilium.template import blamed, wrong_command
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.events import Warnings
from playbooks.model.rule import Case, fault


@fault(
    "AGT002",
    step="running",
    cases=(
        Case("LAB-05", proof="R", twin="LAB-05 with the agent's container running and ready"),
        Case("CRASH-unexplained", proof="W", twin="the same pod with no restart and ready"),
    ),
)
def agent_crash_loops(
    run: OnNode[LastRun], installation: Installation, warnings: Warnings | None
) -> Iterator[Finding]:
    """An agent ends again and again.

    Kubelet starts a container that ended again, each time later, up to five minutes apart. The agent's last
    line says why it gave up; the error a few lines before names the part that failed, which is not always the
    culprit. Programs and maps stay in the kernel, so that known traffic goes on; new pods, policies, services
    and names under DNS rules wait.
    """
    last, agent = run.fact, run.fact.agent
    status = agent.status
    if status is None or standing_of(agent.pod, agent.container, last.taken_at) is not Standing.CRASHING:
        return
    # Found all the same, below the probe: who may not read events must not see more than who may.
    is_by_probe = killing_probe(last, warnings) is not None
    is_first = status.state.running is not None and status.restart_count <= 1
    end = last.end
    said = last.cause or (end.message.strip() if end and not last.last else "")
    wrong = wrong_command(agent.pod, agent.container, said)
    why = wrong or last.cause or (f"exit code {end.exit_code}" if end else "no word of it")
    subjects = blamed(agent.pod, installation.workload, is_template=bool(wrong))
    words = [last.words(last.last)] if last.last else []
    yield finding(
        Severity.WARN if is_first else Severity.ERROR,
        subjects,
        f"{subjects[0]} crash-loops: {why}",
        evidence=[*words, last.evidence(told(status))],
        asserts=(Condition(ConditionKind.AGENT_DOWN, run.node),),
        because_of=(*keeps_agent_down(run.node), ended_by_probe(run.node)),
        stated_cause=wrong or (last.last.said if last.last and not is_by_probe else ""),
        alternatives=() if is_by_probe or wrong else _alternatives(last),
        impact=f"new pods, policies, services and DNS rules on {run.node} wait; known traffic goes on",
        first_seen=agent.pod.unready_since,
        last_seen=end.finished_at if end else None,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                "Remove the cause that the agent's last lines name.",
                why="The agent starts by itself as soon as its start can succeed.",
                risk=Risk.LOW,
                steps=(
                    saved_log(agent.pod, agent.container, is_previous=status.state.running is not None),
                    sysdump(),
                    described(agent.pod),
                    step(
                        "Read the last lines of the run that ended.",
                        agent.log(is_previous=status.state.running is not None, tail=50).command(),
                    ),
                ),
                undo="Nothing is changed by reading.",
                verify="The pod is ready and its count of restarts stays as it is.",
            ),
        ),
        same_as=alike(why),
    )


def _alternatives(last: LastRun) -> tuple[str, ...]:
    if last.last or last.end is None:
        return ()
    if last.end.exit_code in (137, 143):
        return (
            "Somebody or something on the node killed it: the kernel's log names an out-of-memory kill.",
            "A probe failed: the pod's events say so, unless they are older than an hour.",
        )
    unread = last.missing.detail if last.missing else "its log ends without saying why"
    return (f"Its own words would decide: {unread}.",)

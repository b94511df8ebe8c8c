"""An agent was killed because it used more memory than it may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent_steps import helm_upgrade, saved_log, told
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.cilium.template import blamed, memory_limit
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.moments import is_recent
from playbooks.model.rule import Case, fault

_LATELY = timedelta(hours=24)


@fault(
    "AGT003",
    step="running",
    cases=(Case("CRASH-memory", proof="W", twin="the same pod whose container never ended"),),
)
def agent_killed_for_memory(agents: Agents, installation: Installation) -> Iterator[Finding]:
    """An agent was killed because it used more memory than its container may.

    The agent keeps every identity, policy, endpoint and service in memory, so its need grows with the
    cluster and with what selectors match. The kernel ends it without a word when it passes the container's
    limit; the log just stops, and the container's last state says `OOMKilled`, exit code 137. Large dumps
    inside the container, such as a whole connection-tracking table as JSON, count against the same limit.
    """
    for agent in agents.by_node.values():
        status = agent.status
        if status and status.last_end and status.last_end.reason == "OOMKilled":
            yield _finding(agents, agent, installation)


def _finding(agents: Agents, agent: Agent, installation: Installation) -> Finding:
    standing = standing_of(agent.pod, agent.container, agents.taken_at)
    is_down = standing in (Standing.OUT_OF_MEMORY, Standing.UNREADY)
    status, end = agent.status, agent.status.last_end if agent.status else None
    ended = end.finished_at if end else None
    is_late = is_recent(ended, agents.taken_at, _LATELY)
    workload = installation.workload.name if installation.workload else "cilium"
    limit = memory_limit(agent.pod, agent.container)
    subjects = blamed(agent.pod, installation.workload, is_template=bool(limit) and is_down)
    who = "its agent is" if len(subjects) > 1 else "it was"
    return finding(
        Severity.ERROR if is_down else Severity.WARN if is_late else Severity.INFO,
        subjects,
        f"{subjects[0]}: {who} killed for using more memory than {limit or 'there was'}",
        evidence=(
            agents.evidence(told(status) if status else ""),
            *((agents.evidence(f"{agent.container}: resources.limits.memory {limit}"),) if limit else ()),
        ),
        asserts=(Condition(ConditionKind.AGENT_DOWN, agent.node),) if is_down else (),
        stated_cause="OOMKilled",
        impact=f"while it starts anew, pods, policies and DNS rules on {agent.node} wait",
        last_seen=ended,
        ongoing=Ongoing.YES if is_down else Ongoing.UNKNOWN,
        fixes=(
            Fix.cure(
                "Raise the memory limit of the agents, or take it away.",
                why="The agent needs as much as the cluster's identities, policies and services take.",
                risk=Risk.MEDIUM,
                steps=(
                    saved_log(agent.pod, agent.container),
                    step(
                        "Read the limit.",
                        kubectl(
                            *("-n", installation.namespace, "get", "daemonset", workload, "-o"),
                            f'jsonpath={{.spec.template.spec.containers[?(@.name=="{agent.container}")].resources}}',
                        ),
                    ),
                    step(
                        "Raise resources.limits.memory in the Helm values; the agents restart for it.",
                        helm_upgrade(installation.namespace, "resources.limits.memory=4Gi"),
                    ),
                ),
                undo="Set the limit back.",
                verify="The agent's resident memory stays well below the limit for a day.",
            ),
        ),
        same_as=f"memory {is_down}",
    )

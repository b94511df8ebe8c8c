"""An agent does not start since the container runtime cannot create its container."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, told
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.down import alike, keeps_agent_down
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.standing import Standing, agents_standing, held_by
from playbooks.model.cilium.template import blamed, wrong_command
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.missing import missing_object
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault


@fault(
    "AGT008",
    step="running",
    cases=(Case("CREATE-failed", proof="W", twin="the same pod with its container running and ready"),),
)
def agent_container_not_created(agents: Agents, pods: Pods, installation: Installation) -> Iterator[Finding]:
    """An agent does not start since the container runtime cannot create its container.

    Between the image and the first instruction stand mounts, device rules, security profiles and the start
    hook. Kubelet tries again for ever; its message holds the runtime's own words.
    """
    for agent in agents_standing(agents, Standing.UNCREATED):
        held = held_by(agent.pod)
        if held is None or missing_object(agent.pod, pods, None):
            continue
        said = held.state.waiting.message if held.state.waiting else ""
        wrong = wrong_command(agent.pod, held.name, said)
        subjects = blamed(agent.pod, installation.workload, is_template=bool(wrong))
        yield finding(
            Severity.ERROR,
            subjects,
            f"{subjects[0]}: container {held.name} cannot be created ({wrong or held.waiting_reason})",
            evidence=(agents.evidence(told(held)),),
            asserts=(Condition(ConditionKind.AGENT_DOWN, agent.node),),
            because_of=keeps_agent_down(agent.node),
            stated_cause=said,
            impact=f"no agent on {agent.node}: new pods, policies and DNS rules wait there",
            first_seen=agent.pod.status.start_time,
            last_seen=agents.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    f"Remove what keeps the runtime from creating {held.name}.",
                    why="Kubelet creates the container by itself as soon as it can.",
                    risk=Risk.LOW,
                    steps=(
                        described(agent.pod),
                        step("Read the runtime's own words in the message: a mount, a hook, a profile."),
                    ),
                    undo="Nothing is changed by reading.",
                    verify="The container runs and the agent is ready.",
                ),
            ),
            same_as=f"{held.waiting_reason} {alike(said)}",
        )

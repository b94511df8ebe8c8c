"""An agent takes too long to make endpoints, so pods do not start."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.restarting import restart_agent, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, capture, finding, step
from playbooks.model.kube.sandboxes import Refusal, WaitingGroup, WaitingPods
from playbooks.model.rule import Case, fault


@fault(
    "END006",
    step="created",
    cases=(
        Case(
            "EP-04",
            proof="V",
            lines=("Unable to create endpoint: Cilium API client timeout exceeded",),
            twin="the same event about a pod that runs by now",
        ),
    ),
)
def endpoint_creation_times_out(waiting: WaitingPods, agents: Agents) -> Iterator[Finding]:
    """An agent takes too long to make endpoints, so pods do not start.

    The CNI plug-in waits until the agent has compiled, loaded and regenerated the new endpoint. An agent that
    cannot write a full policy map, waits for a lock or gets too little CPU does not come to an end in time;
    the runtime throws the pod's sandbox away and begins anew, which makes even more work for the agent.
    """
    for node, group in waiting.on_nodes(Refusal.NO_ANSWER).items():
        yield _finding(waiting, node, group, agents)


def _finding(waiting: WaitingPods, node: str, group: WaitingGroup, agents: Agents) -> Finding:
    subject = agents.ref(node)
    agent = agents.by_node.get(node)
    return finding(
        Severity.ERROR,
        subject,
        f"{subject} does not make endpoints in time: {group.said}",
        evidence=group.proof(waiting),
        because_of=[
            Condition(kind, node)
            for kind in (
                ConditionKind.MAP_FULL,
                ConditionKind.AGENT_SILENT,
                ConditionKind.AGENT_DOWN,
                ConditionKind.API_SERVER_UNREACHABLE,
                ConditionKind.NODE_UNFIT,
            )
        ],
        alternatives=(
            "A policy map is full: its log says `no space left on device` or `argument list too long`.",
            "The agent is stuck on a lock: its stacks (gops, pprof) show who waits for whom.",
            "The agent gets too little CPU: its container is throttled, and all it does takes long.",
        ),
        impact=f"pods on {node} stay in ContainerCreating",
        first_seen=group.first,
        last_seen=group.last,
        ongoing=Ongoing.YES,
        fixes=_fixes(node, agent) if agent else (),
        same_as="timeout",
    )


def _fixes(node: str, agent: Agent) -> tuple[Fix, ...]:
    stacks = agent.command("cilium-bugtool", "--get-pprof").command()
    verify = "The pods that waited run."
    keep = capture(f"Save the stacks of the agent on {node}.", stacks)
    return (
        restart_agent(agent, why="A new agent holds no lock and no queue.", verify=verify),
        Fix.cure(
            "Remove what keeps the agent busy.",
            why="It makes endpoints again as soon as it can finish what it began.",
            risk=Risk.LOW,
            steps=(
                keep,
                sysdump(),
                step(
                    "Read the agent's log for a full policy map.",
                    agent.log(tail=5000).command() + " | grep -i 'no space left\\|argument list too long'",
                ),
                step("Count the identities; thousands with one label that differs are too many."),
            ),
            undo="Nothing is changed by looking.",
            verify=verify,
        ),
    )

"""The agent runs, but commands in it get no answer."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.health import AgentHealth
from playbooks.model.cilium.modules import AgentModules
from playbooks.model.cilium.options import AgentOptions
from playbooks.model.cilium.restarting import captured_log, kubectl, restart_agent
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import (
    CouldNotLook,
    Evidence,
    Finding,
    Fix,
    Ongoing,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.rule import Case, fault
from playbooks.model.text import Text

_UNSEEN = (GapKind.FORBIDDEN, GapKind.NOT_RECORDED, GapKind.UNREACHABLE, GapKind.TOO_COSTLY)
"""Gaps that say nothing of the agent: it was not asked."""


@fault(
    "AGT050",
    step="status",
    cases=(Case("agent-hangs", proof="W", twin="the practice world whose agents all answer"),),
)
def agent_does_not_answer(
    agents: Agents,
    statuses: Fleet[AgentStatus],
    modules: Fleet[AgentModules],
    options: Fleet[AgentOptions],
    healths: Fleet[AgentHealth],
) -> Iterator[Finding | CouldNotLook]:
    """The agent runs, but does not answer.

    Kubernetes sees a running container, while everything that needs the agent waits: the CNI plug-in for new
    pods, the proxy for DNS rules, the service and policy updates of the node. Packets of known connections
    still flow, since the programs in the kernel work without it. One command that times out may be bad luck
    on the way; two different ones, and the status among them, are the agent or its node.
    """
    for node, agent in agents.by_node.items():
        silent = {
            gap.command: gap
            for fleet in (statuses, modules, options, healths)
            if (gap := fleet.missing.get(node)) and gap.kind is GapKind.TIMED_OUT and gap.command
        }
        status = statuses.missing.get(node)
        if not agent.is_running or status is None:
            continue
        if status.kind in _UNSEEN:
            yield CouldNotLook(status.detail)
        elif status.kind is GapKind.TIMED_OUT and len(silent) >= 2:
            yield _finding(agents, agent, list(silent.values()))


def _finding(agents: Agents, agent: Agent, silent: list[Gap]) -> Finding:
    # A command that was given up before it was sent carries no time: it proves less.
    strongest = sorted(silent, key=lambda gap: gap.taken_at is None)
    times = [gap.taken_at for gap in silent if gap.taken_at]
    return finding(
        Severity.WARN,
        agent.pod.ref,
        f"{agent.pod.ref} runs on {agent.node} but does not answer",
        evidence=[
            Evidence(Text(gap.command), Text(_own(gap)), agent.node, gap.taken_at or agents.taken_at)
            for gap in strongest[:2]
        ],
        asserts=(Condition(ConditionKind.AGENT_SILENT, agent.node),),
        because_of=(
            Condition(ConditionKind.NODE_NOT_READY, agent.node),
            Condition(ConditionKind.NODE_UNREACHABLE, agent.node),
        ),
        alternatives=(
            "The agent's process hangs: its own log stops, other pods on the node can be entered.",
            "The node or its kubelet is overloaded: entering any pod on the node takes long.",
        ),
        impact="new pods on the node, and names under DNS rules, wait; known traffic goes on",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES,
        fixes=(
            restart_agent(
                agent,
                why="A new process has none of the locks and queues on which the old one hangs.",
                verify="The agent's status is shown within a second.",
            ),
            Fix.cure(
                "Find out what the agent waits for.",
                why="A restart hides the cause; the stacks of its goroutines name it.",
                risk=Risk.LOW,
                steps=(
                    captured_log(agent),
                    step(
                        "Read the processor and memory pressure of the node.",
                        kubectl("describe", "node", agent.node),
                    ),
                    step(
                        "Print the stacks of the agent.",
                        agent.command("gops", "stack", "1").command(),
                    ),
                ),
                undo="Nothing is changed.",
                verify="The stacks or the node name what is waited for.",
            ),
        ),
        same_as="silent",
    )


def _own(gap: Gap) -> str:
    # What other ways said beside is no part of this command's answer.
    return gap.detail.partition(" (then ")[0]

"""An agent has run or waited for minutes and is not ready."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, saved_log, told
from playbooks.model.cilium.agent_words import AgentWords
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.down import keeps_agent_down
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Evidence, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.missing import missing_object
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_REASONS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "Unhealthy")


@fault(
    "AGT013",
    step="running",
    cases=(Case("UNREADY-agent", proof="W", twin="the same pod with its condition Ready True"),),
)
def agent_not_ready(
    words: OnNode[AgentWords], agents: Agents, pods: Pods, warnings: Warnings | None
) -> Iterator[Finding]:
    """An agent has run or waited for minutes and is not ready.

    An agent reports itself ready when its health endpoint answers: after CRDs, CiliumNode, addresses and the
    endpoints of the node are there. Minutes later it waits for something, has lost the API server, or hangs;
    what its log said last usually names it. While it is not ready, the operator keeps a taint on the node.
    """
    agent, standing = words.fact.agent, words.fact.standing
    if standing not in (Standing.UNREADY, Standing.UNSTARTED):
        return
    if missing_object(agent.pod, pods, warnings):
        return
    condition = agent.pod.condition_of("Ready")
    since = condition.last_transition_time if condition else agent.pod.status.start_time
    what = "runs but is not ready" if standing is Standing.UNREADY else "waits to be started"
    status = agent.status
    said = f"{condition.reason}: {condition.message}" if condition else agent.pod.status.phase
    proofs: list[Evidence] = [agents.evidence(f"Ready {condition.status if condition else ''} {said}")]
    if status:
        proofs.append(agents.evidence(told(status)))
    if warnings:
        proofs += [warnings.evidence(event.excerpt) for event in warnings.about(agent.pod, *_REASONS)][:2]
    yield finding(
        Severity.WARN if standing is Standing.UNREADY else Severity.ERROR,
        agent.pod.ref,
        f"{agent.pod.ref} {what} since {since:%H:%M:%S}" if since else f"{agent.pod.ref} {what}",
        evidence=proofs,
        asserts=(Condition(ConditionKind.AGENT_DOWN, words.node),),
        because_of=(
            *keeps_agent_down(words.node),
            Condition(ConditionKind.AGENT_SILENT, words.node),
            Condition(ConditionKind.NODE_NOT_READY, words.node),
        ),
        alternatives=(
            "It waits for the operator, the API server or addresses: its log repeats what for.",
            "It hangs: its log has stopped, and commands in it get no answer.",
        ),
        impact=f"new pods, policies and DNS rules on {words.node} may wait",
        first_seen=since,
        last_seen=words.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                "Find out what the agent waits for.",
                why="A restart brings it to the same place again, unless it hangs.",
                risk=Risk.LOW,
                steps=(
                    saved_log(agent.pod, agent.container, is_previous=False),
                    sysdump(),
                    described(agent.pod),
                    step("Read what its log said last.", agent.log(tail=100).command()),
                ),
                undo="Nothing is changed by reading.",
                verify="The pod is ready and the taint node.cilium.io/agent-not-ready is gone.",
            ),
        ),
        same_as=f"{standing} {condition.reason if condition else ''}",
    )

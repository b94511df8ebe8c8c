"""A pod runs with the identity of pods whose labels are not known yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.restarting import captured_log, restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

_LONG = timedelta(minutes=2)
_INIT = 5


def _is_init(one: Endpoint) -> bool:
    return one.identity == _INIT or one.has_reserved("init")


@fault(
    "END011",
    step="identity",
    cases=(
        Case("IDENTITY-init", proof="W", twin="the endpoint with its pod's identity in one of both looks"),
    ),
    candidate=lambda endpoints: any(map(_is_init, endpoints.items)),
)
def endpoint_stays_init(endpoints: Change[AgentEndpoints], pods: Pods, agents: Agents) -> Iterator[Finding]:
    """A pod runs with the identity of pods whose labels are not known yet.

    An endpoint begins with `reserved:init` when its agent does not know the pod's labels yet; a moment later
    it gets the identity of its labels. If the labels never come, no policy that selects the pod by its labels
    holds for it, and no policy that admits it by them lets it through.
    """
    node = endpoints.after.provenance.node
    agent = agents.by_node.get(node)
    for one in filter(_is_init, endpoints.after.items):
        before = endpoints.before.get(one.id)
        pod = _pod_of(one, pods)
        if before is None or not _is_init(before) or pod is None:
            continue
        if not lasts(pod.status.start_time, endpoints.after.taken_at, _LONG):
            continue
        labels = ", ".join(one.labels) or f"identity {one.identity}"
        yield finding(
            Severity.ERROR,
            pod.ref,
            f"{pod.ref} still has the identity reserved:init",
            evidence=(
                endpoints.before.evidence(f"endpoint {before.id}: {', '.join(before.labels) or _INIT}"),
                endpoints.after.evidence(f"endpoint {one.id} {pod.status.pod_ip}: {labels}"),
                pods.evidence(f"{pod.ref} runs since {pod.status.start_time}"),
            ),
            because_of=(
                Condition(ConditionKind.API_SERVER_UNREACHABLE, node),
                Condition(ConditionKind.AGENT_SILENT, node),
            ),
            impact="policies that select or admit it by its labels do not",
            first_seen=pod.status.start_time,
            last_seen=endpoints.after.taken_at,
            ongoing=Ongoing.YES,
            owner=pod.metadata.managed_by,
            fixes=_fixes(one, agent) if agent else (),
            same_as="init",
        )


def _pod_of(one: Endpoint, pods: Pods) -> Pod | None:
    for pod in pods.items:
        is_running = pod.status.phase == "Running" and not pod.is_going and not pod.spec.host_network
        if is_running and pod.status.pod_ip and pod.status.pod_ip in one.addresses:
            return pod
    return None


def _fixes(one: Endpoint, agent: Agent) -> tuple[Fix, ...]:
    verify = f"Endpoint {one.id} has the labels of its pod."
    return (
        restart_agent(agent, why="A new agent reads the labels of all pods of its node.", verify=verify),
        Fix.cure(
            "Find out why the agent does not know the pod's labels.",
            why="It asks again by itself and goes on as soon as it knows them.",
            risk=Risk.LOW,
            steps=(
                captured_log(agent),
                step(
                    "Read the agent's log for it.",
                    agent.log(tail=500).command() + " | grep -i 'fetch kubernetes labels'",
                ),
            ),
            undo="Nothing is changed by looking.",
            verify=verify,
        ),
    )

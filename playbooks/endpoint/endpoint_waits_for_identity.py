"""An endpoint waits for its identity."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.cilium.lasting_states import WAITS_FOR_IDENTITY, LastingState, lasting_states, shown
from playbooks.model.cilium.restarting import captured_log, kubectl, restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_LONG = timedelta(minutes=1)


def _waits(endpoints: AgentEndpoints) -> bool:
    return any(one.state == WAITS_FOR_IDENTITY for one in endpoints.items)


@fault(
    "END009",
    step="identity",
    cases=(Case("STATE-identity", proof="W", twin="the endpoint ready in one of both looks"),),
    candidate=_waits,
)
def endpoint_waits_for_identity(
    endpoints: Change[AgentEndpoints], agents: Agents, pods: Pods | None, published: ClusterEndpoints | None
) -> Iterator[Finding]:
    """An endpoint waits for its identity.

    An agent asks for one number for an endpoint's set of labels: it looks for a CiliumIdentity with them,
    or makes one (in kvstore mode, a key). That takes a moment. When the API server or the kvstore does not
    let it, the endpoint stays without an identity, its programs are not built, and its pod does not start
    or keeps the identity that it had. `cilium-dbg endpoint list` shows it as `waiting-for-identity`,
    without a label: `no label id`.
    """
    node = endpoints.after.provenance.node
    agent = agents.by_node.get(node)
    for one in lasting_states(endpoints, agent, pods, _LONG):
        if one.after.state == WAITS_FOR_IDENTITY:
            subject = endpoint_ref(one.after, node, pods, published)
            yield _finding(endpoints, one, subject, node, agent)


def _finding(
    endpoints: Change[AgentEndpoints], one: LastingState, subject: Ref, node: str, agent: Agent | None
) -> Finding:
    last = one.after.last_entry
    on_node = (ConditionKind.API_SERVER_UNREACHABLE, ConditionKind.AGENT_SILENT)
    everywhere = (ConditionKind.KVSTORE_DOWN, ConditionKind.CRDS_MISSING, ConditionKind.OPERATOR_DOWN)
    return finding(
        Severity.ERROR,
        subject,
        f"{subject} waits for its identity",
        evidence=(endpoints.before.evidence(shown(one.before)), endpoints.after.evidence(shown(one.after))),
        asserts=(Condition(ConditionKind.ENDPOINT_NOT_REGENERATED, f"{subject.namespace}/{subject.name}"),),
        because_of=(
            *(Condition(kind, node) for kind in on_node),
            *(Condition(kind) for kind in everywhere),
            Condition(ConditionKind.PERMISSION_MISSING, node),
        ),
        alternatives=(
            "The API server or kvstore does not take the new identity: the agent's log says `identity`.",
            "All numbers of the cluster are taken: count the identities.",
        ),
        stated_cause=last.message if last and last.is_bad else "",
        impact="its programs are not built; a new pod does not start",
        first_seen=one.since,
        last_seen=endpoints.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=_fixes(one, agent) if agent else (),
        same_as="identity",
    )


def _fixes(one: LastingState, agent: Agent) -> tuple[Fix, ...]:
    verify = f"Endpoint {one.after.id} is ready."
    return (
        restart_agent(agent, why="A new agent asks for all identities anew.", verify=verify),
        Fix.cure(
            "Find out who does not give the identity.",
            why="The agent asks again by itself and goes on as soon as it gets one.",
            risk=Risk.LOW,
            steps=(
                captured_log(agent),
                step("Read the agent's log for it.", agent.log(tail=500).command() + " | grep -i identity"),
                step("Count the identities.", kubectl("get", "ciliumidentities") + " | wc -l"),
            ),
            undo="Nothing is changed by looking.",
            verify=verify,
        ),
    )

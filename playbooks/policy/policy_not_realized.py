"""An endpoint lags behind the policies that its agent has taken in."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.policy import AgentPolicy
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.cilium.restarting import restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Ongoing, Severity, finding
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault


def _revision(one: Endpoint) -> int:
    return (one.realized.policy_revision if one.realized else None) or 0


@fault(
    "POL019",
    step="realized",
    cases=(Case("policy-not-realized", proof="W", twin="the endpoint at the agent's revision in one look"),),
)
def policy_not_realized(
    endpoints: Change[AgentEndpoints],
    policy: Change[AgentPolicy],
    agents: Agents,
    pods: Pods | None,
    published: ClusterEndpoints | None,
) -> Iterator[Finding]:
    """An endpoint lags behind the policies that its agent has taken in.

    Every change of a policy raises the agent's revision; each endpoint tells the revision that it has in
    force. For moments after a change the endpoint is behind. One that stays behind keeps yesterday's rules:
    its regeneration fails or hangs, and what was admitted or refused since does not reach it.
    """
    node = endpoints.after.provenance.node
    wanted = policy.before.revision
    before = {one.id: one for one in endpoints.before.items}
    for one in endpoints.after.items:
        first = before.get(one.id)
        if first is None or not wanted or not (0 < _revision(one) < wanted):
            continue
        if _revision(first) != _revision(one) or first.identity != one.identity:
            continue
        subject = endpoint_ref(one, node, pods, published)
        agent = agents.by_node.get(node)
        yield finding(
            Severity.WARN,
            subject,
            f"{subject} has policy revision {_revision(one)} in force, its agent has {wanted}",
            evidence=(
                policy.before.evidence(f"Revision: {wanted}"),
                endpoints.before.evidence(_shown(first)),
                endpoints.after.evidence(_shown(one)),
            ),
            because_of=(
                Condition(ConditionKind.ENDPOINT_NOT_REGENERATED, f"{subject.namespace}/{subject.name}"),
                Condition(ConditionKind.MAP_FULL, node),
                Condition(ConditionKind.AGENT_SILENT, node),
            ),
            impact="changes of policies do not reach the endpoint",
            first_seen=endpoints.before.taken_at,
            last_seen=endpoints.after.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                restart_agent(
                    agent,
                    why="A new agent computes the policy of every endpoint anew.",
                    verify="`cilium-dbg endpoint get` tells the agent's revision as realized.",
                ),
            )
            if agent
            else (),
        )


def _shown(one: Endpoint) -> str:
    return f"endpoint {one.id} {one.state}: realized policy-revision {_revision(one)}"

"""An endpoint's policy map does not hold what its agent wants in it."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.cilium.restarting import restart_agent, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault
from playbooks.model.views.differences import Difference, Kind, lasting
from playbooks.model.views.policy import PolicyView


@fault(
    "POL004",
    step="realized",
    cases=(Case("LAB-09", proof="R", twin="LAB-09 with the entry that the agent wants back in the map"),),
    candidate=lambda view: bool(view.differences),
)
def map_disagrees_with_agent(
    view: Change[PolicyView],
    endpoints: OnNode[AgentEndpoints],
    agents: Agents,
    pods: Pods | None,
    published: ClusterEndpoints | None,
) -> Iterator[Finding]:
    """An endpoint's policy map does not hold what its agent wants in it.

    The datapath decides by the policy map alone. The agent computes what it should hold and writes the
    differences; a sync every 15 minutes (`sync-policymap`) repairs what something else changed. Until then
    an entry that is missing refuses what policies, selectors and endpoint all say is admitted, and one too
    many admits what they refuse. For a moment after each change of policy both differ: only what is equal in
    two looks counts.
    """
    node = endpoints.node
    agent = agents.by_node.get(node)
    by_endpoint: dict[str, list[Difference]] = {}
    for one in lasting(view.before.differences, view.after.differences):
        by_endpoint.setdefault(one.subject, []).append(one)
    for name, found in by_endpoint.items():
        first = found[0]
        refuses = any(one.kind is Kind.MISSING for one in found)
        subject = _subject(first, node, endpoints.fact, pods, published)
        yield finding(
            Severity.ERROR,
            subject,
            f"{subject}: its policy map and its agent differ: {first.kind} {first.detail}",
            evidence=(
                view.before.evidence("\n".join(one.said for one in found[:5])),
                view.after.evidence("\n".join(one.said for one in found[:5])),
            ),
            because_of=(Condition(ConditionKind.MAP_FULL, node), Condition(ConditionKind.AGENT_SILENT, node)),
            impact="connections that policy admits are refused" if refuses else "policy is not what it says",
            first_seen=view.before.taken_at,
            last_seen=view.after.taken_at,
            ongoing=Ongoing.YES,
            fixes=_fixes(name, node, agent) if agent else (),
        )


def _fixes(name: str, node: str, agent: Agent) -> tuple[Fix, ...]:
    verify = "`cilium-dbg bpf policy get` of the endpoint shows the entry."
    return (
        Fix.mitigation(
            f"Let the agent write the map of {name} anew.",
            why="Regenerating an endpoint writes its whole policy map.",
            risk=Risk.LOW,
            steps=(
                sysdump(),
                step(
                    f"Regenerate {name} on {node}.",
                    agent.command("cilium-dbg", "endpoint", "regenerate", name.split()[-1]).command(),
                ),
            ),
            undo="Nothing to undo.",
            verify=verify,
        ),
        restart_agent(agent, why="A new agent writes all maps of the node anew.", verify=verify),
    )


def _subject(
    one: Difference,
    node: str,
    endpoints: AgentEndpoints,
    pods: Pods | None,
    published: ClusterEndpoints | None,
) -> Ref:
    if one.name:
        return Ref("Endpoint", one.name, one.namespace, node)
    number = one.subject.removeprefix("endpoint ")
    endpoint = endpoints.get(int(number)) if number.isdecimal() else None
    if endpoint is None:
        return Ref("Endpoint", number, one.namespace, node)
    return endpoint_ref(endpoint, node, pods, published)

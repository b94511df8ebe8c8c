"""The endpoint map leads to another endpoint than its agent has, or to none."""

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
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault
from playbooks.model.views.differences import Difference, Kind, Side, lasting
from playbooks.model.views.endpoints import EndpointView


def _in_map(view: EndpointView) -> tuple[Difference, ...]:
    return tuple(one for one in view.differences if one.side is Side.MAP)


@fault(
    "END015",
    step="agreement",
    cases=(
        Case("MAP-endpoint-missing", proof="W", twin="the same dump of the map with the pod's address"),
        Case("MAP-endpoint-other", proof="W", twin="the same dump with the endpoint that the agent has"),
    ),
    candidate=lambda view: bool(_in_map(view)),
)
def endpoint_map_disagrees(
    view: Change[EndpointView],
    endpoints: OnNode[AgentEndpoints],
    agents: Agents,
    pods: Pods | None,
    published: ClusterEndpoints | None,
) -> Iterator[Finding]:
    """The endpoint map leads to another endpoint than its agent has, or to none.

    What comes to an address of the node is delivered by the map `cilium_lxc`: it names the endpoint and the
    device. The agent writes it when it makes an endpoint, and again when it regenerates it. Without an entry
    the packet is dropped or goes to the host; with another endpoint's it is judged by that one's policy.
    """
    node = endpoints.node
    agent = agents.by_node.get(node)
    if agent is None or not lasts(agent.started_at, view.before.taken_at, STARTING):
        return
    for one in lasting(_in_map(view.before), _in_map(view.after)):
        known = endpoints.fact.at(one.subject)
        if one.name:
            subject = Ref("Endpoint", one.name, one.namespace, node)
        elif known:
            subject = endpoint_ref(known, node, pods, published)
        else:
            subject = Ref("Node", node, node=node)
        yield _finding(view, one, subject, known.id if known else None, agent)


def _finding(
    view: Change[EndpointView], one: Difference, subject: Ref, number: int | None, agent: Agent
) -> Finding:
    said = {
        Kind.MISSING: f"the endpoint map lacks {one.subject}",
        Kind.STALE: f"the endpoint map leads {one.subject} to {one.detail}",
        Kind.EXTRA: f"the endpoint map has {one.subject}, which no endpoint has",
    }
    is_extra = one.kind is Kind.EXTRA
    return finding(
        Severity.INFO if is_extra else Severity.ERROR,
        subject,
        f"{subject}: {said[one.kind]}",
        evidence=(view.before.evidence(one.said), view.after.evidence(one.said)),
        because_of=(
            Condition(ConditionKind.MAP_FULL, agent.node),
            Condition(ConditionKind.AGENT_SILENT, agent.node),
            Condition(ConditionKind.ENDPOINT_NOT_REGENERATED, f"{subject.namespace}/{subject.name}"),
        ),
        impact="" if is_extra else f"what is sent to {one.subject} on {agent.node} does not reach its pod",
        first_seen=view.before.taken_at,
        last_seen=view.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=_fixes(one, number, agent),
        same_as="extra" if is_extra else "",
    )


def _fixes(one: Difference, number: int | None, agent: Agent) -> tuple[Fix, ...]:
    verify = f"`cilium-dbg bpf endpoint list` and the agent's list agree on {one.subject}."
    restart = restart_agent(agent, why="A new agent writes the map anew.", verify=verify)
    if number is None:
        return (restart,)
    regenerate = agent.command("cilium-dbg", "endpoint", "regenerate", str(number)).command()
    return (
        Fix.mitigation(
            f"Let the agent write the entry of endpoint {number} anew.",
            why="Regenerating an endpoint writes its entry.",
            risk=Risk.LOW,
            steps=(sysdump(), step(f"Regenerate endpoint {number}.", regenerate)),
            undo="Nothing to undo.",
            verify=verify,
        ),
        restart,
    )

"""An agent knows other backends for a service than Kubernetes lists."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, OnNode
from playbooks.model.finding import Finding, Ongoing, finding
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.differing import differing
from playbooks.model.views.differences import Side
from playbooks.model.views.services import ServiceView

_SHAPING = ("service.cilium.io/", "io.cilium/", "service.kubernetes.io/")
"""Annotations by which agents are told to serve a service otherwise than others."""


@fault(
    "SVC019",
    step="agreement",
    cases=(Case("agent-behind", proof="W", twin="the same agent with the recorded backends"),),
    candidate=lambda view: any(one.side is Side.AGENT for one in view.differences),
)
def agent_services_stale(
    view: Change[ServiceView], replacement: OnNode[Replacement], services: Services, agents: Agents
) -> Iterator[Finding]:
    """An agent knows other backends for a service than Kubernetes lists.

    Each agent watches Services and EndpointSlices and keeps its own picture of them, within a second. One
    that lost its watch, or whose queue hangs, goes on with the picture from before: on its node clients are
    led to pods that are gone, and new pods get nothing. Only what is equal in two looks counts.
    """
    node = replacement.node
    for found in differing(view, Side.AGENT, node):
        service = services.get(found.ref.namespace, found.ref.name)
        if service and _is_shaped(service):
            continue
        first = found.items[0]
        agent = agents.by_node.get(node)
        verify = "`cilium-dbg service list` on the node shows the backends of the EndpointSlices."
        yield finding(
            found.severity,
            found.ref,
            f"{found.ref}: the agent on {node} has {first.kind} {first.detail}",
            evidence=(view.before.evidence(found.said), view.after.evidence(found.said)),
            because_of=(
                Condition(ConditionKind.AGENT_SILENT, node),
                Condition(ConditionKind.API_SERVER_UNREACHABLE, node),
                Condition(ConditionKind.AGENT_DOWN, node),
                Condition(ConditionKind.KVSTORE_DOWN),
            ),
            impact=f"connections on {node} go to what is no backend of it"
            if found.sends_astray
            else f"connections on {node} miss backends or fail",
            first_seen=view.before.taken_at,
            last_seen=view.after.taken_at,
            ongoing=Ongoing.YES,
            fixes=(restart_agent(agent, why="A new agent reads all services anew.", verify=verify),)
            if agent
            else (),
            same_as=f"{found.ref} {first.kind} {first.detail}",
        )


def _is_shaped(service: Service) -> bool:
    return any(key.startswith(_SHAPING) for key in service.metadata.annotations or {})

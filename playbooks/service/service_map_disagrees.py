"""The map of services on a node does not hold what its agent wants in it."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import restart_agent, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, finding, step
from playbooks.model.rule import Case, fault
from playbooks.model.services.differing import differing
from playbooks.model.views.differences import Side
from playbooks.model.views.services import ServiceView


@fault(
    "SVC018",
    step="agreement",
    cases=(Case("SV-14", proof="W", twin="the same maps as they were recorded"),),
    candidate=lambda view: any(one.side is Side.MAP for one in view.differences),
)
def service_map_disagrees(
    view: Change[ServiceView], replacement: OnNode[Replacement], agents: Agents
) -> Iterator[Finding]:
    """The map of services on a node does not hold what its agent wants in it.

    Packets are led by the map alone. An agent writes to it what changes, and does not look at it again: what
    got lost on the way, or was written by something else, stays until the service changes or the agent
    starts anew. Traffic then goes to a pod that is long gone or somebody else's by now, though Service,
    EndpointSlice and agent are all right. For moments after a change both differ: only what is equal in two
    looks counts.
    """
    node = replacement.node
    for found in differing(view, Side.MAP, node):
        first = found.items[0]
        agent = agents.by_node.get(node)
        verify = "`cilium-dbg bpf lb list` and `cilium-dbg service list` show the same backends."
        yield finding(
            found.severity,
            found.ref,
            f"{found.ref} on {node}: the service map has {first.kind} {first.detail}",
            evidence=(view.before.evidence(found.said), view.after.evidence(found.said)),
            because_of=(
                Condition(ConditionKind.MAP_FULL, node, "services"),
                Condition(ConditionKind.AGENT_SILENT, node),
            ),
            impact=f"connections on {node} go to what is no backend of it"
            if found.sends_astray
            else f"connections on {node} miss backends or fail",
            first_seen=view.before.taken_at,
            last_seen=view.after.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                *(
                    (restart_agent(agent, why="A new agent writes the map anew.", verify=verify),)
                    if agent
                    else ()
                ),
                Fix.cure(
                    "Report it with a sysdump, and upgrade.",
                    why="An agent that leaves its map behind is a bug; releases have fixed several of them.",
                    risk=Risk.LOW,
                    steps=(sysdump(), step("Search github.com/cilium/cilium/issues for stale service maps.")),
                    undo="Nothing is changed by reporting.",
                    verify=verify,
                ),
            ),
            same_as=f"{found.ref} {first.kind} {first.detail}",
        )

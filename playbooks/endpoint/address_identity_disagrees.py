"""The ipcache map gives an address another identity than the agent knows, or none."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.restarting import restart_agent, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault
from playbooks.model.views.differences import Difference, Kind, lasting
from playbooks.model.views.ipcache import IpcacheView

_MANY = 10
"""Addresses of one node from which on the node is told, not each of them."""


@fault(
    "END023",
    step="agreement",
    cases=(
        Case("MAP-ipcache-missing", proof="W", twin="the same dump of the map with the pod's address"),
        Case("MAP-ipcache-other", proof="W", twin="the same dump with the identity that the agent has"),
    ),
    candidate=lambda view: bool(view.differences),
)
def address_identity_disagrees(
    view: Change[IpcacheView], addresses: OnNode[IpcacheView], agents: Agents
) -> Iterator[Finding]:
    """The ipcache map gives an address another identity than the agent knows, or none.

    The datapath asks the map `cilium_ipcache` which identity an address has: of the peer of every packet that
    leaves a pod, and of what comes in from other nodes. The agent keeps the map in step with the addresses it
    learns. An address that the map lacks belongs to `world`, so rules that admit the pod by its labels admit
    nothing, and without a tunnel endpoint the packet may leave by the wrong way. With another identity, the
    policy of somebody else is applied.
    """
    node = addresses.node
    agent = agents.by_node.get(node)
    if agent is None or not lasts(agent.started_at, view.before.taken_at, STARTING):
        return
    told: dict[str, Difference] = {}
    for one in lasting(view.before.differences, view.after.differences):
        # Both sides of the agent may tell of one address; the one that knows the pod's name tells more.
        if one.subject not in told or one.name:
            told[one.subject] = one
    for kind in Kind:
        alike = [one for one in told.values() if one.kind is kind]
        if len(alike) > _MANY:
            named = [one for one in alike if one.name]
            yield _finding(view, (named or alike)[0], agent, len(alike))
        else:
            yield from (_finding(view, one, agent) for one in alike)


def _finding(view: Change[IpcacheView], one: Difference, agent: Agent, count: int = 1) -> Finding:
    node = agent.node
    is_one = count == 1 and bool(one.name)
    subject = Ref("Endpoint", one.name, one.namespace) if is_one else Ref("Node", node, node=node)
    more = f" and {count - 1:,} more addresses" if count > 1 else ""
    said = {
        Kind.MISSING: f"the ipcache map on {node} lacks {one.subject}",
        Kind.STALE: f"the ipcache map on {node} has another identity for {one.subject}",
        Kind.EXTRA: f"the ipcache map on {node} has {one.subject}, unknown to its agent",
    }
    is_extra = one.kind is Kind.EXTRA
    severity = Severity.ERROR if one.name else Severity.WARN
    address = one.subject.partition("/")[0]
    return finding(
        Severity.INFO if is_extra else severity,
        subject,
        f"{subject}: {said[one.kind]}{more}",
        evidence=(view.before.evidence(one.said), view.after.evidence(one.said)),
        asserts=() if is_extra else (Condition(ConditionKind.ADDRESS_UNKNOWN, node, address),),
        because_of=(Condition(ConditionKind.MAP_FULL, node), Condition(ConditionKind.AGENT_SILENT, node)),
        impact="" if is_extra else _impact(one, node),
        first_seen=view.before.taken_at,
        last_seen=view.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=_fixes(one, address, agent),
        same_as=f"extra {node}" if is_extra else "",
    )


def _impact(one: Difference, node: str) -> str:
    if one.kind is Kind.MISSING:
        return f"pods on {node} take {one.subject} for world; policies by label do not match it"
    return f"on {node} the policy for another identity is applied to {one.subject}"


def _fixes(one: Difference, address: str, agent: Agent) -> tuple[Fix, ...]:
    verify = f"`cilium-dbg bpf ipcache get {address}` on {agent.node} tells what `cilium-dbg ip list` does."
    look = agent.command("cilium-dbg", "bpf", "ipcache", "get", address).command()
    compare = Fix.cure(
        f"Find out who changed the map on {agent.node} behind the agent's back.",
        why="The agent writes each entry once; a hand, another program or a defect brought it to this.",
        risk=Risk.LOW,
        steps=(sysdump(), step(f"Read what the datapath knows of {one.subject}.", look)),
        undo="Nothing is changed by looking.",
        verify=verify,
    )
    return (restart_agent(agent, why="A new agent writes the map anew.", verify=verify), compare)

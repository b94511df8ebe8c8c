"""A node gives no address to pods although hardly any is used."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from playbooks.model.cilium.address_pools import AddressPool, fullest
from playbooks.model.cilium.agent.devices import AgentDevices
from playbooks.model.cilium.agent.routes import AgentRoutes
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ciliumnodes import CiliumNodes
from playbooks.model.cilium.restarting import captured_log, deleted
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, OnNode
from playbooks.model.finding import Evidence, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.sandboxes import Refusal, WaitingGroup, WaitingPods
from playbooks.model.rule import Case, fault

_PLENTY = 0.9
_OWN = ("cilium_", "lxc", "lo")


@fault(
    "END005",
    step="addresses",
    cases=(
        Case(
            "EP-02",
            proof="V",
            lines=(
                "unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure "
                "range is full",
            ),
            twin="the same event while all addresses of the node are given out",
        ),
    ),
    candidate=lambda waiting, status: _refused(waiting, status) is not None,
)
def route_covers_pod_range(
    waiting: Change[WaitingPods],
    status: Change[AgentStatus],
    agents: Agents,
    ciliumnodes: CiliumNodes | None,
    routes: OnNode[AgentRoutes] | None,
    devices: OnNode[AgentDevices] | None,
) -> Iterator[Finding]:
    """A node gives no address to pods although hardly any is used.

    When the agent starts it leaves out addresses that the node reaches on its own. A route of something else
    (a bridge of Docker, a VPN) that covers the node's range leaves out all of them: the plug-in hears that
    the range is full, on a node with few pods.
    """
    node = status.after.provenance.node
    before = _refused(waiting.before, status.before)
    group, pool = _refused(waiting.after, status.after), fullest(status.after)
    if group is None or pool is None or before is None or not {*group.refs} & {*before.refs}:
        return
    strangers = _strangers(node, ciliumnodes, routes, devices)
    proof = group.proof(waiting.after)
    ipam = status.after.response.ipam
    proof.append(status.after.evidence(f"IPAM: {ipam.status if ipam else ''}"))
    if routes and strangers:
        proof.append(routes.fact.evidence("\n".join(strangers[:5])))
    yield _finding(node, group, pool, proof, strangers, agents.by_node.get(node))


def _refused(waiting: WaitingPods, status: AgentStatus) -> WaitingGroup | None:
    """Pods of the node that got no address while there are plenty."""
    pool = fullest(status)
    if pool is None or pool.share >= _PLENTY:
        return None
    return waiting.on_nodes(Refusal.NO_ADDRESS).get(status.provenance.node)


def _strangers(
    node: str,
    ciliumnodes: CiliumNodes | None,
    routes: OnNode[AgentRoutes] | None,
    devices: OnNode[AgentDevices] | None,
) -> list[str]:
    """Routes to devices that are not Cilium's and touch the node's range."""
    mine = [one for one in ciliumnodes.items if one.metadata.name == node] if ciliumnodes else []
    ranges = [found for one in mine for cidr in one.pod_cidrs if (found := _network(cidr))]
    names = {one.index: one.name for one in devices.fact.items} if devices else {}
    strangers = []
    for route in routes.fact.items if routes else ():
        to, device = _network(route.destination), names.get(route.link, "")
        is_own = not device or device.startswith(_OWN) or bool(route.gateway) or route.table == "local"
        if to and to.prefixlen and not is_own and any(_overlap(to, range_) for range_ in ranges):
            strangers.append(f"{route.destination} dev {device}")
    return strangers


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(cidr: str) -> Network | None:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        # A table may name what is no prefix, such as `default`.
        return None


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _finding(
    node: str,
    group: WaitingGroup,
    pool: AddressPool,
    proof: list[Evidence],
    strangers: list[str],
    agent: Agent | None,
) -> Finding:
    why = f"a route covers its range: {strangers[0]}" if strangers else f"yet only {pool.said} are used"
    return finding(
        Severity.ERROR,
        Ref("Node", node, node=node),
        f"Node {node} gives pods no address, {why}",
        evidence=proof,
        asserts=(Condition(ConditionKind.IPAM_EXHAUSTED, node),),
        alternatives=()
        if strangers
        else (
            "A route that is not Cilium's covers the node's range: `ip route` on the node shows it.",
            "Addresses of another pool or family are used up: the event names the pool.",
        ),
        impact=f"{group.said} on {node}",
        first_seen=group.first,
        last_seen=group.last,
        ongoing=Ongoing.YES,
        fixes=(_moved(node, agent),) if agent else (),
    )


def _moved(node: str, agent: Agent) -> Fix:
    return Fix.cure(
        f"Take away the route that covers the pods' range of {node}.",
        why="The agent leaves out what the node reaches on its own, and looks at that only when it starts.",
        risk=Risk.MEDIUM,
        steps=(
            captured_log(agent),
            step(f"List the routes of {node}, and find whose the odd one is.", "ip route"),
            step("Move the bridge or VPN that owns it to another range."),
            deleted(agent),
        ),
        undo="Set the route again; the agent must be restarted after that too.",
        verify="The pods that wait run.",
    )

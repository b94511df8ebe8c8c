"""A node's own network service manages interfaces that are Cilium's."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.devices import AgentDevices
from playbooks.model.cilium.ciliumnodes import CiliumNodes
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.rule import Case, fault


@fault(
    "END022",
    step="addresses",
    cases=(Case("EP-11", proof="W", twin="the same devices without an address on the second interface"),),
)
def interfaces_managed_by_host(
    devices: OnNode[AgentDevices], ciliumnodes: CiliumNodes, nodes: Nodes | None
) -> Iterator[Finding]:
    """A node's own network service manages interfaces that are Cilium's.

    In ENI mode Cilium attaches interfaces to the instance and leads the pods' traffic over them by rules of
    its own; the interfaces themselves carry no address. A network service that takes up every interface
    (systemd-networkd of Flatcar does) asks for an address by DHCP and sets routes for it: replies then leave
    by the wrong interface, or the agent does not come up.
    """
    mine = next((one for one in ciliumnodes.items if one.metadata.name == devices.node), None)
    added = {one.ip for one in mine.interfaces.values() if one.ip and one.number} if mine else set()
    taken = [
        f"{device.name} {address}"
        for device in devices.fact.items
        for address in device.addresses
        if address.partition("/")[0] in added
    ]
    if not taken or mine is None:
        return
    node = nodes.get(devices.node) if nodes else None
    image = node.status.node_info.os_image if node else ""
    yield finding(
        Severity.WARN,
        Ref("Node", devices.node, node=devices.node),
        f"Node {devices.node} gave addresses to Cilium's interfaces: {taken[0]}",
        evidence=(
            devices.fact.evidence("\n".join(taken[:5])),
            ciliumnodes.evidence(f"{devices.node}: .status.eni.enis with {', '.join(sorted(added)[:5])}"),
        ),
        because_of=(Condition(ConditionKind.NODE_UNFIT, devices.node),),
        alternatives=("Somebody set the addresses by hand: `networkctl list` shows who manages them.",),
        impact="replies of pods leave by the wrong interface" + (f"; the node runs {image}" if image else ""),
        last_seen=devices.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=(_unmanaged(devices.node),),
        same_as="dhcp",
    )


def _unmanaged(node: str) -> Fix:
    unit = "[Match]\nName=eth[1-9]*\n\n[Link]\nUnmanaged=yes\n"
    return Fix.cure(
        "Tell the node's network service to leave these interfaces alone.",
        why="Cilium then is the only one that sets addresses, routes and rules on them.",
        risk=Risk.MEDIUM,
        steps=(
            sysdump(),
            step(f"List who manages the interfaces of {node}.", "networkctl list"),
            step("Add a unit such as /etc/systemd/network/01-unmanaged.network to the node's image.", unit),
            step("Replace the node with one of the new image."),
        ),
        undo="Take the unit out of the image.",
        verify="`networkctl list` shows the interfaces as unmanaged, and they carry no address.",
    )

"""A node's own network service manages interfaces that are Cilium's."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.devices import AgentDevices
from playbooks.model.cilium.ciliumnodes import CiliumNode, CiliumNodes
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.rule import Case, fault


@fault(
    "END022",
    step="addresses",
    cases=(Case("EP-11", proof="W", twin="the same devices without an address on the second interface"),),
    candidate=lambda ciliumnodes: any(_added(one) for one in ciliumnodes.items),
)
def interfaces_managed_by_host(
    ciliumnodes: Change[CiliumNodes], devices: Fleet[AgentDevices], nodes: Nodes | None
) -> Iterator[Finding | CouldNotLook]:
    """A node's own network service manages interfaces that are Cilium's.

    In ENI mode Cilium attaches interfaces to the instance and leads the pods' traffic over them by rules of
    its own; the interfaces themselves carry no address. A network service that takes up every interface
    (systemd-networkd of Flatcar does) asks for an address by DHCP and sets routes for it: replies then leave
    by the wrong interface, or the agent does not come up.
    """
    for one in ciliumnodes.after.items:
        added, name = _added(one), one.metadata.name
        known = devices.facts.get(name)
        if added and known is None and name in devices.missing:
            yield CouldNotLook(f"{name}: {devices.missing[name].detail}")
        taken = _taken(known, added) if known else []
        if known and taken:
            yield _finding(name, known, taken, ciliumnodes.after, nodes)


def _added(one: CiliumNode) -> set[str]:
    """The first addresses of interfaces that Cilium attached; the node's own one is left out."""
    return {interface.ip for interface in one.interfaces.values() if interface.ip and interface.number}


def _taken(devices: AgentDevices, added: set[str]) -> list[str]:
    return [
        f"{device.name} {address}"
        for device in devices.items
        for address in device.addresses
        if address.partition("/")[0] in added
    ]


def _finding(
    name: str, devices: AgentDevices, taken: list[str], ciliumnodes: CiliumNodes, nodes: Nodes | None
) -> Finding:
    node = nodes.get(name) if nodes else None
    image = node.status.node_info.os_image if node else ""
    addresses = ", ".join(one.split()[-1] for one in taken[:5])
    return finding(
        Severity.WARN,
        Ref("Node", name, node=name),
        f"Node {name} gave addresses to Cilium's interfaces: {taken[0]}",
        evidence=(
            devices.evidence("\n".join(taken[:5])),
            ciliumnodes.evidence(f"{name}: .status.eni.enis with {addresses}"),
        ),
        because_of=(Condition(ConditionKind.NODE_UNFIT, name),),
        alternatives=("Somebody set the addresses by hand: `networkctl list` shows who manages them.",),
        impact="replies of pods leave by the wrong interface" + (f"; the node runs {image}" if image else ""),
        last_seen=devices.taken_at,
        ongoing=Ongoing.YES,
        fixes=(_unmanaged(name),),
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

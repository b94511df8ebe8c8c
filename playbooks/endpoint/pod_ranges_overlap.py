"""Two nodes give pods addresses from the same range."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.ciliumnodes import CiliumNode, CiliumNodes
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, Step, capture, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_COLLECTED = timedelta(minutes=15)
"""The operator, or the owner that is gone, takes a CiliumNode away by then."""


@fault(
    "END016",
    step="addresses",
    cases=(Case("PODCIDR-overlap", proof="W", twin="the same CiliumNodes with ranges of their own"),),
)
def pod_ranges_overlap(ciliumnodes: CiliumNodes, nodes: Nodes | None) -> Iterator[Finding]:
    """Two nodes give pods addresses from the same range.

    Each node gives addresses from the ranges in its CiliumNode, and every other node sends what goes to such
    a range to that node. When two have the same range, one of them gets what was meant for the other, and
    two pods may have one address. It comes from ranges set by hand, from an operator that lost its state, or
    from a CiliumNode that was left behind by a node that is gone.
    """
    placed = sorted(_ranges(ciliumnodes), key=lambda one: (one[0].version, int(one[0].network_address)))
    widest: tuple[Network, CiliumNode] | None = None
    for network, node in placed:
        if widest is None or widest[0].version != network.version:
            widest = (network, node)
            continue
        if widest[0].overlaps(network) and widest[1].metadata.name != node.metadata.name:
            gone = _gone((widest[1], node), nodes)
            # A new node may get the range of one that has just gone, before its CiliumNode is taken away.
            if not gone or _lasts((widest[1], node), ciliumnodes):
                yield _finding(ciliumnodes, (widest, (network, node)), gone)
        if int(network.broadcast_address) > int(widest[0].broadcast_address):
            widest = (network, node)


def _ranges(ciliumnodes: CiliumNodes) -> Iterator[tuple[Network, CiliumNode]]:
    for node in ciliumnodes.items:
        for cidr in node.pod_cidrs:
            try:
                yield ipaddress.ip_network(cidr, strict=False), node
            except ValueError:
                # What is no range overlaps with none; its agent refuses it and says so.
                continue


def _gone(pair: tuple[CiliumNode, CiliumNode], nodes: Nodes | None) -> list[CiliumNode]:
    """Which of them belong to nodes that are not there any more."""
    known = {node.name for node in nodes.items} if nodes and not nodes.provenance.is_truncated else None
    return [node for node in pair if known and node.metadata.name not in known]


def _lasts(pair: tuple[CiliumNode, CiliumNode], ciliumnodes: CiliumNodes) -> bool:
    """Whether both have been there for long: the overlap is as old as the younger one."""
    return all(lasts(one.metadata.creation_timestamp, ciliumnodes.taken_at, _COLLECTED) for one in pair)


def _finding(
    ciliumnodes: CiliumNodes,
    pair: tuple[tuple[Network, CiliumNode], tuple[Network, CiliumNode]],
    gone: list[CiliumNode],
) -> Finding:
    (first, one), (second, other) = pair
    subjects = [node.ref for node in gone or (one, other)]
    names = f"{one.metadata.name} and {other.metadata.name}"
    return finding(
        Severity.ERROR,
        subjects,
        f"{subjects[0]}: nodes {names} have overlapping ranges, {first} and {second}",
        evidence=[
            ciliumnodes.evidence(f"{node.metadata.name}: .spec.ipam.podCIDRs {', '.join(node.pod_cidrs)}")
            for node in (one, other)
        ],
        impact=f"what is sent to pods in {second} goes to the wrong node",
        first_seen=max(
            (node.metadata.creation_timestamp for node in (one, other) if node.metadata.creation_timestamp),
            default=None,
        ),
        last_seen=ciliumnodes.taken_at,
        ongoing=Ongoing.YES,
        fixes=(_left(gone[0]) if gone else _anew(other),),
    )


def _left(gone: CiliumNode) -> Fix:
    name = gone.metadata.name
    return Fix.cure(
        f"Delete the CiliumNode {name}, whose node is gone.",
        why="Agents then forget that its range leads there.",
        risk=Risk.MEDIUM,
        steps=(_saved(name), step(f"Delete CiliumNode {name}.", kubectl("delete", "ciliumnode", name))),
        undo="Apply the saved manifest.",
        verify="Every range stands in one CiliumNode only.",
    )


def _anew(other: CiliumNode) -> Fix:
    name = other.metadata.name
    return Fix.cure(
        f"Give {name} a range of its own.",
        why="A node keeps the range that it has; only a new CiliumNode gets another.",
        risk=Risk.HIGH,
        steps=(
            _saved(name),
            step(f"Drain {name}.", kubectl("drain", name, "--ignore-daemonsets")),
            step(
                f"Delete CiliumNode {name}; its agent makes a new one.", kubectl("delete", "ciliumnode", name)
            ),
            step(f"Restart the agent of {name}, then uncordon the node.", kubectl("uncordon", name)),
        ),
        undo="Apply the saved manifest while the node is drained.",
        verify="Every range stands in one CiliumNode only.",
    )


def _saved(name: str) -> Step:
    return capture(
        f"Save the CiliumNode {name}.",
        kubectl("get", "ciliumnode", name, "-o", "yaml") + " > ciliumnode.yaml",
    )

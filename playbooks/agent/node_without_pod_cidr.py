"""A node has no range of addresses for its pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.ciliumnodes import CiliumNode, CiliumNodes
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Evidence, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault

_FULL = re.compile(r"full|exhaust|no (more|available|free)|not enough|out of", re.IGNORECASE)
_MODES = ("cluster-pool", "cluster-pool-v2beta", "kubernetes")


@fault(
    "AGT034",
    step="node",
    cases=(
        Case("NODE-cidr", proof="W", twin="the same CiliumNode with spec.ipam.podCIDRs"),
        Case("NODE-pool", proof="W", twin="the same CiliumNode without the operator's error"),
    ),
)
def node_without_pod_cidr(ciliumnodes: CiliumNodes, config: CiliumConfig, nodes: Nodes) -> Iterator[Finding]:
    """A node has no range of addresses for its pods.

    In cluster-pool mode the operator cuts a range for each node out of the pool and writes it into the
    CiliumNode; in kubernetes mode kube-controller-manager writes it into the Node. Without one the agent
    waits at its start, or cannot give an address to any pod. The pool is used up, or nobody hands out
    ranges.
    """
    mode = config.get("ipam", "cluster-pool")
    if mode not in _MODES:
        return
    for one in ciliumnodes.items:
        node = nodes.get(one.metadata.name)
        is_settled = lasts(one.metadata.creation_timestamp, ciliumnodes.taken_at, STARTING)
        if node is None or one.pod_cidrs or not is_settled:
            continue
        if mode == "kubernetes" and node.spec.pod_cidrs:
            # The agent copies it from the Node; that it has not is seen at the agent.
            continue
        is_full = bool(_FULL.search(one.complaint))
        proof = ciliumnodes.evidence(_excerpt(one))
        yield _finding(one, proof, mode, is_full=is_full)


def _excerpt(one: CiliumNode) -> str:
    said = f"; .status.ipam.operator-status.error: {one.complaint}" if one.complaint else ""
    return f"{one.metadata.name}: .spec.ipam.podCIDRs is empty{said}"


def _finding(one: CiliumNode, proof: Evidence, mode: str, *, is_full: bool) -> Finding:
    name = one.metadata.name
    who = "kube-controller-manager" if mode == "kubernetes" else "the operator"
    why = "the pool is used up" if is_full else one.complaint or f"{who} has given it none"
    return finding(
        Severity.ERROR,
        one.ref,
        f"{one.ref} has no PodCIDR: {why}",
        evidence=(proof,),
        asserts=(Condition(ConditionKind.IPAM_EXHAUSTED, name),),
        because_of=() if mode == "kubernetes" else (Condition(ConditionKind.OPERATOR_DOWN),),
        # A full pool stays full, whoever leads.
        stated_cause=one.complaint if is_full else "",
        impact=f"no pod on {name} gets an address",
        first_seen=one.metadata.creation_timestamp,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                "Add a range to the pool." if is_full else f"Get {who} to hand out ranges.",
                why="The node gets its range within seconds, and the agent goes on by itself.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "Count the ranges that are given out.",
                        kubectl(
                            *("get", "ciliumnodes", "-o"),
                            "custom-columns=NODE:.metadata.name,CIDRS:.spec.ipam.podCIDRs",
                        ),
                    ),
                    step(
                        "Add a range to clusterPoolIPv4PodCIDRList; never change one that is in use."
                        if mode != "kubernetes"
                        else "Start kube-controller-manager with --allocate-node-cidrs and a large range."
                    ),
                ),
                undo="Take the range out again while no node has it.",
                verify="The CiliumNode has podCIDRs.",
            ),
        ),
        same_as=f"{mode} {is_full}",
    )

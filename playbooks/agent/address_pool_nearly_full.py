"""A node has hardly an address left for new pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_POOL = re.compile(r"IPv([46]): (\d{1,40})/(\d{1,40}) allocated")
_NEARLY = 0.9
_FIXED = ("cluster-pool", "kubernetes", "cluster-pool-v2beta")
"""Modes in which a node's pool does not grow: there, nearly full says something."""


@fault(
    "AGT053",
    step="status",
    cases=(Case("EP-01", proof="W", twin="the same status with 16 of 254 addresses allocated"),),
)
def address_pool_nearly_full(
    status: OnNode[AgentStatus], agents: Agents, config: CiliumConfig | None
) -> Iterator[Finding]:
    """A node has hardly an address left for new pods.

    Each node hands out addresses of its own range. When it is used up, the next pod on this node stays in
    ContainerCreating, while the node looks well. In modes that fetch addresses on demand (ENI, Azure,
    multi-pool) a small reserve is normal, so only a pool with nothing left is told there.
    """
    ipam = status.fact.response.ipam
    for family, used, total in _POOL.findall(ipam.status) if ipam else ():
        share = int(used) / int(total) if int(total) else 0.0
        is_fixed = config is not None and config.get("ipam", "cluster-pool") in _FIXED
        if share < (_NEARLY if is_fixed else 1.0):
            continue
        is_empty = int(used) >= int(total)
        yield finding(
            Severity.INFO,
            Ref("Node", status.node, node=status.node),
            f"{used} of {total} IPv{family} addresses on {status.node} are used",
            evidence=(status.fact.evidence(f"IPAM: {ipam.status if ipam else ''}"),),
            asserts=(Condition(ConditionKind.IPAM_EXHAUSTED, status.node),) if is_empty else (),
            because_of=[Condition(ConditionKind.IPAM_EXHAUSTED, status.node, why) for why in ("", "leaked")],
            impact="the next pods on this node get no address" if is_empty else "",
            last_seen=status.fact.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    "Compare the allocated addresses with the pods that run on the node.",
                    why="More addresses than pods means that some were leaked; else the range is too small.",
                    risk=Risk.LOW,
                    steps=(
                        step(
                            "List the allocated addresses with their owners.",
                            agents.by_node[status.node].command("cilium-dbg", "status", "--verbose").command()
                            if status.node in agents.by_node
                            else "",
                        ),
                        step("Lower maxPods of the kubelet, or give new nodes a larger range."),
                    ),
                    undo="Nothing is changed by looking.",
                    verify="Fewer addresses are allocated than the range holds.",
                ),
            ),
            same_as=f"pool IPv{family} {is_empty}",
        )

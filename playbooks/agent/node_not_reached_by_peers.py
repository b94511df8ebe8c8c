"""Agents do not reach a node, or what runs on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.answer import GapKind
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health import AgentHealth
from playbooks.model.cilium.health_matrix import Sight, blind, sights
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import (
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Ref,
    Risk,
    Severity,
    Verdict,
    finding,
    step,
)
from playbooks.model.kube.nodes import Nodes
from playbooks.model.rule import Case, fault


@fault(
    "AGT074",
    step="peers",
    cases=(
        Case(
            "CN-01",
            proof="V",
            lines=(
                'Get "http://10.0.0.61:4240/hello": dial tcp 10.0.0.61:4240: connect: connection timed out',
            ),
            twin="the same probes without an error",
        ),
    ),
)
def node_not_reached_by_peers(healths: Fleet[AgentHealth], agents: Agents, nodes: Nodes) -> Iterator[Verdict]:
    """Agents do not reach a node, or what runs on it.

    Every agent probes every node by ICMP and HTTP, once at the node's own address and once at a health
    endpoint, which lies in the pod network like any pod. A silent node is down or cut off. A node that
    answers while its health endpoint does not is reached past the tunnel or the routes that pods need: the
    port of the overlay is blocked, or the agent there does not run. One probe that failed is nothing, so both
    protocols must fail, and for several observers where there are several.
    """
    if healths.facts and all(health.is_off for _, health in healths):
        yield NotApplicable("health checks are switched off (enable-health-checking)")
        return
    if doubt := healths.if_complete().doubt:
        yield doubt
    every = sights(healths, agents)
    cut_off = blind(every)
    by_target: dict[str, list[Sight]] = defaultdict(list)
    for one in every:
        if one.observer not in cut_off:
            by_target[one.target].append(one)
    for node in nodes.items:
        seen = by_target[node.name]
        lost = [one for one in seen if one.is_lost]
        # An observer that did not tell may have reached it: it counts as one that did.
        others = max(len(seen), _asked(healths) - len({*cut_off, node.name}))
        if lost and len(lost) * 2 >= others and (len(lost) > 1 or others == 1):
            yield _finding(node.name, seen, lost, healths)


def _asked(healths: Fleet[AgentHealth]) -> int:
    left_out = sum(gap.kind is GapKind.TOO_COSTLY for gap in healths.missing.values())
    return healths.total - left_out


def _finding(node: str, seen: list[Sight], lost: list[Sight], healths: Fleet[AgentHealth]) -> Finding:
    is_host = sum(one.is_host_lost for one in lost) * 2 >= len(lost)
    what = f"Node {node}" if is_host else f"the health endpoint on {node}"
    kinds = (
        ConditionKind.AGENT_DOWN,
        ConditionKind.AGENT_SILENT,
        ConditionKind.NODE_NOT_READY,
        ConditionKind.NODE_UNREACHABLE,
    )
    times = [healths.facts[one.observer].round_at for one in lost]
    return finding(
        Severity.WARN,
        Ref("Node", node, node=node),
        f"{what} is not reached by {len(lost)} of {len(seen)} agents that probed it",
        evidence=[
            healths.facts[one.observer].evidence(f"{one.observer} to {node}: {one.proof}") for one in lost[:5]
        ],
        asserts=(Condition(ConditionKind.NODE_UNREACHABLE, node),) if is_host else (),
        because_of=[Condition(kind, node) for kind in kinds],
        alternatives=(
            "The agent on the node does not run or hangs: its pod says so.",
            "A firewall drops TCP 4240 or ICMP between nodes.",
            *(() if is_host else ("UDP 8472 (VXLAN) or 6081 (Geneve) is blocked, or routes are missing.",)),
        ),
        impact="pods on other nodes may not reach pods on this node",
        last_seen=max((time for time in times if time), default=None),
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Open the way between {node} and the other nodes.",
                why="Agents probe again by themselves within minutes.",
                risk=Risk.LOW,
                steps=(
                    step("Look whether the node is there.", kubectl("get", "node", node, "-o", "wide")),
                    step(
                        "Look for packets of the overlay on both nodes.",
                        "tcpdump -n -i any 'udp port 8472 or udp port 6081 or tcp port 4240'",
                    ),
                    step("Open TCP 4240, ICMP, and the port of the overlay between all nodes."),
                ),
                undo="Close the ports again.",
                verify="The node is reached by all agents in cilium-health status.",
            ),
        ),
        same_as=f"not reached {is_host}",
    )

"""A node has no BGP session with a peer that it is to announce routes to."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.bgp import AgentBgpSessions, BgpSession
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import (
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Ref,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.rule import Case, fault

_SETTLED = 600
"""Seconds of running after which an agent has tried long enough: it tries again every two minutes."""
_TRYING = frozenset({"idle", "connect", "active", "opensent", "openconfirm"})


@fault(
    "SVC030",
    step="reach",
    cases=(
        Case("bgp-session-down", proof="W", twin="the same peer with an established session in one look"),
    ),
)
def bgp_session_down(
    config: CiliumConfig, sessions: Change[AgentBgpSessions], agents: Agents
) -> Iterator[Finding | NotApplicable]:
    """A node has no BGP session with a peer that it is to announce routes to.

    An agent with BGP opens a session with every peer that is configured for its node, and announces addresses
    of services and pods in it. Until the session is established the peer knows no way to them over this node.
    Both sides must agree on address, AS numbers, password and port; nothing in Kubernetes shows when they do
    not. Where a node has another session, the network may still know a way; where it has none, it does not.
    """
    if not config.is_on("enable-bgp-control-plane") or not sessions.after.is_on:
        yield NotApplicable("BGP is not switched on (enable-bgp-control-plane)")
        return
    node = sessions.after.provenance.node
    agent = agents.by_node.get(node)
    if agent is None or not agent.has_run_for(_SETTLED, sessions.after.taken_at):
        return
    before = {_key(one): one for one in sessions.before.items}
    for one in sessions.after.items:
        first = before.get(_key(one))
        if first and _is_down(first) and _is_down(one):
            yield _finding(one, first, node, agent, sessions)


def _key(one: BgpSession) -> tuple[str, int | None, int | None]:
    return one.peer_address, one.peer_asn, one.local_asn


def _is_down(one: BgpSession) -> bool:
    """Whether it says so: a state that is not told is none."""
    return bool(one.peer_address) and one.session_state.lower().replace("_", "") in _TRYING


def _finding(
    one: BgpSession, first: BgpSession, node: str, agent: Agent, sessions: Change[AgentBgpSessions]
) -> Finding:
    others = [other for other in sessions.after.items if other.is_established]
    peer = f"{one.peer_address} (AS {one.peer_asn or 'unknown'})"
    told = f'peer-address "{one.peer_address}", session-state "{{}}"'
    return finding(
        Severity.INFO if others else Severity.WARN,
        Ref("Node", node, node=node),
        f"{node} has no BGP session with {peer}: {one.session_state}",
        evidence=(
            sessions.before.evidence(told.format(first.session_state)),
            sessions.after.evidence(told.format(one.session_state)),
        ),
        because_of=(
            Condition(ConditionKind.NODE_UNREACHABLE, node),
            Condition(ConditionKind.NODE_NOT_READY, node),
        ),
        alternatives=(
            "The peer is not there, or does not listen for this node.",
            "Both sides disagree on AS numbers, address family or password.",
            "A firewall or a missing route between both: over other networks eBGP needs multihop.",
        ),
        impact=f"the peer learns nothing from {node}; {len(others)} other sessions of it are established"
        if others
        else f"no peer learns anything from {node}: what only it announces is not reached from outside",
        last_seen=sessions.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Compare both sides of the session with {one.peer_address}.",
                why="The agent tries again by itself as soon as both sides agree.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "Read what is configured for the node.",
                        kubectl("get", "ciliumbgpnodeconfigs", node, "-o", "yaml"),
                    ),
                    step(
                        "Look for what the agent says of the peer.",
                        agent.log(tail=5000).command() + " | grep -i bgp",
                    ),
                    step("Look at the same session on the router: its AS, its password, its log."),
                ),
                undo="Nothing is changed by looking.",
                verify="`cilium-dbg bgp peers` shows the session as established.",
            ),
        ),
        same_as=f"bgp {one.peer_address}",
    )

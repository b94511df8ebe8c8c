"""Addresses of a node belong to pods that are gone."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.address_pools import AddressPool, fullest, owners_of
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.restarting import restart_agent, sysdump
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_FEW = 3
"""So many may just be on their way back."""
_MANY = 0.1
"""A share of the range from which it will be missed."""


@fault(
    "END004",
    step="addresses",
    cases=(
        Case("EP-01-leak", proof="W", twin="the same addresses given to pods that are there"),
        Case("SCN-address-leak", proof="W", twin="the same cluster after the agent was made anew"),
    ),
    candidate=lambda status, pods: len(_leaked(status, pods)) >= _FEW,
)
def addresses_leaked(
    status: Change[AgentStatus], pods: Change[Pods], agents: Agents
) -> Iterator[Finding | CouldNotLook]:
    """Addresses of a node belong to pods that are gone.

    An address goes back when the CNI plug-in tells the agent that its pod is gone. Where that call is lost,
    since the agent was away or the runtime was killed, the agent keeps the address for nobody, and the node's
    range grows smaller and smaller. A new agent takes up only what pods that exist hold.
    """
    node = status.after.provenance.node
    if any(look.provenance.namespace or look.provenance.is_truncated for look in (pods.before, pods.after)):
        yield CouldNotLook("not all pods could be listed, so whose address is whose is not known")
        return
    before = _leaked(status.before, pods.before)
    leaked = {at: who for at, who in _leaked(status.after, pods.after).items() if before.get(at) == who}
    if len(leaked) < _FEW:
        return
    pool = fullest(status.after)
    shown = ", ".join(f"{at} ({who})" for at, who in sorted(leaked.items())[:5])
    yield finding(
        _severity(len(leaked), pool),
        Ref("Node", node, node=node),
        f"Node {node}: {len(leaked)} addresses belong to pods that are gone",
        evidence=(
            status.after.evidence(
                f"{shown}{' …' if len(leaked) > 5 else ''}; {pool.said if pool else ''}".strip("; ")
            ),
            pods.after.evidence(f"{len(pods.after.items)} pods, none of these names"),
        ),
        asserts=(Condition(ConditionKind.IPAM_EXHAUSTED, node, "leaked"),),
        because_of=(Condition(ConditionKind.AGENT_SILENT, node),),
        impact=f"{pool.said} are used, {len(leaked)} of them by nobody" if pool else "",
        first_seen=status.before.taken_at,
        last_seen=status.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=_fixes(node, agents.by_node.get(node)),
        same_as="leak",
    )


def _leaked(status: AgentStatus, pods: Pods) -> dict[str, str]:
    names = {(pod.metadata.namespace, pod.metadata.name) for pod in pods.items}
    return {at: "/".join(pod) for at, pod in owners_of(status).items() if pod not in names}


def _severity(count: int, pool: AddressPool | None) -> Severity:
    if pool is None:
        return Severity.INFO
    if pool.is_full:
        return Severity.ERROR
    return Severity.WARN if count >= _MANY * pool.total else Severity.INFO


def _fixes(node: str, agent: Agent | None) -> tuple[Fix, ...]:
    if agent is None:
        return ()
    verify = "The agent's status names only pods that exist, and fewer addresses."
    return (
        restart_agent(agent, why="A new agent takes up only what pods that exist hold.", verify=verify),
        Fix.cure(
            "Find out why the addresses were not given back.",
            why="Otherwise the range fills up again.",
            risk=Risk.LOW,
            steps=(
                sysdump(),
                step(
                    f"Read in the log of the runtime on {node} how the last of these pods ended.",
                    "journalctl -u containerd --since -2d | grep -i 'cilium-cni.*del'",
                ),
            ),
            undo="Nothing is changed by looking.",
            verify=verify,
        ),
    )

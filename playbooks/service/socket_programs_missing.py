"""The socket load balancer is on, and its programs are not where it needs them."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.bpf.attachments import CgroupPrograms
from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_HOOKS = {
    "connect4": ("connect4", "cgroup_inet4_connect"),
    "sendmsg4": ("sendmsg4", "cgroup_udp4_sendmsg"),
    "recvmsg4": ("recvmsg4", "cgroup_udp4_recvmsg"),
}
"""Hooks without which services are not translated, by what bpftool calls them, old and new."""
_STARTING = 120
_ROOT = "/run/cilium/cgroupv2"


@fault(
    "SVC015",
    step="replacement",
    cases=(Case("SV-10", proof="W", twin="the recorded list, which has all hooks"),),
)
def socket_programs_missing(
    programs: OnNode[CgroupPrograms] | None,
    replacement: OnNode[Replacement],
    config: CiliumConfig,
    agents: Agents,
) -> Iterator[Finding]:
    """The socket load balancer is on, and its programs are not where it needs them.

    It works by programs on the root of the host's cgroups, under which every process lives. An agent in a
    container that has a cgroup namespace of its own attaches them to a root that only looks like it: then
    processes of the host and pods elsewhere in the tree call ClusterIPs that nobody translates.
    """
    agent = agents.by_node.get(replacement.node)
    if programs is None or agent is None or not replacement.fact.socket_lb:
        return
    if programs.fact.provenance.is_truncated or not config.is_on("enable-ipv4", default=True):
        return
    if not agent.has_run_for(_STARTING, programs.fact.taken_at):
        return
    there = {one.attach_type for one in programs.fact.items}
    # Elsewhere than at Cilium's own mount, bpftool may see nothing but the cgroups of its container.
    if not there and _ROOT not in programs.fact.provenance.command:
        return
    missing = [hook for hook, names in _HOOKS.items() if not there.intersection(names)]
    if not missing:
        return
    node = replacement.node
    yield finding(
        Severity.ERROR,
        agent.pod.ref,
        f"{agent.pod.ref} says socket LB is on, but no program hangs on {', '.join(missing)}",
        evidence=(
            programs.fact.evidence(f"attached: {', '.join(sorted(there)) or 'nothing'}"),
            replacement.fact.evidence("Socket LB: Enabled"),
        ),
        because_of=(Condition(ConditionKind.NODE_UNFIT, node),),
        impact=f"processes of {node} reach no ClusterIP, or only some do",
        last_seen=programs.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=_fixes(agent, config),
        same_as=", ".join(missing),
    )


def _fixes(agent: Agent, config: CiliumConfig) -> tuple[Fix, ...]:
    return (
        restart_agent(
            agent,
            why="A new agent attaches its programs again.",
            verify="`bpftool cgroup tree /run/cilium/cgroupv2` lists connect4, sendmsg4 and recvmsg4.",
        ),
        Fix.cure(
            "Give the agents the root of the host's cgroups.",
            why="Only there do programs see every process of the node.",
            risk=Risk.MEDIUM,
            steps=(
                step(
                    "Set cgroup.autoMount, or name the host's mount in cgroup.hostRoot.",
                    helm_upgrade(
                        config.metadata.namespace,
                        "cgroup.autoMount.enabled=false",
                        "cgroup.hostRoot=/sys/fs/cgroup",
                    ),
                ),
            ),
            undo="Set the values from before again.",
            verify="A process of the host reaches a ClusterIP.",
        ),
    )

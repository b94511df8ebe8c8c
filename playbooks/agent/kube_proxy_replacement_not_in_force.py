"""Kube-proxy replacement is asked for, and the agent runs without it."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.node_configs import NodeConfigs
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.cilium.settings import asked, has_read
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Ongoing, Ref, Severity, finding
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault

_KEY = "kube-proxy-replacement"
_WANTED = ("true", "strict")
_NOT_IN_FORCE = ("false", "disabled", "partial", "probe")


@fault(
    "AGT064",
    step="configuration",
    cases=(Case("kpr-off", proof="W", twin="the same status with kube-proxy-replacement.mode True"),),
)
def kube_proxy_replacement_not_in_force(
    status: OnNode[AgentStatus],
    config: CiliumConfig,
    nodes: Nodes,
    agents: Agents,
    installation: Installation,
    daemon_sets: DaemonSets,
    overrides: NodeConfigs | None,
) -> Iterator[Finding]:
    """Kube-proxy replacement is asked for, and the agent runs without it.

    With the replacement, programs in the kernel translate the addresses of services. Where it is asked for,
    kube-proxy is usually gone: then NodePorts and, for pods without a socket load balancer, ClusterIPs of
    this node are served by nobody.
    """
    replacement, node = status.fact.response.kube_proxy_replacement, nodes.get(status.node)
    agent = agents.by_node.get(status.node)
    if replacement is None or node is None or agent is None:
        return
    wanted = asked(config, node, overrides, _KEY).lower()
    if wanted not in _WANTED or replacement.mode.lower() not in _NOT_IN_FORCE:
        return
    workload = daemon_sets.get(installation.workload)
    is_known_to_stand = workload is not None and not workload.is_rolling_out and overrides is not None
    yield finding(
        Severity.WARN if is_known_to_stand else Severity.INFO,
        agent.pod.ref,
        f"{_KEY} is asked for, but is {replacement.mode} on {status.node}",
        evidence=(
            config.evidence(f"{_KEY}: {wanted}"),
            status.fact.evidence(f"kube-proxy-replacement.mode: {replacement.mode}"),
        ),
        alternatives=(
            "The ConfigMap was written after this agent started, so the agent has not read it."
            if has_read(agent, config) is False
            else "The ConfigMap was changed after the agent started.",
        ),
        impact="without kube-proxy beside it, services are not served on this node",
        last_seen=status.fact.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title="Restart the agents so that they read the ConfigMap.",
                why="How services are served is decided at the start of the agent.",
                verify="The row KubeProxyReplacement of every agent's status says True.",
            ),
        ),
        same_as=f"{_KEY} {replacement.mode}",
    )

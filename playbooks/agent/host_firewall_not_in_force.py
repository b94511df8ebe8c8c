"""The host firewall is asked for, and the agent runs without it."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.node_configs import NodeConfigs
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.cilium.settings import TRUE, asked
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Ongoing, Ref, Severity, finding
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault

_KEY = "enable-host-firewall"


@fault(
    "AGT065",
    step="configuration",
    cases=(Case("host-firewall-off", proof="W", twin="the same status with host-firewall.mode Enabled"),),
)
def host_firewall_not_in_force(
    status: OnNode[AgentStatus],
    config: CiliumConfig,
    nodes: Nodes,
    agents: Agents,
    installation: Installation,
    daemon_sets: DaemonSets,
    overrides: NodeConfigs | None,
) -> Iterator[Finding]:
    """The host firewall is asked for, and the agent runs without it.

    Host policies are enforced by the program on the node's own devices, which the agent loads at its start.
    Without it, policies that select nodes are accepted, shown as valid, and do nothing.
    """
    firewall, node = status.fact.response.host_firewall, nodes.get(status.node)
    agent = agents.by_node.get(status.node)
    if firewall is None or node is None or agent is None or firewall.mode.lower() != "disabled":
        return
    wanted = asked(config, node, overrides, _KEY)
    if wanted.lower() not in TRUE:
        return
    workload = daemon_sets.get(installation.workload)
    is_known_to_stand = workload is not None and not workload.is_rolling_out and overrides is not None
    yield finding(
        Severity.WARN if is_known_to_stand else Severity.INFO,
        agent.pod.ref,
        f"{_KEY} is asked for, but the host firewall on {status.node} is off",
        evidence=(
            config.evidence(f"{_KEY}: {wanted}"),
            status.fact.evidence(f"host-firewall.mode: {firewall.mode}"),
        ),
        alternatives=("The ConfigMap was changed after the agent started.",),
        impact="policies that select nodes are not enforced here",
        last_seen=status.fact.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title="Restart the agents so that they read the ConfigMap, after reading the host policies.",
                why="The host's program is loaded at the agent's start; host policies then begin to act.",
                verify="The row Host firewall of every agent's status says Enabled.",
            ),
        ),
        same_as=_KEY,
    )

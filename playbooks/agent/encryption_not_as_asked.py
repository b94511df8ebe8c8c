"""Encryption is asked for, and the agent runs without it."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.node_configs import NodeConfigs
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.cilium.settings import TRUE, asked, has_read
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Ongoing, Ref, Severity, finding
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault

_MODES = {"enable-wireguard": "wireguard", "enable-ipsec": "ipsec"}


@fault(
    "AGT062",
    step="configuration",
    cases=(Case("encryption-off", proof="W", twin="the same status with encryption.mode Wireguard"),),
)
def encryption_not_as_asked(
    status: OnNode[AgentStatus],
    config: CiliumConfig,
    nodes: Nodes,
    agents: Agents,
    installation: Installation,
    daemon_sets: DaemonSets,
    overrides: NodeConfigs | None,
) -> Iterator[Finding]:
    """Encryption is asked for, and the agent runs without it.

    The agent sets encryption up at its start. One that started before the ConfigMap was changed goes on
    sending in the clear, and so does one whose node was told otherwise. Nothing fails: traffic flows, and
    only the status says that nobody encrypts it. Between nodes that disagree, traffic may break instead.
    """
    encryption, node = status.fact.response.encryption, nodes.get(status.node)
    wanted = [key for key in _MODES if asked(config, node, overrides, key).lower() in TRUE]
    agent = agents.by_node.get(status.node)
    if encryption is None or not encryption.mode or len(wanted) != 1 or node is None or agent is None:
        return
    if encryption.mode.lower() == _MODES[wanted[0]]:
        return
    workload = daemon_sets.get(installation.workload)
    is_known_to_stand = workload is not None and not workload.is_rolling_out and overrides is not None
    yield finding(
        Severity.WARN if is_known_to_stand else Severity.INFO,
        agent.pod.ref,
        f"{wanted[0]} is asked for, but encryption on {status.node} is {encryption.mode}",
        evidence=(
            config.evidence(f"{wanted[0]}: {asked(config, node, overrides, wanted[0])}"),
            status.fact.evidence(f"encryption.mode: {encryption.mode} {encryption.msg}".rstrip()),
        ),
        because_of=(Condition(ConditionKind.SECRET_MISSING),),
        stated_cause=encryption.msg,
        alternatives=_why_not(has_read(agent, config)),
        impact="traffic between nodes that should be encrypted is not",
        last_seen=status.fact.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title="Restart the agents so that they read the ConfigMap.",
                why="Encryption is set up once, at the start of the agent.",
                verify="The row Encryption of every agent's status names the mode that is asked for.",
            ),
        ),
        same_as=f"{wanted[0]} {encryption.mode}",
    )


def _why_not(has_read_it: bool | None) -> tuple[str, ...]:
    if has_read_it is False:
        return ("The ConfigMap was written after this agent started, so the agent has not read it.",)
    if has_read_it is None:
        return ("The ConfigMap was changed after the agent started: its start is older than the change.",)
    return ()

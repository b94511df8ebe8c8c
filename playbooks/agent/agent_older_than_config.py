"""The ConfigMap was written after agents started."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.cilium.settings import has_read, last_write
from playbooks.model.finding import Finding, Ongoing, Ref, Severity, finding
from playbooks.model.rule import Case, fault


@fault(
    "AGT069",
    step="configuration",
    cases=(Case("config-written-later", proof="W", twin="the same ConfigMap, written before they started"),),
)
def agent_older_than_config(
    config: CiliumConfig, agents: Agents, installation: Installation
) -> Iterator[Finding]:
    """The ConfigMap was written after agents started.

    What was written may be nothing but a label, or a value that acts only at the next start of an agent. It
    is worth knowing before anything restarts, and the first thing to look at after something did.
    """
    change = last_write(config)
    older = [node for node, agent in agents.by_node.items() if has_read(agent, config) is False]
    if not older or change is None or change.time is None:
        return
    yield finding(
        Severity.INFO,
        config.ref,
        f"{config.ref} was written after {len(older)} of {len(agents.by_node)} agents started",
        evidence=(
            config.evidence(f"metadata.managedFields: {change.manager} at {change.time:%Y-%m-%dT%H:%M:%SZ}"),
            *(
                agents.evidence(f"{agents.ref(node)} started at {agents.by_node[node].started_at}")
                for node in older[:3]
            ),
        ),
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",),
        owner=config.metadata.managed_by,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title="Restart the agents at a time of your choice, after reading what was changed.",
                why="A change that waits comes true at the worst time: when a node fails.",
                verify="Every agent started after the ConfigMap was last written.",
            ),
        ),
    )

"""Agents do not run with what the ConfigMap says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.node_configs import NodeConfigs
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.cilium.settings import TOGETHER, RunningSettings, Setting
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Ref, Severity, finding
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault


@fault(
    "AGT068",
    step="configuration",
    cases=(
        Case(
            "config-half-restarted",
            proof="W",
            twin="the same ConfigMap, and all agents started after it was written",
        ),
    ),
)
def config_drift(
    config: CiliumConfig,
    settings: Fleet[RunningSettings],
    agents: Agents,
    installation: Installation,
    daemon_sets: DaemonSets | None,
    nodes: Nodes | None,
    overrides: NodeConfigs | None,
) -> Iterator[Finding | CouldNotLook]:
    """Agents do not run with what the ConfigMap says.

    An agent reads cilium-config once, at its start. A change sleeps until the next restart and then comes
    true wherever a pod happens to be made anew: weeks later, on one node. As long as all agents hold the old
    value, nothing is wrong. When some started before and some after the change, and the key is one on which
    nodes must agree, they no longer fit together.
    """
    if doubt := settings.if_complete().doubt:
        yield doubt
    workload = daemon_sets.get(installation.workload) if daemon_sets else None
    is_standing = workload is not None and not workload.is_rolling_out
    is_standing = is_standing and nodes is not None and overrides is not None and settings.is_complete
    for key in sorted({item.key for _, fact in settings for item in fact.differing}):
        every = {node: item for node, fact in settings for item in fact.items if item.key == key}
        old = {node: item for node, item in every.items() if not item.is_same}
        new = [node for node, item in every.items() if item.is_same]
        is_split = key in TOGETHER and _is_before(agents, list(old), new)
        is_fault = is_standing and is_split and not any(item.is_overridden for item in every.values())
        yield _finding(config, agents, installation, old, new, is_fault=is_fault)


def _is_before(agents: Agents, old: list[str], new: list[str]) -> bool:
    """Whether every agent with the old value started before every one with the new value."""
    starts = [_started(agents, old), _started(agents, new)]
    return all(starts) and max(starts[0]) < min(starts[1])


def _started(agents: Agents, nodes: list[str]) -> list[datetime]:
    found = [agent.started_at for node in nodes if (agent := agents.by_node.get(node))]
    return [time for time in found if time] if None not in found else []


def _finding(
    config: CiliumConfig,
    agents: Agents,
    installation: Installation,
    old: dict[str, Setting],
    new: list[str],
    *,
    is_fault: bool,
) -> Finding:
    item = next(iter(old.values()))
    change = config.metadata.write_of(item.key)
    total = len(old) + len(new)
    return finding(
        Severity.WARN if is_fault else Severity.INFO,
        [config.ref, *(agents.ref(node) for node in old)],
        f"{item.key} is {item.wanted} in {config.ref}, but {item.running} in {len(old)} of {total} agents",
        evidence=(
            config.evidence(f"{item.key}: {item.wanted}"),
            *(one.proof for one in list(old.values())[:5]),
        ),
        impact="nodes that should agree on it do not" if is_fault else "it comes true with the next restart",
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",)
        if change and change.time
        else (),
        owner=config.metadata.managed_by,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title=f"Restart the agents, if {item.key}: {item.wanted} is what is wanted.",
                why="Every agent reads the ConfigMap at its start; until then chance decides where it holds.",
                verify="Every agent runs with what the ConfigMap says.",
            ),
        ),
    )

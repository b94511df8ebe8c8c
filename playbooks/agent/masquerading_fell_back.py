"""Masquerading in BPF is asked for, and iptables does it."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.node_configs import NodeConfigs
from playbooks.model.cilium.settings import TRUE, asked
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.rule import Case, fault

_KEY = "enable-bpf-masquerade"
_NEEDS_BPF = ("enable-egress-gateway", "enable-ipv4-egress-gateway", "enable-ip-masq-agent")
"""Features that only masquerading in BPF has."""


@fault(
    "AGT063",
    step="configuration",
    cases=(Case("masquerading-iptables", proof="W", twin="the same status with masquerading.mode BPF"),),
)
def masquerading_fell_back(
    status: OnNode[AgentStatus],
    config: CiliumConfig,
    nodes: Nodes,
    agents: Agents,
    overrides: NodeConfigs | None,
) -> Iterator[Finding]:
    """Masquerading in BPF is asked for, and iptables does it.

    Packets that leave the cluster get the node's address. The agent does this in BPF where it can, which
    needs its NodePort implementation; where it cannot, older versions fall back to iptables and only say so
    in one line of the log. Plain traffic leaves all the same. Egress gateways and the ip-masq-agent know only
    BPF: with them, the fallback is a fault.
    """
    masquerading, node = status.fact.response.masquerading, nodes.get(status.node)
    agent = agents.by_node.get(status.node)
    if masquerading is None or not masquerading.enabled or masquerading.mode.lower() != "iptables":
        return
    wanted = asked(config, node, overrides, _KEY)
    if wanted.lower() not in TRUE or not agent:
        return
    broken = [key for key in _NEEDS_BPF if asked(config, node, overrides, key).lower() in TRUE]
    yield finding(
        Severity.WARN if broken and overrides is not None else Severity.INFO,
        agent.pod.ref,
        f"{_KEY} is asked for, but iptables masquerades on {status.node}",
        evidence=(
            config.evidence(f"{_KEY}: {wanted}"),
            *(config.evidence(f"{key}: {asked(config, node, overrides, key)}") for key in broken),
            status.fact.evidence(f"masquerading.mode: {masquerading.mode}"),
        ),
        impact=f"{', '.join(broken)} does nothing on this node" if broken else "",
        last_seen=status.fact.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Give the agent what masquerading in BPF needs.",
                why="It uses the NodePort part of the kube-proxy replacement, on the devices that it knows.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        "Read why the agent fell back.",
                        agent.log(tail=5000).command() + " | grep -i masquerad",
                    ),
                    step(
                        "Turn on the kube-proxy replacement, if the line says that NodePort is missing.",
                        "helm upgrade cilium cilium/cilium -n kube-system --reuse-values "
                        "--set kubeProxyReplacement=true",
                    ),
                ),
                undo="Set the Helm value back.",
                verify="The row Masquerading of the agent's status begins with BPF.",
            ),
        ),
        same_as=_KEY,
    )

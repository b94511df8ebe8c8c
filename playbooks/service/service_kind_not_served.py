"""A kind of service is in use that nobody serves: not the agents, and kube-proxy is gone."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.replacement import (
    EXTERNAL_IPS,
    HOST_PORT,
    NODE_PORT,
    SESSION_AFFINITY,
    Replacement,
)
from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.proxies import proxy_pods
from playbooks.model.services.used import Used, used

_SWITCHES = {
    NODE_PORT: "nodePort.enabled=true",
    HOST_PORT: "hostPort.enabled=true",
    EXTERNAL_IPS: "externalIPs.enabled=true",
    SESSION_AFFINITY: "sessionAffinity=true",
}


@fault(
    "SVC026",
    step="replacement",
    cases=(Case("kind-not-served", proof="W", twin="the same status with that feature Enabled"),),
)
def service_kind_not_served(
    replacements: Fleet[Replacement], services: Services, pods: Pods, config: CiliumConfig
) -> Iterator[Finding]:
    """A kind of service is in use that nobody serves: not the agents, and kube-proxy is gone.

    Replacing kube-proxy means several things: ports of nodes and of hosts, external addresses, clients that
    stay with one backend. Older versions switch each on its own, and a kernel may lack what one of them
    needs. The agent then says that it replaces kube-proxy, and leaves that kind out.
    """
    if config.get("cni-chaining-mode") == "portmap":
        return
    proxied = {pod.spec.node_name for pod in proxy_pods(pods)}
    for feature, example in used(services, pods).items():
        lacking = [
            (node, fact)
            for node, fact in replacements
            if fact.is_on and fact.features.get(feature) is False and node not in proxied
        ]
        if lacking and feature in _SWITCHES:
            yield _finding(feature, example, lacking, len(replacements.facts), config)


def _finding(
    feature: str, example: Used, lacking: list[tuple[str, Replacement]], total: int, config: CiliumConfig
) -> Finding:
    node, fact = lacking[0]
    return finding(
        Severity.WARN,
        config.ref,
        f"{config.ref}: {len(lacking)} of {total} nodes do not serve {feature}, which is in use",
        evidence=(
            fact.evidence(f"{node}: {fact.said}, {feature}: Disabled"),
            example.proof,
        ),
        impact=f"{example.ref} and {example.count - 1} more do not work as asked on these nodes"
        if example.count > 1
        else f"{example.ref} does not work as asked on these nodes",
        last_seen=fact.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Switch {feature} on.",
                why="Agents read it when they start.",
                risk=Risk.MEDIUM,
                steps=(
                    sysdump(),
                    step(
                        f"Set the Helm value that switches {feature} on.",
                        helm_upgrade(config.metadata.namespace, _SWITCHES[feature]),
                    ),
                ),
                undo="Set the value from before again.",
                verify=f"`cilium-dbg status --verbose` says {feature}: Enabled on every node.",
            ),
        ),
        same_as=feature,
    )

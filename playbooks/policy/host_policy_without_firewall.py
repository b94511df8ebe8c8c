"""A policy selects nodes, and the host firewall that would enforce it is off."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.finding import Finding, Ongoing, Ref, Severity, finding
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.rule import Case, fault

_KEY = "enable-host-firewall"


@fault(
    "POL025",
    step="enforced",
    cases=(Case("host-policy", proof="W", twin="the same policy with enable-host-firewall on"),),
)
def host_policy_without_firewall(
    policies: WrittenPolicies, config: CiliumConfig, installation: Installation
) -> Iterator[Finding]:
    """A policy selects nodes, and the host firewall that would enforce it is off.

    Clusterwide policies with a `nodeSelector` act on the host endpoint. Its program enforces policies only
    with `enable-host-firewall`; without it such a policy is accepted, shown as valid, and does nothing.
    """
    for_nodes = [one for one in policies.items if one.is_for_nodes]
    if not for_nodes or config.is_on(_KEY):
        return
    refs = tuple(dict.fromkeys(one.policy for one in for_nodes))
    yield finding(
        Severity.WARN,
        refs,
        f"{refs[0]} is for nodes, but the host firewall is off: it does nothing",
        evidence=(
            policies.evidence(f"{refs[0]} {for_nodes[0].place}.nodeSelector: {for_nodes[0].selector}"),
            config.evidence(f"{_KEY}: {config.get(_KEY) or 'not set'}"),
        ),
        impact="nodes are open, whatever the policy says",
        last_seen=config.taken_at,
        ongoing=Ongoing.YES,
        owner=for_nodes[0].owner,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title="Set hostFirewall.enabled: true after an audit of the policy, and restart the agents.",
                why="The host's program is loaded at the agent's start; host policies then begin to act.",
                verify="The row Host firewall of every agent's status says Enabled.",
            ),
        ),
    )

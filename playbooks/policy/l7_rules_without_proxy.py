"""Rules on requests need the proxy, and the proxy is switched off."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.finding import Finding, Ongoing, Ref, Severity, finding
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Rule
from playbooks.model.rule import Case, fault

_KEY = "enable-l7-proxy"


@fault(
    "POL024",
    step="requests",
    cases=(Case("l7-without-proxy", proof="W", twin="the same policies with enable-l7-proxy on"),),
)
def l7_rules_without_proxy(
    policies: WrittenPolicies, config: CiliumConfig, installation: Installation
) -> Iterator[Finding]:
    """Rules on requests need the proxy, and the proxy is switched off.

    Rules on HTTP, Kafka and DNS are enforced by a proxy to which the datapath redirects the port. With
    `enable-l7-proxy: false` there is none: agents cannot realize the policy, and depending on the version
    its endpoints fail to regenerate, or the port is refused whole.
    """
    if config.is_on(_KEY, default=True):
        return
    rules = [rule for one in policies.items for rule in one.rules if rule.l7]
    if not rules:
        return
    named = tuple(dict.fromkeys(rule.policy for rule in rules))
    yield finding(
        Severity.ERROR,
        (config.ref, *named),
        f"{config.ref} switches the proxy off that rules on requests of {len(named)} policies need",
        evidence=(
            config.evidence(f"{_KEY}: {config.get(_KEY)}"),
            policies.evidence("\n".join(f"{rule.policy} {rule.place}: {_kinds(rule)}" for rule in rules[:5])),
        ),
        impact="these policies are not enforced as written: whole ports are refused, or nothing changes",
        last_seen=config.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title=f"Set {_KEY}: true with Helm (l7Proxy: true), and restart the agents.",
                why="The agent starts its proxies only when it starts itself.",
                verify="The row Proxy Status of the agents' status counts redirects.",
            ),
        ),
    )


def _kinds(rule: Rule) -> str:
    kinds = [name for l7 in rule.l7 for name in ("http", "kafka", "dns") if getattr(l7, name)]
    return ", ".join(dict.fromkeys(kinds)) or "a parser of its own"

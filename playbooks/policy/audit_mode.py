"""Policies are only written down and not enforced: audit mode is on."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_KEY = "policy-audit-mode"


@fault(
    "POL016",
    step="enforced",
    cases=(Case("PO-14", proof="W", twin="the same endpoints with their policy enabled without audit"),),
)
def audit_mode(
    fleet: Fleet[AgentEndpoints],
    config: CiliumConfig,
    agents: Agents,
    pods: Pods | None,
    published: ClusterEndpoints | None,
) -> Iterator[Finding]:
    """Policies are only written down and not enforced: audit mode is on.

    In audit mode the datapath lets pass what policy refuses and tells it as `AUDITED`. It is switched for
    all agents (`policy-audit-mode`) or for one endpoint, to see what a policy would refuse before it does;
    forgotten, it leaves pods open that look protected. Rules on requests may be enforced all the same.
    """
    audited: dict[Ref, AgentEndpoints] = {}
    for node, fact in fleet:
        for one in fact.items:
            if one.realized and one.realized.is_audit:
                audited[endpoint_ref(one, node, pods, published)] = fact
    if not audited:
        return
    is_everywhere = config.is_on(_KEY)
    refs = [config.ref] if is_everywhere else list(audited)
    first, fact = next(iter(audited.items()))
    evidence = [fact.evidence(f"{first}: policy-enabled begins with audit-")]
    if is_everywhere:
        evidence.append(config.evidence(f"{_KEY}: {config.get(_KEY)}"))
    what = "every agent" if is_everywhere else f"{len(audited)} endpoints" if len(audited) > 1 else "it"
    yield finding(
        Severity.WARN,
        refs,
        f"{refs[0]}: audit mode is on for {what}, and policies refuse nothing there",
        evidence=evidence,
        impact=f"{len(audited)} endpoints with policies let pass what these refuse",
        last_seen=fact.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by if is_everywhere else "",
        fixes=(_everywhere() if is_everywhere else _one(first, agents),),
    )


def _everywhere() -> Fix:
    return Fix.cure(
        "Switch audit mode off for all agents.",
        why="Only then policies refuse what no rule admits.",
        risk=Risk.HIGH,
        steps=(
            step("Look what would be refused.", "hubble observe --verdict AUDIT"),
            step("Switch audit mode off, after rules for all that is wanted.", "policyAuditMode: false"),
        ),
        undo="Set policyAuditMode: true again.",
        verify="`cilium-dbg endpoint list` shows Enabled without Audit.",
    )


def _one(ref: Ref, agents: Agents) -> Fix:
    agent = agents.by_node.get(ref.node)
    change = ("cilium-dbg", "endpoint", "config", "ENDPOINT_ID", "PolicyAuditMode=Disabled")
    return Fix.cure(
        f"Switch audit mode off for {ref}.",
        why="Only then its policies refuse what no rule admits.",
        risk=Risk.HIGH,
        steps=(
            step("Look what would be refused.", "hubble observe --verdict AUDIT"),
            step(
                "Switch audit mode off for the endpoint, by its number on the node.",
                agent.command(*change).command() if agent else " ".join(change),
            ),
        ),
        undo="Set PolicyAuditMode=Enabled for the endpoint again.",
        verify="`cilium-dbg endpoint list` shows Enabled without Audit.",
    )

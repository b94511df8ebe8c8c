"""Agents enforce no policy at all, or refuse what no policy selects."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import restart_agents
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Ongoing, Ref, Severity, finding
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, told
from playbooks.model.rule import Case, fault

_KEY = "enable-policy"


@fault(
    "POL027",
    step="enforced",
    cases=(Case("enforcement-never", proof="W", twin="the same policies with enable-policy: default"),),
)
def enforcement_switched(
    policies: WrittenPolicies,
    config: CiliumConfig,
    installation: Installation,
    pods: LabelledPods | None,
    refused: Fleet[RefusedFlows],
) -> Iterator[Finding]:
    """Agents enforce no policy at all, or refuse what no policy selects.

    `enable-policy` says when agents enforce: with `default` where a policy selects an endpoint, with `never`
    nowhere, whatever is written, and with `always` everywhere, so that a pod without any policy refuses
    everything. `never` beside policies leaves open what looks protected; `always` is a choice that explains
    refusals which no policy does, and a fault where pods without a policy are seen to refuse their callers.
    """
    mode = config.get(_KEY, "default").strip().lower()
    if mode not in ("never", "always") or (mode == "never" and not policies.items):
        return
    named = tuple(dict.fromkeys(one.policy for one in policies.items))
    is_never = mode == "never"
    drops = [] if is_never or pods is None else _unasked(policies, pods, refused)
    what = f"none of {len(named)} policies is enforced" if is_never else "pods without a policy refuse all"
    yield finding(
        Severity.ERROR if drops else Severity.WARN if is_never else Severity.INFO,
        config.ref,
        f"{config.ref} has {_KEY}: {mode}, so {what}",
        evidence=(
            config.evidence(f"{_KEY}: {mode}"),
            policies.evidence(", ".join(map(str, named[:5])) or "no policy"),
            *(drop.evidence() for drop in drops[-1:]),
        ),
        impact="every pod is open"
        if is_never
        else f"pods without a policy refuse; {told(drops)}"
        if drops
        else "only what rules admit passes, for all pods",
        last_seen=config.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            restart_agents(
                installation.workload or Ref("DaemonSet", "cilium", installation.namespace),
                title="Set policyEnforcementMode: default with Helm, and restart the agents.",
                why="Agents read the mode when they start; then policies act where they select endpoints.",
                verify="`cilium-dbg endpoint list` shows Enabled where policies select pods.",
            ),
        ),
    )


def _unasked(policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]) -> list[Refusal]:
    """What pods refused in a direction that no policy closes."""
    if not policies.is_complete:
        return []
    return [
        drop
        for drop in refusals(refused)
        if (pod := pods.by_name.get(drop.pod)) and not policies.denying_by_default(pod.labels, drop.direction)
    ]

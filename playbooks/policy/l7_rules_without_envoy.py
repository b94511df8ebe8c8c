"""Rules on requests need Envoy, and no Envoy runs."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Rule
from playbooks.model.rule import Case, fault

_LABELS = {"k8s-app": "cilium-envoy"}
_KEY = "external-envoy-proxy"


@fault(
    "POL033",
    step="requests",
    cases=(Case("l7-without-envoy", proof="W", twin="the same rule without what it says of requests"),),
)
def l7_rules_without_envoy(
    policies: WrittenPolicies,
    pods: LabelledPods,
    config: CiliumConfig,
    installation: Installation,
    daemon_sets: DaemonSets,
) -> Iterator[Finding | CouldNotLook]:
    """Rules on requests need Envoy, and no Envoy runs.

    Rules on HTTP, and all others on requests but DNS, are enforced by Envoy; the agent's own proxy knows DNS
    only. With `external-envoy-proxy: true` agents leave Envoy to a DaemonSet of its own. Where it was not
    installed, the port of such a rule is led to a proxy that is not there: nothing passes it, or the
    endpoints of the policy cannot be regenerated.
    """
    if not config.is_on(_KEY) or not config.is_on("enable-l7-proxy", default=True):
        return
    if any(one.spec.template.metadata.has_labels(_LABELS) for one in daemon_sets.items):
        return
    rules = [
        rule
        for one in policies.items
        if any(True for _ in pods.selected_by(one))
        for rule in one.rules
        if any(l7.http or l7.kafka or l7.l7proto for l7 in rule.l7)
    ]
    whole = daemon_sets.provenance
    if rules and (whole.is_truncated or whole.namespace not in ("", installation.namespace)):
        yield CouldNotLook(f"the DaemonSets of {installation.namespace} could not all be read")
        return
    if rules:
        yield _finding(rules, policies, config, daemon_sets)


def _finding(
    rules: list[Rule], policies: WrittenPolicies, config: CiliumConfig, daemon_sets: DaemonSets
) -> Finding:
    refs = tuple(dict.fromkeys(rule.policy for rule in rules))
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]} has rules on requests, and no Envoy runs that would enforce them",
        evidence=(
            policies.evidence("\n".join(f"{rule.policy} {rule.place}" for rule in rules[:5])),
            config.evidence(f"{_KEY}: {config.get(_KEY)}"),
            daemon_sets.evidence("no DaemonSet with k8s-app=cilium-envoy"),
        ),
        asserts=dict.fromkeys(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in refs),
        impact="what these rules are to admit does not pass at their ports",
        last_seen=policies.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Take the rules on requests out of {refs[0]}.",
                why="Without them the port is enforced by the datapath alone.",
                risk=Risk.MEDIUM,
                steps=(step(f"Correct {rules[0].place} in the manifest of {refs[0]}, and apply it."),),
                undo="Apply the manifest as it was.",
                verify="Connections to the port pass again.",
            ),
            Fix.cure(
                "Install Envoy.",
                why="Agents hand their listeners to it as soon as it runs.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        "Set the Helm value that installs Envoy's DaemonSet.",
                        helm_upgrade(config.metadata.namespace, "envoy.enabled=true"),
                    ),
                ),
                undo="Set the value from before again.",
                verify="The pods of the DaemonSet cilium-envoy are ready on every node.",
            ),
        ),
    )

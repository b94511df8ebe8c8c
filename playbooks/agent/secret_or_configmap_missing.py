"""An agent does not start since a Secret or ConfigMap that its pod needs is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, helm_upgrade
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, agents_standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.missing import Missing, missing_object
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_IPSEC = "cilium-ipsec-keys"
_HELD = (Standing.UNCREATED, Standing.UNSTARTED, Standing.STARTING, Standing.IN_INIT)


@fault(
    "AGT009",
    step="running",
    cases=(
        Case("AG-09", proof="W", twin="the same pod after the Secret was created: it is ready"),
        Case("MISSING-configmap", proof="W", twin="the same pod with its ConfigMap: it is ready"),
    ),
)
def secret_or_configmap_missing(
    agents: Agents, pods: Pods, warnings: Warnings | None, config: CiliumConfig | None
) -> Iterator[Finding]:
    """An agent does not start since a Secret or ConfigMap that its pod needs is missing.

    A pod can only mount objects of its own namespace, so one that exists elsewhere is missing all the same:
    `MountVolume.SetUp failed for volume`, `secret not found`.
    IPsec is the usual case: the chart mounts the Secret with the keys as soon as encryption is on, but it
    does not create it.
    """
    found: dict[tuple[Ref, str], list[tuple[Agent, Missing]]] = defaultdict(list)
    for agent in agents_standing(agents, *_HELD):
        missing = missing_object(agent.pod, pods, warnings)
        # An init container tells of what it missed when it ended; what was read since is there.
        is_over = bool(config and missing and missing.ref == config.ref and agent.pod.stuck_init)
        if missing and not is_over:
            found[missing.ref, missing.key].append((agent, missing))
    for (ref, key), same in found.items():
        yield _finding(ref, key, same)


def _finding(ref: Ref, key: str, same: list[tuple[Agent, Missing]]) -> Finding:
    agent, missing = same[0]
    nodes = [agent.node for agent, _ in same]
    what = f"lacks the key {key}" if key else "does not exist"
    return finding(
        Severity.ERROR,
        ref,
        f"{ref} {what}, so {len(nodes)} agent{'s' if len(nodes) > 1 else ''} cannot start",
        evidence=[missing.proof for _, missing in same[:3]],
        asserts=(
            *(Condition(ConditionKind.AGENT_DOWN, node) for node in nodes),
            *(Condition(ConditionKind.SECRET_MISSING, node) for node in nodes),
            Condition(ConditionKind.SECRET_MISSING),
        ),
        stated_cause=missing.said,
        impact=f"no agent on {', '.join(nodes[:5])}: new pods, policies and DNS rules wait there",
        first_seen=agent.pod.status.start_time,
        ongoing=Ongoing.YES,
        fixes=(_fix(ref, key, agent),),
    )


def _fix(ref: Ref, key: str, agent: Agent) -> Fix:
    plural = "secrets" if ref.kind == "Secret" else "configmaps"
    make = kubectl("create", "-n", ref.namespace, "secret", "generic", _IPSEC) + (
        ' --from-literal=keys="3+ rfc4106(gcm(aes)) '
        '$(dd if=/dev/urandom count=20 bs=1 2>/dev/null | xxd -p -c 64) 128"'
    )
    by_name = ("--field-selector", f"metadata.name={ref.name}")
    return Fix.cure(
        f"Create {ref}{f' with the key {key}' if key else ''}.",
        why="Kubelet mounts it by itself as soon as it is there, and the agent starts.",
        risk=Risk.LOW,
        steps=(
            described(agent.pod),
            step("Look whether it exists in another namespace.", kubectl("get", plural, "-A", *by_name)),
            step("Create the keys for IPsec.", make)
            if ref.name == _IPSEC
            else step("Let the chart make it again, from the values in force.", helm_upgrade(ref.namespace)),
        ),
        undo=f"Delete {ref}.",
        verify=f"{kubectl('-n', ref.namespace, 'get', plural, ref.name)} shows it, and the agent is ready.",
    )

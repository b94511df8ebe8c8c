"""The ConfigMap holds a value with which no agent starts."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.knowledge.option_values import likely
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.down import OPERATOR
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, capture, finding, step
from playbooks.model.rule import Case, fault

_ALLOWED: dict[str, frozenset[str]] = {
    "bpf-lb-acceleration": frozenset({"disabled", "native", "generic", "best-effort", "testing-only"}),
    "bpf-lb-algorithm": frozenset({"random", "maglev"}),
    "bpf-lb-dsr-dispatch": frozenset({"opt", "ipip", "geneve"}),
    "bpf-lb-mode": frozenset({"snat", "dsr", "hybrid"}),
    "datapath-mode": frozenset({"veth", "netkit", "netkit-l2", "auto", "lb-only", "ipvlan"}),
    "enable-policy": frozenset({"default", "always", "never"}),
    "identity-allocation-mode": frozenset(
        {"crd", "kvstore", "doublewrite-readkvstore", "doublewrite-readcrd"}
    ),
    "kube-proxy-replacement": frozenset({"true", "false", "strict", "partial", "probe", "disabled"}),
    "routing-mode": frozenset({"tunnel", "native"}),
    "tunnel-protocol": frozenset({"vxlan", "geneve"}),
}
"""What any version from 1.14 on accepts, in lower case: a value beside these is refused by all."""


@fault(
    "AGT070",
    step="configuration",
    cases=(Case("config-refused-later", proof="W", twin="the same ConfigMap with a value of the list"),),
)
def config_value_no_agent_accepts(config: CiliumConfig, agents: Agents) -> Iterator[Finding]:
    """The ConfigMap holds a value with which no agent starts.

    Neither Kubernetes nor the agent's init containers check the values of cilium-config. The agents that run
    read it before and go on; the next one that starts, on a new node or after a drain, refuses the value and
    ends. Found now, it is a typing error; found then, it is an outage that spreads with every restart.
    """
    for key, allowed in _ALLOWED.items():
        value = config.get(key).strip()
        if not value or value.lower() in allowed:
            continue
        yield finding(
            Severity.WARN,
            config.ref,
            f"{config.ref} has {key}: {value}, with which no agent starts",
            evidence=(config.evidence(f"{key}: {value}"),),
            because_of=[
                *(Condition(ConditionKind.AGENT_CONFIG_REFUSED, where) for where in ("", *agents.by_node)),
                Condition(ConditionKind.AGENT_CONFIG_REFUSED, detail=OPERATOR),
            ],
            impact="every agent that starts from now on ends at once",
            last_seen=config.taken_at,
            ongoing=Ongoing.YES,
            changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",)
            if (change := config.metadata.write_of(key))
            else (),
            owner=config.metadata.managed_by,
            fixes=(
                Fix.cure(
                    f"Set {key} to {likely(key, value) or 'a value that agents accept'}.",
                    why=f"Agents accept {', '.join(sorted(allowed))}.",
                    risk=Risk.LOW,
                    steps=(
                        capture(
                            f"Save {config.ref} as it is.",
                            kubectl(
                                *("-n", config.metadata.namespace, "get", "configmap"),
                                *(config.metadata.name, "-o", "yaml"),
                            )
                            + " > cilium-config.yaml",
                        ),
                        step(
                            f"Change {key} where {config.ref} comes from, or in place.",
                            kubectl(
                                "-n", config.metadata.namespace, "edit", "configmap", config.metadata.name
                            ),
                        ),
                    ),
                    undo="Apply the saved ConfigMap.",
                    verify="An agent that is restarted becomes ready.",
                ),
            ),
        )

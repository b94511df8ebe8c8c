"""The operator's Deployment asks for no replica."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.workloads import Deployments
from playbooks.model.rule import Case, fault


@fault(
    "AGT020",
    step="operator",
    cases=(
        Case("LAB-11", proof="R", twin="LAB-11 with spec.replicas 1 and the pod that healthy has"),
        Case("AG-04", proof="W", twin="the practice world with the operator scaled to one"),
    ),
)
def operator_scaled_to_zero(installation: Installation, deployments: Deployments) -> Iterator[Finding]:
    """The operator is scaled to zero.

    Nothing fails at once: agents allocate identities themselves and the datapath goes on. What stops is the
    garbage collection of identities, endpoints and nodes, PodCIDRs for new nodes, and the registration of
    CRDs, so that agents of a new installation or version wait for ever. `cilium status` calls it OK, since
    zero of zero replicas are available.
    """
    operator = deployments.labelled("io.cilium/app", "operator", installation.namespace)
    if operator is None or operator.wanted > 0:
        return
    change = operator.metadata.last_change
    yield finding(
        Severity.ERROR,
        operator.ref,
        f"{operator.ref} is scaled to zero: nobody is the operator",
        evidence=(deployments.evidence(f".spec.replicas: {operator.spec.replicas}"),),
        asserts=(Condition(ConditionKind.OPERATOR_DOWN),),
        first_seen=change.time if change else None,
        last_seen=deployments.taken_at,
        ongoing=Ongoing.YES,
        impact="no garbage collection, no PodCIDR for new nodes, no CRD registration; traffic goes on",
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=operator.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Scale the operator back to one replica (two in production).",
                why="The Deployment asks for none, so Kubernetes starts none.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Scale {operator.ref}.",
                        kubectl(
                            *("-n", operator.metadata.namespace, "scale", "deployment"),
                            *(operator.metadata.name, "--replicas=1"),
                        ),
                    ),
                ),
                undo="Scale it to zero again.",
                verify="The lease cilium-operator-resource-lock has a holder and is renewed.",
            ),
        ),
    )

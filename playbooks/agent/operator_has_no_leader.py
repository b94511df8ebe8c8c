"""No operator leads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.leading import LOCK, Leading, lease_of
from playbooks.model.cilium.operator import Operator
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    CouldNotLook,
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Ref,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.kube.leases import Lease, Leases
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

_TAKING = timedelta(minutes=2)
"""What an operator needs to take the lease after its start."""
_SAID = {
    Leading.ABSENT: "does not exist",
    Leading.RELEASED: "has no holder",
    Leading.STALE: "is not renewed",
}


@fault(
    "AGT024",
    step="operator",
    cases=(
        Case("LAB-11", proof="R", twin="LAB-11 with the lease that healthy has"),
        Case("LEASE-stale", proof="W", twin="the same lease, renewed seconds ago"),
    ),
)
def operator_has_no_leader(
    operator: Operator, leases: Leases
) -> Iterator[Finding | CouldNotLook | NotApplicable]:
    """No operator leads.

    Of all replicas one works, the one that holds the lease; it renews it every few seconds. A lease that is
    gone or not renewed means that no operator works, even where pods of it are ready: they wait for a lease
    that they may not write, or hang.
    """
    if operator.deployment is None and not operator.pods:
        yield NotApplicable("there is no operator in this cluster")
        return
    state, lease = lease_of(leases)
    if state is Leading.RENEWED:
        return
    if leases.provenance.is_truncated:
        yield CouldNotLook("the list of leases was cut")
        return
    started = [pod.status.start_time for pod in operator.ready]
    if operator.ready and not any(lasts(start, operator.taken_at, _TAKING) for start in started):
        return
    yield _finding(operator, leases, state, lease)


def _finding(operator: Operator, leases: Leases, state: Leading, lease: Lease | None) -> Finding:
    ref = lease.ref if lease else Ref("Lease", LOCK, operator.namespace)
    renewed = lease.spec.renew_time if lease else None
    holder = lease.spec.holder_identity if lease else ""
    excerpt = f"holderIdentity {holder}, renewTime {renewed}" if lease else f"no lease {LOCK}"
    return finding(
        Severity.WARN,
        ref,
        f"{ref} {_SAID[state]}: no operator leads",
        evidence=(
            leases.evidence(excerpt),
            operator.evidence(f"{len(operator.ready)} of {len(operator.pods)} operator pods are ready"),
        ),
        asserts=(Condition(ConditionKind.OPERATOR_DOWN),) if operator.ready else (),
        because_of=() if operator.ready else (Condition(ConditionKind.OPERATOR_DOWN),),
        alternatives=(
            "The operator may not write its lease: its log says forbidden.",
            "The operator hangs, or does not reach the API server: its log has stopped or says so.",
        )
        if operator.ready
        else (),
        impact="no garbage collection, no PodCIDR for new nodes, no CRD registration; traffic goes on",
        first_seen=renewed,
        last_seen=leases.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                "Get an operator to run; it takes the lease by itself.",
                why="A replica that waits takes over as soon as the lease has run out.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "Look at the operator's pods.",
                        kubectl("-n", operator.namespace, "get", "pods", "-l", "io.cilium/app=operator"),
                    ),
                    step(
                        "Read the lease.",
                        kubectl("-n", operator.namespace, "get", "lease", LOCK, "-o", "yaml"),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify="renewTime of the lease moves every few seconds.",
            ),
        ),
    )

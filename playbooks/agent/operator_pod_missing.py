"""The operator has no pod that could run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from playbooks.model.cilium.agent_steps import described, helm_upgrade
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.leading import Leading, lease_of
from playbooks.model.cilium.operator import Operator
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    CouldNotLook,
    Evidence,
    Finding,
    Fix,
    Ongoing,
    Ref,
    Risk,
    Severity,
    Step,
    finding,
    step,
)
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.leases import Leases
from playbooks.model.kube.missing import missing_account
from playbooks.model.kube.pods import Pod
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault
from playbooks.model.text import Text

_REFUSED = timedelta(seconds=20)
"""What a scheduler, and a pod that ends, need at most where there is a node that fits."""
_HOSTED = ("gke", "aks")
"""Providers that may run the operator outside of the cluster."""


@fault(
    "AGT023",
    step="operator",
    cases=(
        Case("OPERATOR-deleted", proof="W", twin="the same cluster with Deployment and pod of the operator"),
        Case("OPERATOR-pending", proof="W", twin="the same pod, scheduled and ready"),
        Case("OPERATOR-refused", proof="W", twin="the same Deployment with its pod"),
    ),
)
def operator_pod_missing(
    operator: Operator, installation: Installation, leases: Leases | None, warnings: Warnings | None
) -> Iterator[Finding | CouldNotLook]:
    """The operator has no pod that could run.

    The Deployment is gone, its pods are refused, or no node takes them. Two replicas refuse to share a node,
    so that on a cluster of one node one of them waits for ever, which harms nobody.
    """
    pending = [pod for pod in operator.pods if _is_pending(pod, operator)]
    if pending:
        yield _of_pending(operator, pending[0])
    if operator.pods or (operator.deployment and not operator.deployment.wanted):
        return
    if not operator.sure:
        yield CouldNotLook("not all Deployments and pods of Cilium's namespace could be read")
    elif operator.deployment:
        if lasts(operator.deployment.metadata.creation_timestamp, operator.taken_at, STARTING):
            yield _of_none(operator, warnings)
    elif installation.provider in _HOSTED:
        return
    elif leases is None:
        yield CouldNotLook("whether the operator runs elsewhere is not known: its lease could not be read")
    elif lease_of(leases)[0] is not Leading.RENEWED:
        yield _of_deleted(operator, leases)


def _is_pending(pod: Pod, operator: Operator) -> bool:
    if operator.standing(pod) is not Standing.UNSCHEDULED:
        return False
    # What a scheduler refused for want of a node that fits is refused until something else changes, unless
    # the pod that it replaces is still going.
    refused = pod.condition_of("PodScheduled")
    is_alone = not operator.ready and not any(one.is_going for one in operator.pods)
    waits = _REFUSED if is_alone and refused and refused.reason == "Unschedulable" else STARTING
    return lasts(pod.metadata.creation_timestamp, operator.taken_at, waits)


def _of_pending(operator: Operator, pod: Pod) -> Finding:
    scheduled = pod.condition_of("PodScheduled")
    said = f"{scheduled.reason}: {scheduled.message}" if scheduled else "not scheduled"
    return _finding(
        operator,
        f"its pod cannot be scheduled: {scheduled.message if scheduled else ''}",
        (operator.evidence(f"{pod.metadata.name}: PodScheduled False {said}"),),
        "Make room for the operator, or let it tolerate the nodes' taints.",
        (described(pod), step("Let it tolerate every taint.", helm_upgrade(operator.namespace, _TOLERATE))),
        first=pod,
    )


_TOLERATE = "operator.tolerations[0].operator=Exists"


def _of_none(operator: Operator, warnings: Warnings | None) -> Finding:
    name = operator.ref.name
    refused = [
        warnings.evidence(event.excerpt)
        for event in (warnings.items if warnings else ())
        if warnings
        and event.reason == "FailedCreate"
        and event.involved_object.kind == "ReplicaSet"
        and event.involved_object.name.startswith(f"{name}-")
    ]
    wanted = operator.deployment.wanted if operator.deployment else 0
    account = _account(operator, warnings)
    if account:
        return _finding(
            operator,
            f"{account} does not exist, so its pod is refused",
            refused[:1],
            f"Create {account} again, from the values in force.",
            (step("Let the chart make it again.", helm_upgrade(operator.namespace)),),
            subject=account,
        )
    return _finding(
        operator,
        "its pod is refused" if refused else "it has no pod",
        (*refused[:1], operator.evidence(f"no pod of {operator.ref}; .spec.replicas: {wanted}")),
        "Read why the pod is not made: quota, admission, or the controller itself.",
        (step("Read its events.", kubectl("-n", operator.namespace, "describe", "deployment", name)),),
    )


def _account(operator: Operator, warnings: Warnings | None) -> Ref | None:
    """The ServiceAccount of the pods, if it is what they were refused for."""
    deployment = operator.deployment
    name = deployment.spec.template.spec.service_account_name if deployment else ""
    for event in warnings.items if warnings else ():
        about = event.involved_object
        if about.kind == "ReplicaSet" and about.name.startswith(f"{operator.ref.name}-"):
            found = missing_account(event.text, operator.namespace)
            if found and found.name == name:
                return found
    return None


def _of_deleted(operator: Operator, leases: Leases) -> Finding:
    seen = operator.seen
    proof = Evidence(
        Text(seen.command),
        Text(f"no Deployment of the operator in {operator.namespace}"),
        seen.where,
        seen.taken_at,
    )
    return _finding(
        operator,
        "there is none, and nobody holds its lease",
        (proof, leases.evidence("no renewed lease cilium-operator-resource-lock")),
        "Install the operator again, from the values in force.",
        (step("Let the chart make it again.", helm_upgrade(operator.namespace)),),
    )


def _finding(
    operator: Operator,
    why: str,
    proofs: Iterable[Evidence],
    remedy: str,
    steps: Iterable[Step],
    first: Pod | None = None,
    subject: Ref | None = None,
) -> Finding:
    has_other = bool(operator.ready)
    return finding(
        Severity.INFO if has_other else Severity.ERROR,
        (*((subject,) if subject else ()), operator.ref, *((first.ref,) if first else ())),
        f"{operator.ref}: {why}",
        evidence=proofs,
        asserts=() if has_other else (Condition(ConditionKind.OPERATOR_DOWN),),
        impact="another replica leads"
        if has_other
        else "no garbage collection, no PodCIDR for new nodes, no CRD registration; traffic goes on",
        first_seen=first.metadata.creation_timestamp if first else None,
        last_seen=operator.taken_at,
        ongoing=Ongoing.YES,
        owner=operator.owner,
        fixes=(
            Fix.cure(
                remedy,
                why="An operator that starts takes the lease and goes on where the last one stopped.",
                risk=Risk.LOW,
                steps=steps,
                undo="Set the values back.",
                verify="The lease cilium-operator-resource-lock has a holder and is renewed.",
            ),
        ),
    )

"""An operator pod does not start."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, told
from playbooks.model.cilium.down import keeps_operator_down
from playbooks.model.cilium.operator import Operator, status_of
from playbooks.model.cilium.standing import Standing, held_by
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.pods import Pod
from playbooks.model.rule import Case, fault

_HELD = {
    Standing.UNPULLED: "its image cannot be pulled",
    Standing.UNCREATED: "its container cannot be created",
    Standing.UNSTARTED: "its pod waits to be started",
    Standing.IN_INIT: "an init container of it does not end",
}
_REASONS = ("Failed", "FailedMount", "FailedCreatePodSandBox")


@fault(
    "AGT025",
    step="operator",
    cases=(Case("OPERATOR-image", proof="W", twin="the same pod with the image of the healthy cluster"),),
)
def operator_not_started(operator: Operator, warnings: Warnings | None) -> Iterator[Finding]:
    """An operator pod does not start.

    The pod has a node, and something before the operator's first line keeps it: its image, a mount, the
    container runtime. A rollout of the operator leaves the old replica in place until the new one is ready,
    so that often another one still leads.
    """
    for pod in operator.pods:
        standing = operator.standing(pod)
        if standing in _HELD:
            yield _finding(operator, pod, _HELD[standing], warnings)


def _finding(operator: Operator, pod: Pod, why: str, warnings: Warnings | None) -> Finding:
    held = held_by(pod) or pod.stuck_init or status_of(pod)
    has_other = bool(operator.ready)
    events = (
        [warnings.evidence(event.excerpt) for event in warnings.about(pod, *_REASONS)] if warnings else []
    )
    return finding(
        Severity.WARN if has_other else Severity.ERROR,
        (operator.ref, pod.ref),
        f"{operator.ref}: {why}",
        evidence=(
            operator.evidence(f"{pod.metadata.name}: {told(held) if held else pod.status.phase}"),
            *events[:2],
        ),
        asserts=() if has_other else (Condition(ConditionKind.OPERATOR_DOWN),),
        because_of=keeps_operator_down(pod.spec.node_name),
        stated_cause=held.state.waiting.message if held and held.state.waiting else "",
        impact="another replica leads"
        if has_other
        else "no garbage collection, no PodCIDR for new nodes, no CRD registration; traffic goes on",
        first_seen=pod.status.start_time,
        last_seen=operator.taken_at,
        ongoing=Ongoing.YES,
        owner=operator.owner,
        fixes=(
            Fix.cure(
                "Remove what keeps the pod from starting; its events name it.",
                why="Kubelet tries again by itself.",
                risk=Risk.LOW,
                steps=(described(pod),),
                undo="Nothing is changed by reading.",
                verify="The lease cilium-operator-resource-lock has a holder and is renewed.",
            ),
        ),
        same_as=f"held {why}",
    )

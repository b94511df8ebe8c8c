"""A pod lacks a label that its workload gives it, and by which a policy would admit it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.workloads import Deployment, Deployments
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.rule import Case, fault


@fault(
    "POL032",
    step="refused",
    cases=(Case("label-taken-off", proof="W", twin="the same pod with the label of its workload"),),
)
def pod_lost_label(
    policies: WrittenPolicies, pods: LabelledPods, deployments: Deployments, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """A pod lacks a label that its workload gives it, and by which a policy would admit it.

    Policies know pods by their labels. One that is taken off a running pod, or written otherwise, gives the
    pod another identity at once; the workload, whose template still has the label, does not put it back. The
    pod is then refused where others of its workload pass, and the policy is right.
    """
    yield from unseen(refused)
    found: dict[tuple[str, str], list[_Lost]] = {}
    for drop in refusals(refused):
        peer, own = (drop.peer.namespace, drop.peer.pod_name), pods.by_name.get(drop.pod)
        pod = pods.by_name.get(peer)
        made = _workload(pod, deployments) if pod and own else None
        if not pod or not own or not made:
            continue
        template = made.spec.template.metadata.labels or {}
        lost = {key: value for key, value in template.items() if pod.labels.by_key.get(key) != value}
        if lost and _would_pass(own, pod, template, drop, policies):
            closing = policies.denying_by_default(own.labels, drop.direction)
            refs = tuple(dict.fromkeys(one.policy for one in closing))
            found.setdefault(peer, []).append(_Lost(pod, made, lost, drop, refs))
    for cases in found.values():
        yield _finding(cases, pods, deployments)


@dataclass(frozen=True, slots=True)
class _Lost:
    pod: LabelledPod
    made: Deployment
    labels: dict[str, str]
    drop: Refusal
    closing: tuple[Ref, ...]


def _workload(pod: LabelledPod, deployments: Deployments) -> Deployment | None:
    """The Deployment whose ReplicaSet made the pod: the name of its hash is in the pod's."""
    meta = pod.pod.metadata
    owner = meta.controller
    tail = f"-{meta.label('pod-template-hash')}"
    if not owner or owner.kind != "ReplicaSet" or not owner.name.endswith(tail) or len(tail) < 2:
        return None
    name = owner.name.removesuffix(tail)
    same = (one for one in deployments.items if one.metadata.namespace == meta.namespace)
    return next((one for one in same if one.metadata.name == name), None)


def _would_pass(
    own: LabelledPod, pod: LabelledPod, template: dict[str, str], drop: Refusal, policies: WrittenPolicies
) -> bool:
    """Whether the refusal is for want of the labels alone."""
    if not policies.is_complete:
        return False
    keys = {f"k8s:{key}" for key in template}
    kept = [label for label in pod.labels.written if label.partition("=")[0] not in keys]
    whole = Labels((*kept, *(f"k8s:{key}={value}" for key, value in template.items())))
    selecting = tuple(policies.selecting(own.labels))
    now, then = (
        decide(
            selecting, Asked(own.labels, drop.direction, peer, drop.flow.port, drop.flow.protocol)
        ).decision
        for peer in (Peer(pod.labels), Peer(whole))
    )
    return now is Decision.NOT_ADMITTED and then is Decision.ADMITTED


def _finding(cases: list[_Lost], pods: LabelledPods, deployments: Deployments) -> Finding:
    first = cases[0]
    drops = [one.drop for one in cases]
    seen = span(drops)
    ref, meta = first.pod.pod.ref, first.pod.pod.metadata
    lost = ", ".join(f"{key}={value}" for key, value in sorted(first.labels.items()))
    return finding(
        Severity.ERROR,
        ref,
        f"{ref} lacks {lost}, which {first.made.ref} gives its pods, and is refused for want of it",
        evidence=(
            pods.evidence(f"{ref} .metadata.labels: no {lost}"),
            deployments.evidence(f"{first.made.ref} .spec.template.metadata.labels: {lost}"),
            drops[-1].evidence(),
        ),
        asserts=dict.fromkeys(
            Condition(ConditionKind.POLICY_AT_FAULT, str(closed)) for one in cases for closed in one.closing
        ),
        impact=told(drops),
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        owner=meta.managed_by,
        fixes=(
            Fix.cure(
                f"Put {lost} back on {ref}.",
                why="The agent gives the pod the identity of its labels, which the policy admits.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Label {ref}.",
                        kubectl(
                            *("-n", meta.namespace, "label", "pod", meta.name, "--overwrite"),
                            *(f"{key}={value}" for key, value in sorted(first.labels.items())),
                        ),
                    ),
                ),
                undo="Take the label off again.",
                verify="The drops of the pod's connections end.",
            ),
        ),
    )

"""A pod behind a service refuses everybody: it is in default deny and no rule admits anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import (
    POLICY_DENIED,
    Party,
    RecentFlow,
    RefusedFlows,
    attempts,
)
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import (
    CouldNotLook,
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
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.meta import Meta
from playbooks.model.policies.drafting import admitting
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import unseen
from playbooks.model.policies.written import Direction, Written
from playbooks.model.rule import Case, fault


@fault(
    "POL003",
    step="enforced",
    cases=(
        Case("LAB-17", proof="R", twin="LAB-17 with a policy that admits the clients of cart"),
        Case("PO-01", proof="R", twin="LAB-17 with a policy that admits the clients of cart"),
    ),
)
def default_deny_admits_nobody(
    policies: WrittenPolicies, pods: LabelledPods, slices: EndpointSlices, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """A pod behind a service refuses everybody: it is in default deny and no rule admits anything.

    Selecting a pod in any policy, for a direction, turns that direction into default deny: what no rule
    admits is refused as `Policy denied`. A policy that only closes (an empty `podSelector`) is a
    good start and needs another policy for each pod that is to be called. A pod that is a backend of a
    service, is called there and has no admitting rule at all, was forgotten or lost its policy.
    """
    yield from unseen(refused)
    called = _called(refused)
    backends = _backends(slices)
    shut: dict[tuple[Ref, ...], list[_Shut]] = {}
    for pod in pods.items:
        name = (pod.pod.metadata.namespace, pod.pod.metadata.name)
        drops = [found for found in called.get(name, ()) if (name, found[1].port) in backends]
        if not drops:
            continue
        closing = policies.denying_by_default(pod.labels, Direction.INGRESS)
        if not closing or _admits(policies, pod):
            continue
        if not policies.is_complete:
            yield CouldNotLook("not all kinds of policies could be read")
            return
        refs = tuple(dict.fromkeys(one.policy for one in closing))
        shut.setdefault(refs, []).append(_Shut(pod, closing, drops))
    for refs, found in shut.items():
        yield _finding(refs, found, policies, pods)


@dataclass(frozen=True, slots=True)
class _Shut:
    pod: LabelledPod
    closing: tuple[Written, ...]
    drops: list[tuple[RefusedFlows, RecentFlow]]

    @property
    def name(self) -> str:
        """Namespace and name of the pod."""
        return f"{self.pod.labels.namespace}/{self.pod.pod.metadata.name}"


def _called(refused: Fleet[RefusedFlows]) -> dict[tuple[str, str], list[tuple[RefusedFlows, RecentFlow]]]:
    found: dict[tuple[str, str], list[tuple[RefusedFlows, RecentFlow]]] = {}
    for _, fact in refused:
        for name, flows in fact.by_destination.items():
            denied = [
                (fact, flow)
                for flow in flows
                if flow.drop_reason == POLICY_DENIED and flow.direction == "ingress"
            ]
            if denied:
                found.setdefault(name, []).extend(denied)
    return found


def _backends(slices: EndpointSlices) -> set[tuple[tuple[str, str], int]]:
    """Pods with the ports at which a service sends to them."""
    return {
        ((target.namespace or one.metadata.namespace, target.name), port.port)
        for one in slices.items
        for endpoint in one.endpoints or ()
        for port in one.ports or ()
        if (target := endpoint.target_ref) and target.kind == "Pod" and port.port
    }


def _admits(policies: WrittenPolicies, pod: LabelledPod) -> bool:
    every = (rule for one in policies.selecting(pod.labels) for rule in one.of(Direction.INGRESS))
    return any(rule.peers is None or rule.peers for rule in every)


def _finding(
    refs: tuple[Ref, ...], shut: list[_Shut], policies: WrittenPolicies, pods: LabelledPods
) -> Finding:
    drops = [drop for one in shut for drop in one.drops]
    fact, flow = drops[-1]
    times = [one.time for _, one in drops if one.time]
    peers = sorted({one.source.workload for _, one in drops})
    workload = flow.destination.workload
    closing = shut[0].closing[0]
    # Of those who were refused, one of the same namespace is the likeliest to be meant.
    asker = next((one.source for _, one in drops if one.source.namespace == refs[0].namespace), flow.source)
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]} shuts {workload}, and no rule admits anybody: {', '.join(peers[:2])} refused",
        evidence=(
            policies.evidence(
                f"{closing.policy} {closing.place} selects {closing.selector}; no rule for ingress"
            ),
            fact.evidence(f"{flow.source} -> {flow.destination}:{flow.port} ingress Policy denied DROPPED"),
        ),
        asserts=(
            *(Condition(ConditionKind.POLICY_DEFAULT_DENY, one.name) for one in shut),
            *(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in refs),
        ),
        because_of=(Condition(ConditionKind.POLICY_MISSES_POD, one.name) for one in shut),
        impact=f"{attempts(one for _, one in drops)} attempts at {len(shut)} pods refused lately",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Admit the clients of {workload}.",
                why="In default deny a pod refuses what no rule admits; there is no rule for it.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        f"Look whether a policy for {workload} was deleted lately, and apply it again if so.",
                        kubectl("-n", shut[0].pod.labels.namespace, "get", "netpol,cnp"),
                    ),
                    *_drafted(shut[0], asker, flow, pods),
                ),
                undo="Delete the new policy.",
                verify=f"`hubble observe --to-pod {workload} --verdict DROPPED` shows nothing new.",
            ),
        ),
    )


def _drafted(shut: _Shut, asker: Party, flow: RecentFlow, pods: LabelledPods) -> Iterator[Step]:
    draft = admitting(shut.pod.labels, Peer(Labels(asker.labels)), flow.port, flow.protocol)
    if draft is None:
        yield step("Otherwise apply a policy that admits its clients.")
        return
    # Its own replicas are meant as much as the one that was called.
    same = [(one.namespace, one.name) for one in _alike(shut, pods)]
    opened = draft.also_opened(pods, [*same, (asker.namespace, asker.pod_name)])
    yield step(
        f"Otherwise apply a policy for its clients; this one admits {asker.workload}, and {opened.said}.",
        draft.shown_yaml,
    )


def _alike(shut: _Shut, pods: LabelledPods) -> Iterator[Meta]:
    owner = shut.pod.pod.metadata.controller
    return (one.pod.metadata for one in pods.items if owner and one.pod.metadata.controller == owner)

"""A service's selector matches no pod, and pods carry nearly the same labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, Services
from playbooks.model.kube.workloads import Deployments
from playbooks.model.mistyped import Mistyped, mistyped
from playbooks.model.rule import Case, fault


@fault(
    "SVC001",
    step="backends",
    cases=(Case("LAB-02", proof="R", twin="LAB-02 with the selector that the pods' labels match"),),
)
def selector_mistyped(
    services: Services, pods: Pods, deployments: Deployments | None
) -> Iterator[Finding | CouldNotLook]:
    """A service's selector matches no pod, and pods carry nearly the same labels.

    Kubernetes makes backends of the ready pods whose labels match the selector. One wrong letter and there
    are none: the service keeps its address and its frontend in every agent, but connections to it end with
    `Service backend not found`, or an ICMP answer that clients print as `no route to host`.
    """
    for service in services.items:
        if not service.selects_pods:
            continue
        namespace, selector = service.metadata.namespace, service.spec.selector or {}
        if pods.matching(selector, namespace):
            continue
        meant = [pod for pod in pods.items if pod.metadata.namespace == namespace and not pod.is_going]
        near = [(pod, wrong) for pod in meant if (wrong := mistyped(selector, pod.metadata.labels or {}))]
        if not near or _is_meant(service, near, services) or _is_made(service, deployments):
            continue
        if pods.provenance.namespace not in ("", namespace) or pods.provenance.is_truncated:
            yield CouldNotLook(f"the pods of namespace {namespace} could not all be read")
            continue
        yield _finding(service, services, pods, near)


def _is_meant(service: Service, near: Sequence[tuple[Pod, Mistyped]], services: Services) -> bool:
    """Whether the label is the service's own name, while the pods that carry a similar one are another's.

    Then the service waits for pods of its own, such as those of a workload that is scaled to zero.
    """
    meta, others = service.metadata, [one for one in services.items if one.ref != service.ref]
    return all(
        wrong.wanted in meta.name
        and wrong.value not in meta.name
        and any(_selects(one, pod) for one in others)
        for pod, wrong in near
    )


def _is_made(service: Service, deployments: Deployments | None) -> bool:
    """Whether a workload would make such pods, and has none now."""
    selector, namespace = service.spec.selector or {}, service.metadata.namespace
    every = deployments.items if deployments else ()
    return any(
        one.metadata.namespace == namespace and one.spec.template.metadata.has_labels(selector)
        for one in every
    )


def _selects(service: Service, pod: Pod) -> bool:
    is_there = service.selects_pods and service.metadata.namespace == pod.metadata.namespace
    return is_there and pod.metadata.has_labels(service.spec.selector or {})


def _finding(
    service: Service, services: Services, pods: Pods, near: Sequence[tuple[Pod, Mistyped]]
) -> Finding:
    pod, wrong = near[0]
    change = service.metadata.last_change
    patch = {"spec": {"selector": {wrong.wanted_key: None, wrong.key: wrong.value}}}
    if wrong.key == wrong.wanted_key:
        patch = {"spec": {"selector": {wrong.key: wrong.value}}}
    return finding(
        Severity.ERROR,
        service.ref,
        f"{service.ref} selects {wrong.asked}, which no pod carries; {len(near)} carry {wrong.carried}",
        evidence=(
            services.evidence(f".spec.selector: {wrong.asked}"),
            pods.evidence(f"{pod.ref} .metadata.labels: {wrong.carried}"),
        ),
        impact=f"every connection to {service.ref} fails",
        first_seen=change.time if change else None,
        last_seen=services.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=service.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Select the label that the pods carry: {wrong.carried}.",
                why=f"{_pods(len(near))} as soon as ready.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Patch the selector of {service.ref}.",
                        kubectl(
                            *("-n", service.metadata.namespace, "patch", "service", service.metadata.name),
                            *("--type", "merge", "-p", json.dumps(patch)),
                        ),
                    ),
                ),
                undo=f"Put {wrong.asked} back.",
                verify=f"The EndpointSlices of {service.ref} list the pods' addresses.",
            ),
        ),
    )


def _pods(count: int) -> str:
    return "Then 1 pod becomes a backend" if count == 1 else f"Then {count} pods become backends"

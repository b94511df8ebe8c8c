"""A service's selector matches no pod, and pods carry nearly the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, Services
from playbooks.model.nearness import is_near
from playbooks.model.rule import Case, fault


@fault(
    "SVC001",
    step="backends",
    cases=(Case("LAB-02", proof="R", twin="LAB-02 with the selector that the pods' labels match"),),
)
def selector_mistyped(services: Services, pods: Pods) -> Iterator[Finding | CouldNotLook]:
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
        near = [(pod, wrong) for pod in meant if (wrong := _wrong(selector, pod))]
        if not near:
            continue
        if pods.provenance.namespace not in ("", namespace) or pods.provenance.is_truncated:
            yield CouldNotLook(f"the pods of namespace {namespace} could not all be read")
            continue
        yield _finding(service, services, pods, near)


class _Wrong(NamedTuple):
    """The one label in which a pod and a selector differ by a few letters."""

    key: str
    has: str
    wants: str


def _wrong(selector: dict[str, str], pod: Pod) -> _Wrong | None:
    off = [key for key, value in selector.items() if pod.metadata.label(key) != value]
    if len(off) != 1:
        return None
    wrong = _Wrong(off[0], pod.metadata.label(off[0]), selector[off[0]])
    return wrong if is_near(wrong.has, wrong.wants) else None


def _finding(service: Service, services: Services, pods: Pods, near: Sequence[tuple[Pod, _Wrong]]) -> Finding:
    pod, (key, has, wants) = near[0]
    change = service.metadata.last_change
    fixed = f'{{"spec":{{"selector":{{"{key}":"{has}"}}}}}}'
    return finding(
        Severity.ERROR,
        service.ref,
        f"{service.ref} selects {key}={wants}, which no pod carries; {len(near)} carry {key}={has}",
        evidence=(
            services.evidence(f".spec.selector: {key}={wants}"),
            pods.evidence(f"{pod.ref} .metadata.labels: {key}={has}"),
        ),
        impact=f"every connection to {service.ref} fails",
        first_seen=change.time if change else None,
        last_seen=services.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=service.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Select the label that the pods carry: {key}={has}.",
                why=f"Then {len(near)} pods become backends as soon as they are ready.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Patch the selector of {service.ref}.",
                        kubectl(
                            *("-n", service.metadata.namespace, "patch", "service", service.metadata.name),
                            *("--type", "merge", "-p", fixed),
                        ),
                    ),
                ),
                undo=f"Put {key}={wants} back.",
                verify=f"The EndpointSlices of {service.ref} list the pods' addresses.",
            ),
        ),
    )

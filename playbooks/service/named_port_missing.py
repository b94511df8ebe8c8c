"""A service names a targetPort that no container of its pods has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, ServicePort, Services
from playbooks.model.mistyped import nearest
from playbooks.model.rule import Case, fault
from playbooks.model.services.backends import listed


@fault(
    "SVC003",
    step="ports",
    cases=(Case("named-port", proof="W", twin="the same service with the name that a container's port has"),),
)
def named_port_missing(
    services: Services, slices: EndpointSlices, pods: Pods
) -> Iterator[Finding | CouldNotLook]:
    """A service names a targetPort that no container of its pods has.

    A `targetPort` may be the name of a port. Kubernetes looks for it in each pod; where no container has a
    port of that name, the pod is left out of the slices for it, without a word. The service then has ready
    pods and, on that port, no backend: every node refuses connections to it.
    """
    for service in services.items:
        if not service.selects_pods or service.is_headless:
            continue
        namespace = service.metadata.namespace
        mine = pods.matching(service.spec.selector or {}, namespace)
        ready = [pod for pod in mine if pod.is_ready and not pod.is_going]
        found = listed(service, slices)
        named = [port for port in service.spec.ports or () if _is_lost(port, ready)]
        lost = [port for port in named if not found.has_port(port.name)]
        if not lost or not ready:
            continue
        partial = [fact for fact in (pods, slices) if fact.provenance.is_truncated]
        if partial or any(fact.provenance.namespace not in ("", namespace) for fact in (pods, slices)):
            yield CouldNotLook(f"pods or endpoint slices of namespace {namespace} could not all be read")
            continue
        yield _finding(service, lost, ready, services, pods, slices)


def _is_lost(port: ServicePort, pods: Sequence[Pod]) -> bool:
    return isinstance(port.target_port, str) and port.target_port not in {
        name for pod in pods for name in _names(pod)
    }


def _names(pod: Pod) -> Iterator[str]:
    for container in (*(pod.spec.containers or ()), *(pod.spec.init_containers or ())):
        for port in container.ports or ():
            if port.name:
                yield port.name


def _finding(
    service: Service,
    lost: Sequence[ServicePort],
    ready: Sequence[Pod],
    services: Services,
    pods: Pods,
    slices: EndpointSlices,
) -> Finding:
    port, pod = lost[0], ready[0]
    wanted = str(port.target_port)
    names = sorted({name for one in ready for name in _names(one)})
    near = nearest(wanted, names)
    meant = near[0] if near else names[0] if len(names) == 1 else "NAME"
    index = next(number for number, one in enumerate(service.spec.ports or ()) if one is port)
    patch = f'[{{"op":"replace","path":"/spec/ports/{index}/targetPort","value":"{meant}"}}]'
    change = service.metadata.last_change
    return finding(
        Severity.ERROR if len(lost) == len(service.spec.ports or ()) else Severity.WARN,
        service.ref,
        f"{service.ref} port {port.port} sends to the port named {wanted}, which no container has",
        evidence=(
            services.evidence(f"{service.ref} port {port.port} targetPort {wanted}"),
            pods.evidence(f"{pod.ref} names its ports: {', '.join(names) or 'none'}"),
            slices.evidence(f"{service.ref}: no slice lists a port named {port.name!r}"),
        ),
        impact=f"connections to {service.ref} port {port.port} fail, though {len(ready)} pods are ready",
        first_seen=change.time if change else None,
        last_seen=slices.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=service.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Name a port that the containers have{f': {meant}' if meant != 'NAME' else ''}.",
                why="Then the pods are listed for that port as soon as the slices are written.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Patch the targetPort of {service.ref}.",
                        kubectl(
                            *("-n", service.metadata.namespace, "patch", "service", service.metadata.name),
                            *("--type", "json", "-p", patch),
                        ),
                    ),
                ),
                undo=f"Put targetPort {wanted} back.",
                verify=f"The EndpointSlices of {service.ref} list port {port.name or port.port}.",
            ),
        ),
    )

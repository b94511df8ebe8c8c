"""A service has pods, and none of them is ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, Services
from playbooks.model.kube.unready import unready_since, why_unready
from playbooks.model.rule import Case, fault
from playbooks.model.services.unready import all_down, made_ready

_ON_NODE = (
    ConditionKind.AGENT_DOWN,
    ConditionKind.AGENT_SILENT,
    ConditionKind.API_SERVER_UNREACHABLE,
    ConditionKind.NODE_NOT_READY,
    ConditionKind.NODE_UNREACHABLE,
    ConditionKind.IPAM_EXHAUSTED,
)
"""What on a node keeps its pods from being ready."""
_OWN = frozenset(
    {"cilium", "hubble-relay", "hubble-ui", "cilium-envoy", "cilium-operator", "clustermesh-apiserver"}
)
"""Apps that make up Cilium: that they are not ready is told of themselves."""
_DNS = "kube-dns"


@fault(
    "SVC004",
    step="backends",
    cases=(Case("not-ready", proof="W", twin="the same pods with their condition Ready True"),),
)
def no_backend_ready(
    services: Services, slices: EndpointSlices, pods: Pods, warnings: Warnings | None
) -> Iterator[Finding]:
    """A service has pods, and none of them is ready.

    Only pods whose condition Ready is True become backends. A readiness probe that fails, a container that
    crashes or an image that is not there keeps a pod from it; with the last one gone, every agent refuses
    connections to the service though its pods are listed and may even run. Pods that only start get two
    minutes, unless their containers wait for what waiting does not bring.
    """
    for service in services.items:
        mine = all_down(service, pods, slices)
        if mine:
            yield _finding(service, mine, pods, slices, warnings)


def _finding(
    service: Service,
    mine: Sequence[Pod],
    pods: Pods,
    slices: EndpointSlices,
    warnings: Warnings | None,
) -> Finding:
    told = [why_unready(pod, pods, warnings) for pod in mine]
    first = told[0]
    nodes = dict.fromkeys(pod.spec.node_name for pod in mine if pod.spec.node_name)
    labels = (service.spec.selector or {}).values()
    change = service.metadata.last_change
    none = "its one pod is not" if len(mine) == 1 else f"none of its {len(mine)} pods is"
    return finding(
        Severity.INFO if _is_own(first.pod) else Severity.ERROR,
        service.ref,
        f"{service.ref} has no backend: {none} ready, {first.why}",
        evidence=(
            *(reason.proof for reason in told[:3]),
            slices.evidence(f"{service.ref}: {len(mine)} pods listed, conditions.ready true on none"),
        ),
        because_of=(
            *(Condition(kind, node) for node in nodes for kind in _ON_NODE),
            *(Condition(ConditionKind.POD_UNMANAGED, _name(pod)) for pod in mine),
            *((Condition(ConditionKind.RELAY_DOWN),) if "hubble-relay" in labels else ()),
        ),
        asserts=(Condition(ConditionKind.COREDNS_DOWN),) if _DNS in labels else (),
        impact=f"every connection to {service.ref} fails",
        first_seen=max((time for pod in mine if (time := unready_since(pod))), default=None),
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=first.pod.metadata.managed_by,
        fixes=(_fix(service, first.pod),),
    )


def _is_own(pod: Pod) -> bool:
    meta = pod.metadata
    return meta.label("app.kubernetes.io/part-of") == "cilium" or meta.label("k8s-app") in _OWN


def _name(pod: Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


def _fix(service: Service, pod: Pod) -> Fix:
    where = ("-n", pod.metadata.namespace)
    probe = step(
        f"Compare the readiness probe of {pod.ref} with what its container serves.",
        kubectl(*where, "get", "pod", pod.metadata.name, "-o", "yaml"),
    )
    return made_ready(
        service,
        pod,
        title=f"Make the pods of {service.ref} ready.",
        first=f"Read the conditions and events of {pod.ref}.",
        rest=(probe,),
    )

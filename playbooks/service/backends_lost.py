"""A service lost all its backends between two looks: its pods are not ready any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Ongoing, Severity, finding
from playbooks.model.kube.endpoint_slices import EndpointSlices
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
)


@fault(
    "SVC032",
    step="backends",
    cases=(Case("not-ready-lately", proof="R", twin="LAB-20 with the pod ready in its second look"),),
)
def backends_lost(
    services: Services, pods: Change[Pods], slices: Change[EndpointSlices]
) -> Iterator[Finding]:
    """A service lost all its backends between two looks: its pods are not ready any more.

    A readiness probe has to fail several times before a pod is taken out, so a fault that has just begun
    shows only in a second look. Pods that had run for minutes do not start: when the last of them turns not
    ready, every agent takes it out, and connections to the service fail from then on.
    """
    for service in services.items:
        mine = all_down(service, pods.after, slices.after)
        if mine and not all_down(service, pods.before, slices.before) and not _is_own(mine[0]):
            yield _finding(service, mine, pods.after, slices.after)


def _is_own(pod: Pod) -> bool:
    return pod.metadata.label("app.kubernetes.io/part-of") == "cilium"


def _finding(service: Service, mine: Sequence[Pod], pods: Pods, slices: EndpointSlices) -> Finding:
    told = [why_unready(pod, pods, None) for pod in mine]
    nodes = dict.fromkeys(pod.spec.node_name for pod in mine if pod.spec.node_name)
    names = [f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in mine]
    is_dns = "kube-dns" in (service.spec.selector or {}).values()
    none = "its one pod is not" if len(mine) == 1 else f"none of its {len(mine)} pods is"
    return finding(
        Severity.ERROR,
        service.ref,
        f"{service.ref} lost its backends: {none} ready any more, {told[0].why}",
        evidence=(
            *(reason.proof for reason in told[:3]),
            slices.evidence(f"{service.ref}: conditions.ready true on none"),
        ),
        because_of=(
            *(Condition(kind, node) for node in nodes for kind in _ON_NODE),
            *(Condition(ConditionKind.POD_UNMANAGED, name) for name in names),
        ),
        asserts=(Condition(ConditionKind.COREDNS_DOWN),) if is_dns else (),
        impact=f"every connection to {service.ref} fails",
        first_seen=max((time for pod in mine if (time := unready_since(pod))), default=None),
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        owner=mine[0].metadata.managed_by,
        fixes=(
            made_ready(
                service,
                mine[0],
                title=f"Make the pods of {service.ref} ready again.",
                first=f"Read the events of {mine[0].ref}: they name the probe that fails.",
            ),
        ),
    )

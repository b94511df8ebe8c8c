"""An EndpointSlice that somebody writes by hand lists an address that no pod has."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.ciliumnodes import CiliumNodes
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlice, EndpointSlices
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.refused import drops_to

_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLER = "endpointslice-controller.k8s.io"
_UNROUTABLE = 151


@fault(
    "SVC034",
    step="backends",
    cases=(Case("slice-by-hand", proof="W", twin="the same slice with the address of a pod"),),
)
def slice_lists_nobody(
    slices: EndpointSlices,
    services: Services,
    pods: Pods,
    ciliumnodes: CiliumNodes,
    refused: Fleet[RefusedFlows],
) -> Iterator[Finding | CouldNotLook]:
    """An EndpointSlice that somebody writes by hand lists an address that no pod has.

    Kubernetes keeps only the slices that it made itself, of services that select pods. One that a person or
    a tool wrote stays as it is, and every agent takes its addresses for backends, beside those of the pods
    where the service has any. An address out of the pods' own range that no pod has leads nowhere: what goes
    there is dropped as `Stale or unroutable IP`, or times out, a share of the connections or all of them.
    """
    ranges = [prefix for one in ciliumnodes.items for prefix in one.pod_cidrs]
    held = {address for pod in pods.items for address in _addresses(pod.status.pod_ip)}
    for one in slices.items:
        if not one.service or _is_kept(one, services):
            continue
        ready = (endpoint for endpoint in one.endpoints or () if endpoint.is_ready)
        listed = [ip for endpoint in ready for ip in endpoint.addresses or ()]
        stray = [ip for ip in listed if ip not in held and _is_of_pods(ip, ranges)]
        if stray and (pods.provenance.is_truncated or pods.provenance.namespace):
            yield CouldNotLook("not all pods could be read, so that none has an address is not known")
            return
        if stray:
            yield _finding(one, stray, len(listed), slices, pods, refused)


def _is_kept(one: EndpointSlice, services: Services) -> bool:
    """Whether Kubernetes writes the slice anew when pods change."""
    service = services.get(one.metadata.namespace, one.service)
    is_made = one.metadata.label(_MANAGED_BY) == _CONTROLLER
    return is_made and (service is None or service.selects_pods)


def _addresses(address: str) -> tuple[str, ...]:
    return (address,) if address else ()


def _is_of_pods(address: str, ranges: list[str]) -> bool:
    try:
        ip = ip_address(address)
        return any(ip in ip_network(prefix) for prefix in ranges)
    except ValueError:
        return False


def _finding(
    one: EndpointSlice,
    stray: list[str],
    total: int,
    slices: EndpointSlices,
    pods: Pods,
    refused: Fleet[RefusedFlows],
) -> Finding:
    meta = one.metadata
    ref = Ref("EndpointSlice", meta.name, meta.namespace)
    service = Ref("Service", one.service, meta.namespace)
    drops = drops_to(refused, _UNROUTABLE, stray).lately()
    times = [flow.time for flow in drops.flows if flow.time]
    return finding(
        Severity.ERROR if drops else Severity.WARN,
        ref,
        f"{ref} makes {stray[0]} a backend of {service}, and no pod has that address",
        evidence=(
            slices.evidence(f"{ref}: {', '.join(stray[:5])}; made by {meta.label(_MANAGED_BY) or 'hand'}"),
            pods.evidence(f"no pod has {', '.join(stray[:5])}"),
            *drops.evidence("Stale or unroutable IP"),
        ),
        impact=f"{drops.attempts} connections of {', '.join(drops.clients[:3])} failed lately"
        if drops
        else f"connections that are led to {len(stray)} of {total} backends of the slice fail",
        first_seen=min(times, default=None),
        last_seen=slices.taken_at,
        ongoing=Ongoing.YES,
        owner=meta.managed_by,
        fixes=(
            Fix.cure(
                f"Correct the addresses of {ref}, or delete it.",
                why="Agents take every address of a service's slices for a backend.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Edit {ref}.",
                        kubectl("-n", meta.namespace, "edit", "endpointslice", meta.name),
                    ),
                ),
                undo="Write the addresses from before again.",
                verify="`cilium-dbg service list` shows only addresses of pods behind the service.",
            ),
        ),
    )

"""A service selects no pod at all."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.fqdn import AgentLookups
from playbooks.model.cilium.agent.recent_flows import NO_BACKEND, RefusedFlows
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Service, Services
from playbooks.model.kube.workloads import Deployments
from playbooks.model.mistyped import mistyped
from playbooks.model.rule import Case, fault
from playbooks.model.services.backends import listed
from playbooks.model.services.needed import Need, needed
from playbooks.model.services.refused import drops_to
from playbooks.model.wanted import WantedCalls

_SYSTEM = ("kube-system",)
"""Where charts make services for components that may be switched off."""


@fault(
    "SVC006",
    step="backends",
    cases=(Case("no-pod", proof="W", twin="the same service with a pod that carries its labels"),),
)
def selects_no_pod(
    services: Services,
    slices: EndpointSlices,
    pods: Pods,
    deployments: Deployments | None,
    refused: Fleet[RefusedFlows],
    dns: ClusterDns | None,
    wanted: WantedCalls | None,
    lookups: Fleet[AgentLookups],
) -> Iterator[Finding | CouldNotLook]:
    """A service selects no pod at all.

    Nothing carries its labels, and nothing carries nearly the same ones. It may wait for a workload that
    is yet to come, or be left over from one that is gone: the service keeps its address, and every agent
    answers with `Service backend not found`. That hurts only those who call it.
    """
    for service in services.items:
        namespace, selector = service.metadata.namespace, service.spec.selector or {}
        need = needed(service, dns, wanted, lookups)
        is_optional = namespace in _SYSTEM and not need.severity
        if not service.selects_pods or is_optional or pods.matching(selector, namespace):
            continue
        there = [pod.metadata.labels or {} for pod in pods.items if pod.metadata.namespace == namespace]
        made = [
            one.spec.template.metadata
            for one in (deployments.items if deployments else ())
            if one.metadata.namespace == namespace
        ]
        is_told_elsewhere = any(mistyped(selector, labels) for labels in there) or any(
            meta.has_labels(selector) for meta in made
        )
        if is_told_elsewhere or listed(service, slices).ready:
            continue
        if pods.provenance.namespace not in ("", namespace) or pods.provenance.is_truncated:
            yield CouldNotLook(f"the pods of namespace {namespace} could not all be read")
            continue
        yield _finding(service, services, pods, refused, need)


def _finding(
    service: Service, services: Services, pods: Pods, refused: Fleet[RefusedFlows], need: Need
) -> Finding:
    selector = ",".join(f"{key}={value}" for key, value in (service.spec.selector or {}).items())
    drops = drops_to(refused, NO_BACKEND, service.addresses)
    change, meta = service.metadata.last_change, service.metadata
    return finding(
        need.severity or (Severity.WARN if drops else Severity.INFO),
        service.ref,
        f"{service.ref} selects {selector}, which no pod carries",
        evidence=(
            services.evidence(f"{service.ref} .spec.selector: {selector}"),
            pods.evidence(f"no pod of namespace {meta.namespace} has these labels"),
            *drops.evidence("Service backend not found"),
            *need.evidence,
        ),
        impact=f"{drops.attempts} connections of {', '.join(drops.clients[:3])} failed lately"
        if drops
        else need.impact or "nobody was seen to call it",
        asserts=need.asserts,
        first_seen=change.time if change else None,
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=meta.managed_by,
        fixes=(
            Fix.cure(
                "Bring the workload back, or remove the service that nobody serves.",
                why="A service without pods can only refuse.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Look for workloads in {meta.namespace} whose pods should carry {selector}.",
                        kubectl(
                            "-n",
                            meta.namespace,
                            "get",
                            "deployments,statefulsets,daemonsets",
                            "--show-labels",
                        ),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify=f"The EndpointSlices of {service.ref} list a backend with ready true.",
            ),
        ),
    )

"""A service's workload is scaled to zero."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.fqdn import AgentLookups
from playbooks.model.cilium.agent.recent_flows import NO_BACKEND, RefusedFlows
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from playbooks.model.kube.workloads import Deployment, Deployments
from playbooks.model.rule import Case, fault
from playbooks.model.services.needed import needed
from playbooks.model.services.refused import drops_to
from playbooks.model.wanted import WantedCalls


@fault(
    "SVC005",
    step="backends",
    cases=(Case("scaled-to-zero", proof="W", twin="the same Deployment with one replica, which is ready"),),
)
def workload_scaled_to_zero(
    services: Services,
    deployments: Deployments,
    pods: Pods,
    refused: Fleet[RefusedFlows],
    dns: ClusterDns | None,
    wanted: WantedCalls | None,
    lookups: Fleet[AgentLookups],
) -> Iterator[Finding]:
    """A service's workload is scaled to zero.

    The service finds its workload by its labels, and the workload is asked to run no pod. That may be
    intended: what sleeps needs no backend. It is a fault where somebody calls the service: the agents then
    answer with `Service backend not found`. The cluster's DNS is called by everybody.
    """
    for service in services.items:
        selector, namespace = service.spec.selector or {}, service.metadata.namespace
        if not service.selects_pods or pods.matching(selector, namespace):
            continue
        asleep = [
            one
            for one in deployments.items
            if one.metadata.namespace == namespace
            and one.spec.template.metadata.has_labels(selector)
            and one.wanted == 0
        ]
        if not asleep:
            continue
        drops = drops_to(refused, NO_BACKEND, service.addresses)
        need = needed(service, dns, wanted, lookups)
        change = asleep[0].metadata.last_change
        yield finding(
            need.severity or (Severity.WARN if drops else Severity.INFO),
            (asleep[0].ref, service.ref),
            f"{asleep[0].ref} runs no pod: it is scaled to 0, and {service.ref} leads to nothing",
            evidence=(
                deployments.evidence(f"{asleep[0].ref} .spec.replicas: 0"),
                services.evidence(f"{service.ref} .spec.selector: {_said(selector)}"),
                *drops.evidence("Service backend not found"),
                *need.evidence,
            ),
            impact=f"{drops.attempts} connections of {', '.join(drops.clients[:3])} failed lately"
            if drops
            else need.impact or "nobody was seen to call it",
            asserts=need.asserts,
            first_seen=change.time if change else None,
            last_seen=deployments.taken_at,
            ongoing=Ongoing.YES,
            changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
            owner=asleep[0].metadata.managed_by,
            fixes=(_fix(asleep[0]),),
        )


def _said(selector: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in selector.items())


def _fix(one: Deployment) -> Fix:
    meta = one.metadata
    return Fix.cure(
        f"Scale {one.ref} up, if it is meant to serve.",
        why="Its pods become backends of the service as soon as they are ready.",
        risk=Risk.LOW,
        steps=(
            step(
                f"Scale {one.ref} to one replica or more.",
                kubectl("-n", meta.namespace, "scale", f"deployment/{meta.name}", "--replicas=1"),
            ),
        ),
        undo=f"Scale {one.ref} to 0 again.",
        verify="The EndpointSlices of the service list a backend with ready true.",
    )

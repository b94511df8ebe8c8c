"""Whether somebody is known to need a service, though nobody was seen to call it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from playbooks.model.cilium.agent.fqdn import AgentLookups
from playbooks.model.cilium.health_response import time_of
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.fact import Fleet
from playbooks.model.finding import Evidence, Severity
from playbooks.model.kube.services import Service
from playbooks.model.wanted import WantedCalls

_LATELY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Need:
    """Who needs a service that has no backend."""

    severity: Severity | None = None
    """How bad that is; nothing where nobody is known to need it."""
    impact: str = ""
    """Who is hurt."""
    asserts: tuple[Condition, ...] = ()
    """What else follows from it."""
    evidence: tuple[Evidence, ...] = ()
    """What tells it, where rules do not know it themselves."""


def needed(
    service: Service,
    dns: ClusterDns | None,
    wanted: WantedCalls | None,
    lookups: Fleet[AgentLookups] | None = None,
) -> Need:
    """What is known: the cluster's DNS serves all pods, a service that was named is meant to answer.

    One whose name pods looked up within the last minute is about to be called by them.
    """
    if dns and dns.service and dns.service.ref == service.ref and not dns.node_local:
        down = (Condition(ConditionKind.COREDNS_DOWN),)
        return Need(Severity.ERROR, "no pod finds anything by name: this is the cluster's DNS", down)
    if wanted and (service.metadata.namespace, service.metadata.name) in wanted.called:
        return Need(Severity.ERROR, "it was named as called, and nobody answers")
    seen = _looked_up(service, lookups)
    if seen:
        return Need(Severity.WARN, "pods look its name up to call it, and nobody answers", evidence=seen)
    return Need()


def _looked_up(service: Service, lookups: Fleet[AgentLookups] | None) -> tuple[Evidence, ...]:
    start = f"{service.metadata.name}.{service.metadata.namespace}.svc."
    for _, fact in lookups or ():
        for item in fact.items:
            at = time_of(item.lookup_time)
            is_late = at is not None and fact.taken_at - at <= _LATELY
            # An answer has addresses: names that a resolver only tries out have none.
            if is_late and item.ips and item.fqdn.startswith(start):
                return (fact.evidence(f"{item.fqdn} {', '.join(item.ips)} looked up at {item.lookup_time}"),)
    return ()

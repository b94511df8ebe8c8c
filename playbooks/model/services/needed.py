"""Whether somebody is known to need a service, though nobody was seen to call it."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.finding import Severity
from playbooks.model.kube.services import Service
from playbooks.model.wanted import WantedCalls


@dataclass(frozen=True, slots=True)
class Need:
    """Who needs a service that has no backend."""

    severity: Severity | None = None
    """How bad that is; nothing where nobody is known to need it."""
    impact: str = ""
    """Who is hurt."""
    asserts: tuple[Condition, ...] = ()
    """What else follows from it."""


def needed(service: Service, dns: ClusterDns | None, wanted: WantedCalls | None) -> Need:
    """What is known: the cluster's DNS serves all pods, and a service that was named is meant to answer."""
    if dns and dns.service and dns.service.ref == service.ref and not dns.node_local:
        down = (Condition(ConditionKind.COREDNS_DOWN),)
        return Need(Severity.ERROR, "no pod finds anything by name: this is the cluster's DNS", down)
    if wanted and (service.metadata.namespace, service.metadata.name) in wanted.called:
        return Need(Severity.ERROR, "it was named as called, and nobody answers")
    return Need()

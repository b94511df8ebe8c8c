"""Pods call a service at a port that it does not have."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import NO_BACKEND, RefusedFlows
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.refused import Drops, drops_to


@fault(
    "SVC033",
    step="ports",
    cases=(Case("other-port", proof="W", twin="the same flows to a port that the service has"),),
)
def called_at_other_port(services: Services, refused: Fleet[RefusedFlows]) -> Iterator[Finding]:
    """Pods call a service at a port that it does not have.

    An address of a service leads somewhere only at the ports, and by the protocols, that are written in it.
    Whoever calls another one, because the service's port was changed and its clients were not, or says UDP
    where they speak TCP, is answered with `Service backend not found`, while everything behind the service is
    well. Which of both is wrong, the port or the calls, is for a person to say.
    """
    for service in services.items:
        if service.is_headless or not service.spec.ports:
            continue
        held = {(port.port, port.protocol) for port in service.spec.ports}
        every = drops_to(refused, NO_BACKEND, service.addresses).lately()
        beside = Drops(
            tuple(
                (fact, flow)
                for fact, flow in every.items
                if flow.port and flow.source.pod_name and (flow.port, flow.protocol) not in held
            )
        )
        if beside:
            yield _finding(service, beside, services)


def _finding(service: Service, drops: Drops, services: Services) -> Finding:
    flow = drops.flows[-1]
    meta, change = service.metadata, service.metadata.last_change
    held = ", ".join(f"{port.port}/{port.protocol}" for port in service.spec.ports or ())
    times = [one.time for one in drops.flows if one.time]
    return finding(
        Severity.WARN,
        service.ref,
        f"{service.ref} is called at {flow.port}/{flow.protocol}, and has only {held}",
        evidence=(
            services.evidence(f"{service.ref} .spec.ports: {held}"),
            *drops.evidence("Service backend not found"),
        ),
        impact=f"{drops.attempts} connections of {', '.join(drops.clients[:3])} failed lately",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=meta.managed_by,
        alternatives=("The clients call the wrong port, and the service is right.",),
        fixes=(
            Fix.cure(
                f"Give {service.ref} the port and protocol that its clients call, if it was changed.",
                why="Every agent then has a frontend there.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Edit the ports of {service.ref}.",
                        kubectl("-n", meta.namespace, "edit", "service", meta.name),
                    ),
                ),
                undo=f"Put the ports back: {held}.",
                verify="`cilium-dbg service list` shows a frontend at that port, and the drops end.",
            ),
        ),
    )

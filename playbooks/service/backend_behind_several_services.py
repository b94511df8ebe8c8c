"""One backend stands behind several services, and its connections are reset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import RecentFlow, ResetFlows, attempts
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlice, EndpointSlices
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault

_Backend = tuple[str, int, str]


@fault(
    "SVC016",
    step="agreement",
    cases=(Case("SV-11", proof="W", twin="the same resets with one service in front of the backend"),),
)
def backend_behind_several_services(
    services: Services, slices: EndpointSlices, resets: Fleet[ResetFlows]
) -> Iterator[Finding]:
    """One backend stands behind several services, and its connections are reset.

    Connections are tracked by client and backend, not by the service that was called. A client that calls
    two services from one port of its own, both of which lead to the same port of the same pod, makes two
    connections that look like one: the second is reset or hangs. It is rare, documented, and only worth a
    thought where such a backend's connections are reset.
    """
    behind: dict[_Backend, list[Service]] = defaultdict(list)
    by_name = {(one.metadata.namespace, one.metadata.name): one for one in services.items}
    for item in slices.items:
        service = by_name.get((item.metadata.namespace, item.service))
        if service is None or service.is_headless:
            continue
        for backend in _backends_of(item):
            if service not in behind[backend]:
                behind[backend].append(service)
    told: set[tuple[str, ...]] = set()
    for (ip, port, _), shared in sorted(behind.items(), key=lambda one: one[0]):
        names = tuple(str(service.ref) for service in shared)
        hits = [
            (fact, flow)
            for _, fact in resets
            for flow in fact.items
            if (flow.addresses.destination, flow.port) == (ip, port)
            or (flow.addresses.source, flow.source_port) == (ip, port)
        ]
        if len(shared) > 1 and hits and names not in told:
            told.add(names)
            yield _finding(shared, f"{ip}:{port}", hits, slices)


def _backends_of(item: EndpointSlice) -> Iterator[_Backend]:
    for endpoint in item.endpoints or ():
        for port in item.ports or ():
            for ip in endpoint.addresses or ():
                yield ip, port.port or 0, port.protocol


def _finding(
    shared: list[Service],
    backend: str,
    hits: list[tuple[ResetFlows, RecentFlow]],
    slices: EndpointSlices,
) -> Finding:
    first, second = shared[0], shared[1]
    fact, flow = hits[-1]
    return finding(
        Severity.INFO,
        tuple(one.ref for one in shared),
        f"{first.ref} and {second.metadata.name} share backend {backend}, which sees resets",
        evidence=(
            slices.evidence(f"{backend} is in slices of {', '.join(str(one.ref) for one in shared[:4])}"),
            fact.evidence(f"{flow.source}:{flow.source_port} -> {flow.destination}:{flow.port} TCP RST"),
        ),
        alternatives=(
            "The program itself resets its connections: then clients of one service alone see it too.",
        ),
        impact=f"{attempts(flow for _, flow in hits)} connections reset lately, for whatever reason",
        last_seen=flow.time,
        ongoing=Ongoing.UNKNOWN,
        fixes=(
            Fix.cure(
                "Put one service in front of each backend.",
                why="Then no two connections of a client look alike.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        "Compare the selectors and ports of the services.",
                        kubectl("-n", first.metadata.namespace, "get", "services", "-o", "wide"),
                    ),
                    "Let clients call one of them, and give the other a port of its own.",
                ),
                undo="Put the services back as they were.",
                verify="Clients of the services see no more resets.",
            ),
        ),
    )

"""A service sends to a port at which its pods refuse connections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import RecentFlow, RefusedFlows, ResetFlows, attempts
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, ServicePort, Services
from playbooks.model.policies.refused import Refusal, refusals, told
from playbooks.model.policies.written import Direction
from playbooks.model.rule import Case, fault
from playbooks.model.wanted import WantedCalls


@fault(
    "SVC002",
    step="ports",
    cases=(Case("LAB-03", proof="R", twin="LAB-03 with the targetPort at which the containers listen"),),
)
def target_port_refused(
    services: Services,
    slices: EndpointSlices,
    pods: Pods,
    resets: Fleet[ResetFlows],
    denied: Fleet[RefusedFlows],
    wanted: WantedCalls | None,
) -> Iterator[Finding]:
    """A service sends to a port at which its pods refuse connections.

    Nothing checks a `targetPort`. With a wrong one the service has backends and every map is right; the SYN
    reaches the pod, nobody listens there, and the pod's own kernel answers with a reset, `connection
    refused`. Cilium does what it was told. Ports that containers declare are hints only, so an undeclared
    port is worth knowing, and a fault where the pods were seen to refuse: a small one while another port of
    the service leads somewhere, and none that is proven while the service leads to all that its pods declare.
    Where a policy admits only the port that is right, the SYN does not even reach the pod.
    """
    refused, dropped = _refusals(resets), _drops(denied)
    by_name = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods.items}
    for service in services.items:
        if not service.selects_pods:
            continue
        backends = _backends(service, slices, by_name)
        for port in service.spec.ports or ():
            target = port.target_port if isinstance(port.target_port, int) else 0
            declared = sorted({one for pod in backends for one in _declared(pod)})
            if not target or not declared or target in declared:
                continue
            meta = service.metadata
            called = wanted.called if wanted else frozenset()
            one = _Port(service, port, target, backends, declared, (meta.namespace, meta.name) in called)
            yield _finding(one, services, pods, refused, dropped if one.is_alone or one.is_crossed else {})


@dataclass(frozen=True, slots=True)
class _Port:
    service: Service
    port: ServicePort
    target: int
    backends: list[Pod]
    declared: list[int]
    is_wanted: bool

    @property
    def is_alone(self) -> bool:
        """Whether no port of the service leads to one that is declared."""
        return not any(target in self.declared or isinstance(target, str) for target in self._targets)

    @property
    def is_crossed(self) -> bool:
        """Whether pods declare the number that the service itself uses, and nothing leads to it any more."""
        return self.port.port in self.declared and self.port.port not in self._targets

    @property
    def is_beside(self) -> bool:
        """Whether the service leads to all that its pods declare, so that this port is one more."""
        return set(self.declared) <= set(self._targets)

    @property
    def _targets(self) -> list[int | str]:
        return [one.target_port or one.port for one in self.service.spec.ports or ()]


def _refusals(resets: Fleet[ResetFlows]) -> dict[tuple[str, str, int], list[tuple[ResetFlows, RecentFlow]]]:
    """Resets that pods sent, by namespace, name and port."""
    found: dict[tuple[str, str, int], list[tuple[ResetFlows, RecentFlow]]] = {}
    for _, fact in resets:
        for flow in fact.items:
            if flow.is_reply and flow.may_refuse and flow.source.pod_name:
                key = (flow.source.namespace, flow.source.pod_name, flow.source_port)
                found.setdefault(key, []).append((fact, flow))
    return found


def _drops(denied: Fleet[RefusedFlows]) -> dict[tuple[str, str, int], list[Refusal]]:
    """What policies refused on the way in, by namespace, name and port."""
    found: dict[tuple[str, str, int], list[Refusal]] = {}
    for drop in refusals(denied):
        if drop.direction is Direction.INGRESS:
            found.setdefault((*drop.pod, drop.flow.port), []).append(drop)
    return found


def _backends(service: Service, slices: EndpointSlices, by_name: dict[tuple[str, str], Pod]) -> list[Pod]:
    meta = service.metadata
    refs = (
        endpoint.target_ref
        for one in slices.of_service(meta.namespace, meta.name)
        for endpoint in one.endpoints or ()
        if endpoint.is_ready
    )
    names = dict.fromkeys((ref.namespace or meta.namespace, ref.name) for ref in refs if ref)
    return [by_name[name] for name in names if name in by_name]


def _declared(pod: Pod) -> Iterator[int]:
    for container in pod.spec.containers or ():
        for port in container.ports or ():
            yield port.container_port


def _finding(
    one: _Port,
    services: Services,
    pods: Pods,
    refused: dict[tuple[str, str, int], list[tuple[ResetFlows, RecentFlow]]],
    dropped: dict[tuple[str, str, int], list[Refusal]],
) -> Finding:
    service, port = one.service, one.port
    keys = [(pod.metadata.namespace, pod.metadata.name, one.target) for pod in one.backends]
    resets = [reset for key in keys for reset in refused.get(key, ())]
    drops = [drop for key in keys for drop in dropped.get(key, ())] if not resets else []
    listens = ", ".join(map(str, one.declared[:4]))
    change = service.metadata.last_change
    times = [flow.time for flow in (*(flow for _, flow in resets), *(one.flow for one in drops)) if flow.time]
    is_seen = bool(resets or drops)
    evidence = [
        services.evidence(f"{service.ref} port {port.port} targetPort {one.target}"),
        pods.evidence(f"{one.backends[0].ref} declares {listens}"),
    ]
    if resets:
        fact, flow = resets[-1]
        text = f"{flow.source}:{flow.source_port} -> {flow.destination} TCP RST, a reply"
        evidence.append(fact.evidence(text))
    evidence += [drop.evidence() for drop in drops[-1:]]
    return finding(
        _severity(one, resets, drops),
        service.ref,
        f"{service.ref} port {port.port} sends to {one.target}"
        + (f", where its pods refuse; they declare {listens}" if resets else f"; its pods declare {listens}"),
        evidence=evidence,
        impact=_impact(resets, drops),
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES if is_seen else Ongoing.UNKNOWN,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=service.metadata.managed_by,
        alternatives=(
            f"Or the containers should listen on {one.target} and do not: `ss -tln` in a pod decides.",
        )
        if is_seen
        else (),
        fixes=(_fix(one),),
    )


def _severity(one: _Port, resets: Sequence[object], drops: Sequence[object]) -> Severity:
    if resets and one.is_beside and not one.is_wanted:
        return Severity.INFO
    if resets:
        return Severity.ERROR if one.is_alone else Severity.WARN
    return Severity.WARN if drops else Severity.INFO


def _impact(resets: Sequence[tuple[ResetFlows, RecentFlow]], drops: Sequence[Refusal]) -> str:
    if resets:
        return f"{attempts(flow for _, flow in resets)} connections refused lately"
    return f"{told(drops)}: no policy admits that port" if drops else "nothing was seen to fail"


def _fix(one: _Port) -> Fix:
    service, pod = one.service, one.backends[0]
    path = f"/spec/ports/{_index(service, one.port)}/targetPort"
    fixed = [{"op": "replace", "path": path, "value": one.declared[0]}]
    where = ("-n", service.metadata.namespace)
    return Fix.cure(
        f"Send port {one.port.port} to the port on which the pods listen.",
        why="A service hands connections to its targetPort, whether anybody listens there or not.",
        risk=Risk.MEDIUM,
        steps=(
            step(
                f"Look on which ports the containers of {pod.ref} listen.",
                kubectl(*where, "exec", pod.metadata.name, "--", "ss", "-tln"),
            ),
            step(
                f"Patch the targetPort of {service.ref}.",
                kubectl(
                    *(*where, "patch", "service", service.metadata.name),
                    *("--type", "json", "-p", json.dumps(fixed)),
                ),
            ),
        ),
        undo=f"Put targetPort {one.target} back.",
        verify=f"Connections to {service.ref} port {one.port.port} are accepted.",
    )


def _index(service: Service, port: ServicePort) -> int:
    return next(number for number, one in enumerate(service.spec.ports or ()) if one is port)

"""Finds what a target names in the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from playbooks.engine.targets.parsing import Form, Target
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import ContainerPort, Pod
from playbooks.model.kube.services import Service, ServicePort, Services
from playbooks.model.mistyped import nearest
from playbooks.model.policies.pods import LabelledPod, LabelledPods

_OF_ENVOY = "192.192.192.192"
_SVC_SUFFIX = (".svc", ".svc.cluster.local")


@dataclass(frozen=True, slots=True)
class Spot:
    """One pod, at one port of it."""

    pod: LabelledPod
    """The pod."""
    port: int
    """0 for any."""
    protocol: str
    """Of the port."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A backend that is no pod here."""

    address: str
    """Its address."""
    port: int
    """At which it is called."""
    protocol: str
    """Of the port."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a target stands for."""

    target: Target
    """As it was named."""
    said: str
    """What it was taken for, in words: `Service shop/redis, 1 backend`."""
    spots: tuple[Spot, ...] = ()
    """Pods, each with the port that is meant."""
    service: Service | None = None
    """The service, where it is one."""
    address: str = ""
    """The address, where it is none of a pod."""
    host: str = ""
    """The DNS name, where it is one."""
    entity: str = ""
    """The entity, where it is one."""
    outside: tuple[Outside, ...] = ()
    """Backends of a service that are no pods."""
    has_no_such_port: bool = False
    """Whether a service was named with a port that it does not have."""

    @property
    def is_by_proxy(self) -> bool:
        """Whether it is a service behind which Envoy answers, which Cilium marks by an address of nobody."""
        return any(backend.address == _OF_ENVOY for backend in self.outside)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A target that names nothing here."""

    target: Target
    """As it was named."""
    looked_for: str
    """What was looked for, in words."""
    near: tuple[str, ...]
    """Names like it."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The things that a target may name."""

    pods: LabelledPods
    """All pods."""
    services: Services
    """All services."""
    slices: EndpointSlices
    """Their backends."""

    def resolve(self, target: Target) -> Resolved | Unresolved:
        """What a target stands for."""
        match target.form:
            case Form.ENTITY:
                return Resolved(target, f"entity {target.name}", entity=target.name)
            case Form.ADDRESS:
                return self._at_address(target)
            case Form.HOST:
                return self._at_host(target)
            case Form.LABELS:
                return self._labelled(target)
            case Form.NAMESPACE:
                return self._in_namespace(target)
            case Form.NAMED:
                return self._named(target)

    def _at_address(self, target: Target) -> Resolved:
        for pod in self.pods.items:
            if pod.pod.status.pod_ip == target.name:
                return Resolved(target, str(pod.pod.ref), (Spot(pod, target.port, target.protocol),))
        for service in self.services.items:
            if target.name in service.addresses:
                return self._of_service(target, service)
        if found := self._at_node_port(target):
            return found
        return Resolved(target, f"address {target.name}", address=target.name)

    def _at_node_port(self, target: Target) -> Resolved | None:
        """The service that nodes offer at a port of theirs."""
        if not target.port or target.name not in self._of_nodes:
            return None
        for service in self.services.items:
            for port in service.spec.ports or ():
                if (port.node_port, port.protocol) == (target.port, target.protocol):
                    return self._of_service(replace(target, port=port.port), service)
        return None

    @property
    def _of_nodes(self) -> frozenset[str]:
        """Addresses of nodes, as far as pods tell."""
        return frozenset(one.pod.status.host_ip for one in (*self.pods.items, *self.pods.on_host))

    def _at_host(self, target: Target) -> Resolved | Unresolved:
        name = target.name.rstrip(".")
        for suffix in ("", *_SVC_SUFFIX):
            if suffix and not name.endswith(suffix):
                continue
            service, _, namespace = name.removesuffix(suffix).partition(".")
            found = self.services.get(namespace, service)
            if found:
                return self._of_service(target, found)
        return Resolved(target, f"name {name}", host=name)

    def _labelled(self, target: Target) -> Resolved | Unresolved:
        selector = target.selector
        pods = [
            pod
            for pod in self._of_namespace(target.namespace)
            if selector and selector.matches(pod.labels.by_key)
        ]
        if not pods:
            carried = (
                f"{key}={value}" for pod in self._of_namespace(target.namespace) for key, value in _own(pod)
            )
            return Unresolved(
                target,
                f"pods of namespace {target.namespace} with {selector}",
                nearest(target.name, carried),
            )
        said = f"{len(pods)} pods of {target.namespace} with {selector}"
        return Resolved(target, said, _spots(pods, target))

    def _in_namespace(self, target: Target) -> Resolved | Unresolved:
        pods = self._of_namespace(target.namespace)
        if not pods:
            names = (pod.pod.metadata.namespace for pod in self.pods.items)
            return Unresolved(
                target, f"pods of namespace {target.namespace}", nearest(target.namespace, names)
            )
        return Resolved(target, f"{len(pods)} pods of namespace {target.namespace}", _spots(pods, target))

    def _named(self, target: Target) -> Resolved | Unresolved:
        service = (
            None if target.kind not in ("", "Service") else self.services.get(target.namespace, target.name)
        )
        pods = [pod for pod in self._of_namespace(target.namespace) if _is_called(pod.pod, target)]
        # What is on the network of its host is no endpoint, but it calls and is called.
        pods = pods or [
            pod for pod in self.pods.on_host if _is_in(pod.pod, target) and _is_called(pod.pod, target)
        ]
        if service and (target.kind == "Service" or not pods or _has_port(service, target)):
            return self._of_service(target, service)
        if pods and target.kind != "Service" and target.port_name and not _spots(pods, target):
            names = (port.name for pod in pods for port in ports_of(pod.pod) if port.name)
            return Unresolved(
                target,
                f"a port {target.port_name} of {_said(pods, target)}",
                nearest(target.port_name, names),
            )
        if pods and target.kind != "Service":
            return Resolved(target, _said(pods, target), _spots(pods, target))
        return Unresolved(
            target,
            f"{target.kind or 'a pod, workload or service'} {target.name} in namespace {target.namespace}",
            self._near(target),
        )

    def _of_service(self, target: Target, service: Service) -> Resolved:
        backends = tuple(self._backends(service, target))
        spots = tuple(one for one in backends if isinstance(one, Spot))
        outside = tuple(one for one in backends if isinstance(one, Outside))
        count = len({spot.pod.pod.metadata.uid or spot.pod.pod.ref for spot in spots})
        count += len({one.address for one in outside})
        said = f"{service.ref}, {count} {'backend' if count == 1 else 'backends'}"
        lacks = not service.is_headless and not _has_port(service, target)
        return Resolved(target, said, spots, service, outside=outside, has_no_such_port=lacks)

    def _backends(self, service: Service, target: Target) -> Iterator[Spot | Outside]:
        meta = service.metadata
        wanted = {
            port.name for port in service.spec.ports or () if not _asks(target) or _is_port(port, target)
        }
        for one in self.slices.of_service(meta.namespace, meta.name):
            ports = [port for port in one.ports or () if (port.name or "") in wanted]
            found = dict.fromkeys((port.port or 0, port.protocol) for port in ports)
            if service.is_headless and target.port:
                # Clients get addresses of pods and call them at the very port that they name.
                found = {(target.port, target.protocol): None}
            for endpoint in one.endpoints or ():
                ref = endpoint.target_ref
                pod = self._pod(ref.namespace or meta.namespace, ref.name) if ref else None
                for number, protocol in found:
                    if pod:
                        yield Spot(pod, number, protocol)
                    else:
                        yield from (
                            Outside(address, number, protocol) for address in endpoint.addresses or ()
                        )

    def _pod(self, namespace: str, name: str) -> LabelledPod | None:
        """A pod, on the network of its host or not."""
        if found := self.pods.by_name.get((namespace, name)):
            return found
        every = (one for one in self.pods.on_host if one.pod.metadata.namespace == namespace)
        return next((one for one in every if one.pod.metadata.name == name), None)

    def _of_namespace(self, namespace: str) -> list[LabelledPod]:
        return [pod for pod in self.pods.items if pod.pod.metadata.namespace == namespace]

    def _near(self, target: Target) -> tuple[str, ...]:
        path = f"{target.namespace}/{target.name}"
        names = [str(service.ref).partition(" ")[2] for service in self.services.items]
        names += [f"{pod.pod.metadata.namespace}/{workload_of(pod.pod)}" for pod in self.pods.items]
        elsewhere = [name for name in names if name.endswith(f"/{target.name}") and name != path]
        return tuple(dict.fromkeys((*elsewhere, *nearest(path, names))))[:3]


def workload_of(pod: Pod) -> str:
    """The name of the workload that a pod belongs to; its own where it belongs to none."""
    owner = pod.metadata.controller
    if owner is None:
        return pod.metadata.name
    hash_ = pod.metadata.label("pod-template-hash")
    if owner.kind == "ReplicaSet" and hash_:
        return owner.name.removesuffix(f"-{hash_}")
    return owner.name


def _is_called(pod: Pod, target: Target) -> bool:
    if target.kind == "Pod":
        return pod.metadata.name == target.name
    if target.kind == "Node":
        return pod.spec.node_name == target.name
    if target.kind and not _is_of_kind(pod, target.kind):
        return False
    return target.name in (pod.metadata.name, workload_of(pod))


def _is_of_kind(pod: Pod, kind: str) -> bool:
    owner = pod.metadata.controller
    has = owner.kind if owner else "Pod"
    return kind in (has, {"ReplicaSet": "Deployment", "Job": "CronJob"}.get(has, has))


def _said(pods: list[LabelledPod], target: Target) -> str:
    pod = pods[0].pod
    if pod.metadata.name == target.name:
        return str(pod.ref)
    owner = pod.metadata.controller
    kind = {"ReplicaSet": "Deployment"}.get(owner.kind, owner.kind) if owner else "Pod"
    return f"{kind} {target.namespace}/{target.name}, {len(pods)} {'pod' if len(pods) == 1 else 'pods'}"


def _spots(pods: Iterable[LabelledPod], target: Target) -> tuple[Spot, ...]:
    """Pods at the port that is meant; where it is named, only those that have one of the name."""
    if not target.port_name:
        return tuple(Spot(pod, target.port, target.protocol) for pod in pods)
    return tuple(
        Spot(pod, port.container_port, port.protocol)
        for pod in pods
        for port in ports_of(pod.pod)
        if port.name == target.port_name
    )


def ports_of(pod: Pod) -> Iterator[ContainerPort]:
    """The ports that a pod's containers declare."""
    return (port for container in pod.spec.containers or () for port in container.ports or ())


def _is_in(pod: Pod, target: Target) -> bool:
    return pod.metadata.namespace == target.namespace


def _asks(target: Target) -> bool:
    return bool(target.port or target.port_name)


def _has_port(service: Service, target: Target) -> bool:
    return not _asks(target) or any(_is_port(port, target) for port in service.spec.ports or ())


def _is_port(port: ServicePort, target: Target) -> bool:
    if target.port_name:
        return port.name == target.port_name
    return port.port == target.port and port.protocol == target.protocol


def _own(pod: LabelledPod) -> Iterable[tuple[str, str]]:
    return (pod.pod.metadata.labels or {}).items()

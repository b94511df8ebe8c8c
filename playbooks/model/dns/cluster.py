"""The cluster's DNS as Kubernetes has it: service, backends, pods, Corefile, caches on nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import msgspec

from playbooks.model.answer import Gap
from playbooks.model.dns.corefile import Corefile, read_corefile
from playbooks.model.fact import Fact, Provenance, Scene, Unreadable, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.endpoint_slices import EndpointSlices, SliceEndpoint
from playbooks.model.kube.meta import Meta, Object, listing
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.resources import CONFIG_MAPS
from playbooks.model.kube.services import Service, Services
from playbooks.model.request import Objects, Request

NAMESPACE = "kube-system"
"""Where the cluster's DNS is in every distribution."""
_LABELS = ({"k8s-app": "kube-dns"}, {"app.kubernetes.io/name": "coredns"})
_NODE_LOCAL = {"k8s-app": "node-local-dns"}
_NAMES = ("kube-dns", "coredns", "rke2-coredns-rke2-coredns")


class CorednsData(Object, frozen=True):
    """What the ConfigMap holds, but for what else is put there."""

    corefile: str | None = msgspec.field(default=None, name="Corefile")


class CorednsMap(Object, frozen=True):
    """A ConfigMap with a Corefile."""

    metadata: Meta
    data: CorednsData = CorednsData()


@dataclass(frozen=True, kw_only=True)
class CorednsConfig(Fact):
    """The ConfigMap with the Corefile that CoreDNS's pods mount."""

    metadata: Meta
    """Of the ConfigMap."""
    text: str
    """The Corefile as it is written."""
    corefile: Corefile
    """The Corefile, read."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Pods,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("ConfigMap", self.metadata.name, self.metadata.namespace)


@dataclass(frozen=True, kw_only=True)
class ClusterDns(Fact):
    """Who answers the cluster's questions for names.

    The address that kubelets hand to pods (`clusterDNS`) is not seen through the API; it ought to be the
    service's, or that of a cache on the node.
    """

    service: Service | None
    """The service, if one was found."""
    backends: tuple[SliceEndpoint, ...] | None
    """Its backends; nothing where endpoint slices could not be read."""
    pods: tuple[Pod, ...]
    """The pods that answer."""
    node_local: Mapping[str, Pod]
    """Caches on nodes (node-local-dns), by node; empty where there are none."""
    config: CorednsConfig | None
    """The Corefile; nothing where it could not be read, or another server than CoreDNS answers."""
    missing: tuple[Gap, ...]
    """What could not be read."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Pods, Services, EndpointSlices, CorednsConfig)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> ClusterDns | Gap:
        """Find service and pods by name and label."""
        pods, services = scene.get(Pods), scene.get(Services)
        slices, config = scene.get(EndpointSlices), scene.get(CorednsConfig)
        if isinstance(pods, Gap):
            return pods
        service = None if isinstance(services, Gap) else _service(services)
        backends = None if isinstance(slices, Gap) or service is None else _backends(slices, service)
        return cls(
            provenance=replace(pods.provenance, way="the cluster's DNS"),
            service=service,
            backends=backends,
            pods=tuple(pod for pod in pods.items if _answers(pod)),
            node_local={
                pod.spec.node_name: pod
                for pod in pods.matching(_NODE_LOCAL)
                if pod.spec.node_name and not pod.is_going
            },
            config=None if isinstance(config, Gap) else config,
            missing=tuple(fact for fact in (services, slices, config) if isinstance(fact, Gap)),
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The service's addresses."""
        return self.service.addresses if self.service else ()

    @property
    def ready(self) -> tuple[SliceEndpoint, ...]:
        """The backends that take questions."""
        return tuple(one for one in self.backends or () if one.is_ready)

    @property
    def node_local_addresses(self) -> tuple[str, ...]:
        """Addresses on which the caches on nodes listen, as they are told to."""
        found = [address for pod in self.node_local.values() for address in _local_addresses(pod)]
        return tuple(dict.fromkeys(found))


def _answers(pod: Pod) -> bool:
    return not pod.is_going and any(map(pod.metadata.has_labels, _LABELS))


def _service(services: Services) -> Service | None:
    ours = [one for one in services.items if one.metadata.namespace == NAMESPACE]
    named = [one for name in _NAMES for one in ours if one.metadata.name == name]
    labelled = [one for one in ours if any(map(one.metadata.has_labels, _LABELS))]
    return next(iter([*named, *labelled]), None)


def _backends(slices: EndpointSlices, service: Service) -> tuple[SliceEndpoint, ...]:
    meta = service.metadata
    found = slices.of_service(meta.namespace, meta.name)
    return tuple(endpoint for one in found for endpoint in one.endpoints or ())


def _local_addresses(pod: Pod) -> tuple[str, ...]:
    for container in pod.spec.containers or ():
        words = (*(container.command or ()), *(container.args or ()))
        for word, following in zip(words, (*words[1:], ""), strict=True):
            flag, _, value = word.partition("=")
            if flag.lstrip("-") == "localip":
                return tuple(part.strip() for part in (value or following).split(",") if part.strip())
    return ()


def _ask(scene: Scene) -> Request | Gap:
    pods = scene.get(Pods)
    found = [] if isinstance(pods, Gap) else [pod for pod in pods.items if _answers(pod)]
    mounted = [
        (pod.metadata.namespace, volume.config_map.name)
        for pod in found
        for volume in pod.spec.volumes or ()
        if volume.config_map and volume.config_map.name
    ]
    namespace, name = next(iter(mounted), (NAMESPACE, "coredns"))
    return Objects(CONFIG_MAPS, namespace=namespace, name=name)


def _make(provenance: Provenance, items: tuple[CorednsMap, ...]) -> Fact:
    text = items[0].data.corefile if items else None
    if text is None:
        name = items[0].metadata.name if items else "of CoreDNS"
        raise Unreadable(f"ConfigMap {name} has no key Corefile")
    config = read_corefile(text)
    return CorednsConfig(provenance=provenance, metadata=items[0].metadata, text=text, corefile=config)


CorednsConfig.ways = (listing("Corefile", _ask, CorednsMap, _make),)

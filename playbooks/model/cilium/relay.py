"""Hubble as Kubernetes has it: Relay, its pods, and the service through which it finds the agents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.hubble import AgentHubble
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_response import Part
from playbooks.model.fact import Fact, Scene, Scope
from playbooks.model.kube.endpoint_slices import EndpointSlices, SliceEndpoint
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, Services
from playbooks.model.kube.workloads import Deployment, Deployments

LABEL = "hubble-relay"
"""How Relay's pods are labelled."""
PEER = "hubble-peer"
"""The service behind which every agent tells Relay of the others."""


@dataclass(frozen=True, kw_only=True)
class Relay(Fact):
    """Hubble Relay in Cilium's namespace."""

    is_wanted: bool | None
    """Whether agents are told to run Hubble, without which Relay has nobody to ask; None where unknown."""
    deployment: Deployment | None
    """Its Deployment, if there is one and it could be read."""
    pods: tuple[Pod, ...]
    """Its pods, those that are not ready first."""
    service: Service | None
    """Its own service, which the console and the `hubble` command go to."""
    peer: Service | None
    """The service of the agents."""
    peers: tuple[SliceEndpoint, ...] | None
    """The agents behind that service; nothing where endpoint slices could not be read."""
    missing: tuple[Gap, ...]
    """What could not be read."""
    needs: ClassVar[tuple[type[Fact], ...]] = (
        Installation,
        CiliumConfig,
        Deployments,
        Pods,
        Services,
        EndpointSlices,
    )
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> Relay | Gap:
        """Find all of it by label and name."""
        installation, pods = scene.get(Installation), scene.get(Pods)
        if isinstance(installation, Gap):
            return installation
        if isinstance(pods, Gap):
            return pods
        namespace = installation.namespace
        config, deployments = scene.get(CiliumConfig), scene.get(Deployments)
        services, slices = scene.get(Services), scene.get(EndpointSlices)
        known = None if isinstance(services, Gap) else services
        peer = known.get(namespace, PEER) if known else None
        mine = pods.matching({"k8s-app": LABEL}, namespace)
        return cls(
            provenance=replace(pods.provenance, way="Relay's pods"),
            is_wanted=None if isinstance(config, Gap) else config.is_on("enable-hubble"),
            deployment=None
            if isinstance(deployments, Gap)
            else deployments.labelled("k8s-app", LABEL, namespace),
            pods=tuple(sorted(mine, key=lambda pod: (pod.is_ready, pod.metadata.name))),
            service=known.get(namespace, LABEL) if known else None,
            peer=peer,
            peers=None if isinstance(slices, Gap) or peer is None else _ends(slices, peer),
            missing=tuple(fact for fact in (config, deployments, services, slices) if isinstance(fact, Gap)),
        )

    def standing(self, pod: Pod) -> Standing:
        """How one of its pods stands."""
        return standing_of(pod, LABEL, self.taken_at)

    @property
    def ready(self) -> tuple[Pod, ...]:
        """The pods that are ready."""
        return tuple(pod for pod in self.pods if self.standing(pod) is Standing.READY)


def _ends(slices: EndpointSlices, service: Service) -> tuple[SliceEndpoint, ...]:
    found = slices.of_service(service.metadata.namespace, service.metadata.name)
    return tuple(endpoint for one in found for endpoint in one.endpoints or ())


@dataclass(frozen=True, kw_only=True)
class NodeHubble(Fact):
    """Hubble of one node: its state by the agent's status, its buffer by its own command."""

    part: Part | None
    """State and message in the agent's status; nothing where it does not tell."""
    flows: int | None
    """Flows in the ring buffer."""
    max_flows: int | None
    """As many as fit in."""
    seen_flows: int | None
    """Flows since Hubble started."""
    flows_per_second: float | None
    """How fast they come, over the last minute; only its own command tells."""
    version: str
    """Of the server; only its own command tells."""
    missing: tuple[Gap, ...]
    """What could not be read."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (AgentStatus, AgentHubble)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> NodeHubble | Gap:
        """Put both together; each is enough."""
        status, own = scene.get(AgentStatus), scene.get(AgentHubble)
        if isinstance(status, Gap) and isinstance(own, Gap):
            return status
        part = None if isinstance(status, Gap) else status.response.hubble
        observer = part.observer if part else None
        hubble = None if isinstance(own, Gap) else own
        known = own if isinstance(status, Gap) else status
        if isinstance(known, Gap):
            return known
        return cls(
            provenance=replace(known.provenance, way="Hubble in the agent"),
            part=part,
            flows=hubble.flows if hubble else None,
            max_flows=_first(hubble.max_flows if hubble else None, observer.max_flows if observer else None),
            seen_flows=_first(
                hubble.seen_flows if hubble else None, observer.seen_flows if observer else None
            ),
            flows_per_second=hubble.flows_per_second if hubble else None,
            version=hubble.version if hubble else "",
            missing=tuple(fact for fact in (status, own) if isinstance(fact, Gap)),
        )

    @property
    def fill(self) -> float | None:
        """How full the buffer is, from 0 to 1; it is full after minutes, which is normal."""
        return self.flows / self.max_flows if self.flows is not None and self.max_flows else None


def _first(one: int | None, other: int | None) -> int | None:
    return other if one is None else one

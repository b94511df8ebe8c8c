"""Where Relay and the agents are, by their labels: for a stream that begins before anything else is known."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from playbooks.model.answer import GapKind
from playbooks.model.cilium.installation import AGENT_LABELS
from playbooks.model.kube.pods import Container, Pod
from playbooks.model.kube.resources import PODS, SERVICES
from playbooks.model.kube.services import Service
from playbooks.model.request import Objects, Resource
from playbooks.sources.hubble.api import Api
from playbooks.sources.live.status import NoAnswer

RELAY = "hubble-relay"
"""The service of Relay, and the label of its pods."""
PORT = 4245
"""Where Relay listens unless it is told otherwise."""
CLIENT_SECRET = "hubble-relay-client-certs"
_SECRETS = Resource("", "v1", "secrets", "Secret")
_CERTIFICATES = ("ca.crt", "tls.crt", "tls.key")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person said about where things are; empty for what is to be found out."""

    namespace: str = ""
    """Cilium's namespace."""
    agent_selector: str = ""
    """Labels of the agents' pods."""
    agent_container: str = ""
    """The agents' container."""


@dataclass(frozen=True, slots=True)
class RelayPlace:
    """One pod of Relay."""

    namespace: str
    """Its namespace."""
    pod: str
    """Its name."""
    node: str
    """Where it runs."""
    port: int
    """Where it listens."""
    is_tls: bool
    """Whether its service says so, by its port."""
    hubble: str
    """The container with the hubble command, where there is one beside Relay's own."""


@dataclass(frozen=True, slots=True)
class AgentPlace:
    """One agent."""

    node: str
    """Its node."""
    namespace: str
    """The pod's namespace."""
    pod: str
    """The pod's name."""
    container: str
    """The agent's container."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a Secret holds; never printed, never kept."""

    authority: bytes = field(repr=False)
    """Whom to trust, PEM."""
    certificate: bytes = field(repr=False)
    """Who we are, PEM."""
    key: bytes = field(repr=False)
    """Its key, PEM."""


class _Secret(msgspec.Struct, frozen=True):
    data: dict[str, str] | None = None


async def relays(api: Api, choice: Choice) -> list[RelayPlace]:
    """The ready pods of Relay; others when none is. Raises `NoAnswer`."""
    request = Objects(PODS, namespace=choice.namespace, labels=f"k8s-app={RELAY}")
    pods = [pod for pod in await api.items(request, Pod) if not pod.is_going]
    if not pods:
        where = f"namespace {choice.namespace}" if choice.namespace else "this cluster"
        what = f"no pod in {where} has the label k8s-app={RELAY}: Relay is not installed"
        raise NoAnswer(
            GapKind.NOT_FOUND, what, "set the Helm values hubble.enabled and hubble.relay.enabled to true"
        )
    ready = [pod for pod in pods if pod.is_ready]
    if not ready:
        name = f"{pods[0].metadata.namespace}/{pods[0].metadata.name}"
        raise NoAnswer(GapKind.NOT_RUNNING, f"Relay is not ready: pod {name}", "look at the agent playbook")
    service = await _service(api, ready[0].metadata.namespace)
    return [_relay(pod, service) for pod in ready]


async def _service(api: Api, namespace: str) -> Service | None:
    """Relay's service; nothing where there is none, or we may not read it: the pods tell enough."""
    try:
        found = await api.items(Objects(SERVICES, namespace=namespace, name=RELAY), Service)
    except NoAnswer:
        return None
    return found[0]


def _relay(pod: Pod, service: Service | None) -> RelayPlace:
    containers = pod.spec.containers or ()
    port = (service.spec.ports or (None,))[0] if service else None
    wanted = port.target_port if port else None
    other = [one for one in containers if one.name != RELAY and "hubble-cli" in (one.name + one.image)]
    return RelayPlace(
        pod.metadata.namespace,
        pod.metadata.name,
        pod.spec.node_name,
        wanted if isinstance(wanted, int) and wanted else _named(containers, wanted or "grpc"),
        port is not None and port.port == 443,
        other[0].name if other else "",
    )


def _named(containers: Sequence[Container], name: int | str) -> int:
    ports = [port for container in containers for port in container.ports or ()]
    return next((port.container_port for port in ports if port.name == name), PORT)


async def client_certificates(api: Api, namespace: str) -> Certificates:
    """What Relay itself shows to agents, which Relay's own server accepts too. Raises `NoAnswer`."""
    request = Objects(_SECRETS, namespace=namespace, name=CLIENT_SECRET)
    (secret,) = await api.items(request, _Secret)
    values = []
    for name in _CERTIFICATES:
        text = (secret.data or {}).get(name, "")
        try:
            values.append(base64.b64decode(text, validate=True))
        except ValueError:
            values.append(b"")
    if not all(values):
        what = f"Secret {namespace}/{CLIENT_SECRET} lacks one of {', '.join(_CERTIFICATES)}"
        raise NoAnswer(GapKind.UNREADABLE, what, "give --tls-client-cert-file and --tls-client-key-file")
    return Certificates(*values)


async def agents(api: Api, choice: Choice) -> list[AgentPlace]:
    """The running agents. Raises `NoAnswer`."""
    usual = [",".join(f"{key}={value}" for key, value in labels.items()) for labels in AGENT_LABELS]
    for labels in [choice.agent_selector] if choice.agent_selector else usual:
        request = Objects(PODS, namespace=choice.namespace, labels=labels)
        found = [
            _agent(pod, choice) for pod in await api.items(request, Pod) if pod.status.phase == "Running"
        ]
        if running := [place for place in found if place is not None]:
            return sorted(running, key=lambda place: place.node)
    what = "no running pod has the labels of an agent"
    raise NoAnswer(
        GapKind.NOT_FOUND, what, "name them with --cilium-namespace, --agent-selector, --agent-container"
    )


def _agent(pod: Pod, choice: Choice) -> AgentPlace | None:
    names = [container.name for container in pod.spec.containers or ()]
    names += [status.name for status in pod.status.container_statuses or ()]
    wanted = choice.agent_container or "cilium-agent"
    if wanted not in names:
        return None
    return AgentPlace(pod.spec.node_name, pod.metadata.namespace, pod.metadata.name, wanted)

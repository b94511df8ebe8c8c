"""The agents: what they refuse, what they wait for, and the objects they write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice.catalog import (
    CILIUM_ENDPOINTS,
    CILIUM_IDENTITIES,
    CILIUM_NODES,
    CRDS,
    NAMESPACES,
    NODES,
)  # fmt: skip
from playbooks.practice.network import Endpoint, identity_number
from playbooks.practice.objects import Json, labels_of, owner_reference
from playbooks.practice.ownership import Writer
from playbooks.practice.profile import Addressing
from playbooks.practice.runs import Container, PodRun

if TYPE_CHECKING:
    from playbooks.practice.world import World

AGENT = "cilium-agent"
"""Name of the agent's container and of its field manager."""
CNI_WITHOUT_AGENT = (
    'plugin type="cilium-cni" failed (add): unable to connect to Cilium agent: failed to create cilium '
    'agent client after 30.000000 seconds timeout: Get "http://localhost/v1/config": '
    "dial unix /var/run/cilium/cilium.sock: connect: no such file or directory Is the agent running?"
)
"""What the CNI plugin says while there is no agent."""
CNI_RANGE_FULL = (
    'plugin type="cilium-cni" failed (add): unable to allocate IP via local cilium agent: [POST /ipam][502] '
    "postIpamFailure range is full"
)
"""What the CNI plugin says when the node has no address left."""

CNI_TIMED_OUT = (
    'plugin type="cilium-cni" failed (add): unable to create endpoint: Cilium API client timeout exceeded'
)
"""What it says when the agent does not come to an end."""

_APPS = ("cilium", "anetd")
_WRITER = Writer(AGENT)
# Values that an agent accepts, and how it refuses others.
_ACCEPTED = {"tunnel-protocol": (("vxlan", "geneve"), 'invalid tunnel protocol "{}"')}
_NO_IDENTITY = frozenset({"pod-template-hash", "controller-revision-hash", "pod-template-generation"})


def is_agent(pod: Json) -> bool:
    """Whether a pod is an agent's."""
    return labels_of(pod).get("k8s-app") in _APPS and container_name(pod) is not None


def container_name(pod: Json) -> str | None:
    """The container that runs the agent, however it is named."""
    for entry in pod["spec"]["containers"]:
        if entry["name"] == AGENT or (entry.get("command") or [""])[0].rpartition("/")[2] == AGENT:
            return str(entry["name"])
    return None


def refusal(config: dict[str, str]) -> str:
    """Why an agent does not start with this configuration; empty when it does."""
    for key, (values, text) in _ACCEPTED.items():
        if key in config and config[key] not in values:
            return text.format(config[key])
    return ""


def missing_definitions(world: World) -> list[str]:
    """CRDs that an agent waits for."""
    return [
        kind.qualified for kind in world.profile.kinds if world.store.get(CRDS, "", kind.qualified) is None
    ]


def container_of(run: PodRun) -> Container:
    """The agent's container."""
    return run.containers[container_name(run.pod) or AGENT]


def can_serve(world: World, run: PodRun) -> bool:
    """Whether an agent has found all it waits for; once it has, it goes on without."""
    current = container_of(run).run
    if current is None:
        return False
    if "definitions" not in current.noticed and not missing_definitions(world):
        current.noticed["definitions"] = world.now
    return "definitions" in current.noticed


def is_up(world: World, node: str) -> bool:
    """Whether the agent on a node answers."""
    run = world.agents.get(node)
    return run is not None and container_of(run).is_up


def has_local_peer(world: World, run: PodRun) -> bool:
    """Whether Relay reaches the peer service, which is served by the agent on its own node only."""
    current = run.containers["hubble-relay"].run
    has_peer = is_up(world, run.node)
    if current is not None:
        if has_peer:
            current.noticed.setdefault("connected", world.now)
        elif "connected" in current.noticed:
            current.noticed.setdefault("lost", world.now)
    return has_peer


def knows_peers(run: PodRun) -> bool:
    """Whether Relay has ever reached the peer service since it was started."""
    current = run.containers["hubble-relay"].run
    return current is not None and "connected" in current.noticed


def identity_labels(world: World, pod: Json) -> list[str]:
    """The labels that make a pod's identity."""
    namespace = pod["metadata"]["namespace"]
    above = labels_of(world.store.get(NAMESPACES, "", namespace) or {"metadata": {}})
    ports = "_".join(
        f"{port['name']}.{port['protocol']}.{port['containerPort']}" for port in named_ports(pod)
    )
    labels = {f"k8s:{key}": value for key, value in labels_of(pod).items() if key not in _NO_IDENTITY}
    labels |= {f"k8s:io.cilium.k8s.namespace.labels.{key}": value for key, value in above.items()}
    labels["k8s:io.cilium.k8s.policy.cluster"] = world.cluster
    labels["k8s:io.cilium.k8s.policy.serviceaccount"] = pod["spec"].get("serviceAccountName", "default")
    labels["k8s:io.kubernetes.pod.namespace"] = namespace
    if ports:
        labels["gen:io.cilium.k8s.named-ports"] = ports
    return [f"{key}={value}" for key, value in sorted(labels.items())]


def named_ports(pod: Json) -> list[Json]:
    """The named ports of a pod's containers."""
    return [
        {"protocol": "TCP", **port}
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("name")
    ]


def reconcile(world: World) -> None:
    """Write what agents that are up write: their nodes, endpoints and identities."""
    for node in tuple(world.agents):
        if is_up(world, node) and world.store.kind(*CILIUM_NODES.key):
            _cilium_node(world, node)
    if world.store.kind(*CILIUM_ENDPOINTS.key) is None:
        return
    for run in tuple(world.runs.values()):
        endpoint = world.network.endpoints.get((run.namespace, run.name))
        if endpoint is None or not is_up(world, run.node):
            continue
        if world.agents[run.node].config.get("disable-endpoint-crd") != "true":
            _cilium_endpoint(world, run, endpoint)


def _cilium_node(world: World, node: str) -> None:
    if world.store.get(CILIUM_NODES, "", node) is not None:
        return
    owner = world.store.get(NODES, "", node)
    if owner is None:
        return
    network = world.network.nodes[node]
    spec: Json = {
        "addresses": [
            *({"ip": ip, "type": "InternalIP"} for ip in network.addresses.every),
            *({"ip": ip, "type": "CiliumInternalIP"} for ip in network.routers.every),
        ],
        "alibaba-cloud": {},
        "azure": {},
        "bootid": network.boot_id,
        "encryption": {},
        "eni": {},
        "health": network.health.addresses.keyed() if network.health else {},
        "ingress": network.ingress.keyed(),
        "ipam": _ipam(world, node),
    }
    item: Json = {
        "apiVersion": CILIUM_NODES.api_version,
        "kind": CILIUM_NODES.kind,
        "metadata": {
            "labels": labels_of(owner),
            "name": node,
            "ownerReferences": [owner_reference(owner, is_controller=False)],
        },
        "spec": spec,
        "status": {"alibaba-cloud": {}, "azure": {}, "eni": {}, "ipam": {"operator-status": {}}},
    }
    world.put(CILIUM_NODES, item, _WRITER)


def _ipam(world: World, node: str) -> Json:
    network = world.network.nodes[node]
    if world.profile.addressing is Addressing.CLOUD:
        return {"pool": {ip: {} for ip in world.network.pool(node)}, "pools": {}}
    if network.ranges.every:
        return {"podCIDRs": list(network.ranges.every), "pools": {}}
    return {"pools": {}}


def _cilium_endpoint(world: World, run: PodRun, endpoint: Endpoint) -> None:
    labels = identity_labels(world, run.pod)
    number = identity_number(labels, world.cluster_id)
    before = world.store.get(CILIUM_ENDPOINTS, run.namespace, run.name)
    if before is not None and before["status"]["identity"]["id"] == number:
        return
    if world.agents[run.node].config.get("identity-allocation-mode", "crd") == "crd":
        _cilium_identity(world, run.namespace, number, labels)
    status: Json = {
        "encryption": {},
        "external-identifiers": {"cni-attachment-id": endpoint.attachment},
        "id": endpoint.id,
        "identity": {"id": number, "labels": labels},
        "networking": {
            "addressing": [endpoint.addresses.keyed()],
            "node": world.network.nodes[run.node].node_ip,
        },
        "service-account": run.pod["spec"].get("serviceAccountName", "default"),
        "state": "ready",
    }
    ports = named_ports(run.pod)
    if ports:
        status["named-ports"] = [
            {"name": port["name"], "port": port["containerPort"], "protocol": port["protocol"]}
            for port in ports
        ]
    item: Json = {
        "apiVersion": CILIUM_ENDPOINTS.api_version,
        "kind": CILIUM_ENDPOINTS.kind,
        "metadata": {
            "labels": labels_of(run.pod),
            "name": run.name,
            "namespace": run.namespace,
            "ownerReferences": [owner_reference(run.pod, is_controller=False)],
        },
        "status": status,
    }
    world.put(CILIUM_ENDPOINTS, item, _WRITER)


def _cilium_identity(world: World, namespace: str, number: int, labels: list[str]) -> None:
    if world.store.get(CILIUM_IDENTITIES, "", str(number)) is not None:
        return
    item: Json = {
        "apiVersion": CILIUM_IDENTITIES.api_version,
        "kind": CILIUM_IDENTITIES.kind,
        "metadata": {"labels": {"io.kubernetes.pod.namespace": namespace}, "name": str(number)},
        "security-labels": dict(label.split("=", 1) for label in labels),
    }
    world.put(CILIUM_IDENTITIES, item, _WRITER)

"""Facts as rows of objects: the two or three columns that matter when something is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from playbooks.engine.targets.resolving import workload_of
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.identities import CiliumIdentities
from playbooks.model.cilium.policies import CiliumNetworkPolicy
from playbooks.model.finding import Ref
from playbooks.model.kube import resources as kinds
from playbooks.model.kube.endpoint_slices import EndpointSlice, EndpointSlices
from playbooks.model.kube.meta import Meta
from playbooks.model.kube.network_policies import NetworkPolicy
from playbooks.model.kube.nodes import Node, Nodes
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, ServicePort, Services
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Written
from tui.view.objects import Details, Item

_UNKNOWN = "?"
_POD_NAMESPACE = "k8s:io.kubernetes.pod.namespace"
_SHORT = {
    "NetworkPolicy": "netpol",
    "CiliumNetworkPolicy": "cnp",
    "CiliumClusterwideNetworkPolicy": "ccnp",
}
_POLICY_KINDS = {
    "NetworkPolicy": kinds.NETWORK_POLICIES,
    "CiliumNetworkPolicy": kinds.CILIUM_NETWORK_POLICIES,
    "CiliumClusterwideNetworkPolicy": kinds.CILIUM_CLUSTERWIDE_NETWORK_POLICIES,
}


def pods(found: Pods) -> Iterator[Item]:
    """Pods: how they are, where they run."""
    return map(_pod, found.items)


def _pod(pod: Pod) -> Item:
    statuses = pod.status.container_statuses or ()
    inits = pod.status.init_container_statuses or ()
    state, is_sick = pod_state(pod)
    ready = f"{sum(one.ready for one in statuses)}/{len(pod.spec.containers or statuses)}"
    restarts = sum(one.restart_count for one in (*inits, *statuses))
    path = f"{pod.metadata.namespace}/{pod.metadata.name}"
    troubled = sorted((*statuses, *inits), key=lambda one: one.ready or one.state.terminated is not None)
    containers = [one.name for one in troubled] or [one.name for one in pod.spec.containers or ()]
    return Item(
        pod.ref,
        (state, ready, pod.spec.node_name or "no node yet", str(restarts)),
        kinds.PODS,
        is_sick,
        f"pod/{path}",
        pod.metadata.namespace,
        partial(_of_pod, pod),
        workload_of(pod),
        tuple(dict.fromkeys(containers)),
    )


def _of_pod(pod: Pod) -> Details:
    return (
        *_meta(pod.metadata),
        ("workload", f"{pod.metadata.namespace}/{workload_of(pod)}"),
        ("address", pod.status.pod_ip or "none"),
        ("network", "of its host: it has no endpoint" if pod.spec.host_network else "its own"),
        ("phase", pod.status.phase),
        ("message", pod.status.message),
    )


def pod_state(pod: Pod) -> tuple[str, bool]:
    """How a pod is, in the word of kubectl, and whether that is worth a look."""
    status = pod.status
    if pod.metadata.deletion_timestamp is not None:
        return "Terminating", False
    every = (*(status.init_container_statuses or ()), *(status.container_statuses or ()))
    if reason := next((one.waiting_reason for one in every if one.waiting_reason), ""):
        return reason, True
    if status.phase == "Running" and not pod.is_ready:
        return "not ready", True
    return status.reason or status.phase or _UNKNOWN, status.phase not in ("Running", "Succeeded")


def services(found: Services, slices: EndpointSlices | None) -> Iterator[Item]:
    """Services: whether anything stands behind them."""
    ready: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for one in slices.items if slices else ():
        key = (one.metadata.namespace, one.service)
        total[key] += len(one.endpoints or ())
        ready[key] += sum(each.is_ready for each in one.endpoints or ())
    for service in found.items:
        key = (service.metadata.namespace, service.metadata.name)
        yield _service(service, (ready[key], total[key]) if slices else None)


def _service(service: Service, backends: tuple[int, int] | None) -> Item:
    spec = service.spec
    state, is_sick = "ok", False
    if spec.type == "ExternalName":
        state, count = f"is {spec.external_name}", "-"
    elif backends is None:
        state, count = _UNKNOWN, "not visible"
    else:
        count = f"{backends[0]}/{backends[1]}"
        is_sick = not backends[0]
        state = "no backends" if not backends[1] else "none ready" if is_sick else "ok"
        if is_sick and not spec.selector:
            state, is_sick = f"{state}, no selector", False
    addresses = service.addresses
    more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
    address = f"{addresses[0]}{more}" if addresses else "none"
    path = f"{service.metadata.namespace}/{service.metadata.name}"
    return Item(
        service.ref,
        (state, count, spec.type, address, " ".join(map(_port, spec.ports or ()))),
        kinds.SERVICES,
        is_sick,
        f"service/{path}",
        service.metadata.namespace,
        partial(_of_service, service),
    )


def _of_service(service: Service) -> Details:
    spec = service.spec
    selector = ",".join(f"{key}={value}" for key, value in (spec.selector or {}).items())
    return (
        *_meta(service.metadata),
        ("selector", selector or "none: its backends are set by hand"),
        ("addresses", ", ".join(service.addresses) or "none"),
        ("leads", ", ".join(f"{_port(one)} to {one.target_port or one.port}" for one in spec.ports or ())),
        ("external", spec.external_traffic_policy),
        ("internal", spec.internal_traffic_policy),
        ("affinity", spec.session_affinity),
    )


def _port(port: ServicePort) -> str:
    return f"{port.port}/{port.protocol}"


def nodes(found: Nodes, agents: Agents | None) -> Iterator[Item]:
    """Nodes: ready or not, and whether their agent is."""
    for node in found.items:
        yield _node(node, _agent(node, agents))


def _agent(node: Node, agents: Agents | None) -> tuple[str, bool]:
    if agents is None:
        return "not visible", False
    agent = agents.by_node.get(node.name)
    if agent is None:
        return ("no agent", True) if node.name in agents.nodes else ("-", False)
    if agent.status is None:
        return _UNKNOWN, False
    if agent.status.ready:
        return "ready", False
    return agent.status.waiting_reason or "not ready", True


def _node(node: Node, agent: tuple[str, bool]) -> Item:
    state = "Ready" if node.is_ready else "NotReady"
    if node.spec.unschedulable:
        state += ", cordoned"
    info = node.status.node_info
    addresses = [one.address for one in node.status.addresses or () if one.type == "InternalIP"]
    return Item(
        node.ref,
        (state, agent[0], addresses[0] if addresses else "none", info.kernel_version or _UNKNOWN),
        kinds.NODES,
        agent[1] or not node.is_ready,
        node.name,
        "",
        partial(_of_node, node),
    )


def _of_node(node: Node) -> Details:
    info = node.status.node_info
    taints = ", ".join(f"{one.key}:{one.effect}" for one in node.spec.taints or ())
    return (
        *_meta(node.metadata),
        ("addresses", ", ".join(one.address for one in node.status.addresses or ())),
        ("pod CIDRs", ", ".join(node.spec.pod_cidrs or ())),
        ("taints", taints or "none"),
        ("image", info.os_image),
        ("kubelet", info.kubelet_version),
        ("runtime", info.container_runtime_version),
    )


def endpoints(found: ClusterEndpoints, machines: Nodes | None) -> Iterator[Item]:
    """Endpoints as agents published them."""
    by_address = {
        one.address: node.name
        for node in (machines.items if machines else ())
        for one in node.status.addresses or ()
    }
    for one in found.items:
        node = by_address.get(one.node_address, one.node_address or _UNKNOWN)
        identity = _UNKNOWN if one.identity is None else str(one.identity)
        state = one.state or "not told"
        is_sick = bool(one.state) and one.state != "ready"
        if one.identity is None:
            state, is_sick = f"{state}, no identity", True
        cells = (state, str(one.id or _UNKNOWN), identity, node)
        yield Item(
            Ref("CiliumEndpoint", one.name, one.namespace, node),
            cells,
            kinds.CILIUM_ENDPOINTS,
            is_sick,
            f"pod/{one.namespace}/{one.name}",
            one.namespace,
            partial(_of_endpoint, f"{one.namespace}/{one.name}"),
        )


def _of_endpoint(path: str) -> Details:
    return (("of pod", path), ("agent", f":endpoint get {path}"))


def policies(
    written: WrittenPolicies, carriers: LabelledPods | None, valid: Mapping[Ref, str]
) -> Iterator[Item]:
    """Policies: whom they select, what they refuse by default, whether Cilium takes them."""
    rules: dict[Ref, list[Written]] = {}
    for one in written.items:
        rules.setdefault(one.policy, []).append(one)
    for ref, parts in rules.items():
        yield _policy(ref, parts, carriers, valid.get(ref, ""))


def _policy(ref: Ref, parts: list[Written], carriers: LabelledPods | None, wrong: str) -> Item:
    is_for_nodes = any(one.is_for_nodes for one in parts)
    selects, is_nobody = "not visible", False
    if is_for_nodes:
        selects = "nodes"
    elif carriers is not None:
        chosen = {one.pod.ref for part in parts for one in carriers.selected_by(part)}
        selects = f"{len(chosen)} pods" if len(chosen) != 1 else "1 pod"
        is_nobody = not chosen and carriers.is_complete
    denies = sorted({direction.value for one in parts for direction in one.default_deny})
    state = "invalid" if wrong else "selects nothing" if is_nobody else "ok"
    return Item(
        ref,
        (state, selects, "+".join(denies) or "nothing", _SHORT[ref.kind]),
        _POLICY_KINDS[ref.kind],
        bool(wrong) or is_nobody,
        "",
        ref.namespace,
        partial(_of_policy, tuple(parts), wrong),
    )


def _of_policy(parts: tuple[Written, ...], wrong: str) -> Details:
    return (
        ("selector", ", ".join(dict.fromkeys(str(one.selector) for one in parts))),
        ("rules", str(sum(len(one.rules) for one in parts))),
        ("operator", wrong),
        ("owner", next((one.owner for one in parts if one.owner), "")),
    )


def refusals(found: Iterable[CiliumNetworkPolicy]) -> dict[Ref, str]:
    """What the operator says of policies that it does not take."""
    conditions = ((one.ref, one.valid) for one in found)
    return {ref: said.message or said.reason for ref, said in conditions if said and said.status == "False"}


def without_rules(found: Iterable[CiliumNetworkPolicy | NetworkPolicy]) -> Iterator[Item]:
    """Policies that hold no rule set at all: also these are there."""
    for one in found:
        cells = ("no rules", "nothing", "nothing", _SHORT[one.ref.kind])
        resource = _POLICY_KINDS[one.ref.kind]
        yield Item(one.ref, cells, resource, True, "", one.ref.namespace, partial(_meta, one.metadata))


def identities(found: CiliumIdentities, published: ClusterEndpoints | None) -> Iterator[Item]:
    """Identities: how many endpoints share one, and which labels it stands for."""
    used = Counter(one.identity for one in published.items) if published else None
    for one in found.items:
        labels = one.security_labels or {}
        namespace = labels.get(_POD_NAMESPACE, "")
        count = "not visible" if used is None else str(used[one.number])
        shown = [
            f"{key}={value}" for key, value in sorted(labels.items(), key=lambda pair: _is_system(pair[0]))
        ]
        yield Item(
            Ref("CiliumIdentity", one.metadata.name),
            (count, namespace, " ".join(shown)),
            kinds.CILIUM_IDENTITIES,
            False,
            "",
            namespace,
            partial(_of_identity, one.metadata, tuple(shown)),
        )


def _is_system(key: str) -> bool:
    return "io.kubernetes" in key or "io.cilium" in key


def slices(found: EndpointSlices) -> Iterator[Item]:
    """Slices: how many of their backends take connections."""
    return map(_slice, found.items)


def _slice(one: EndpointSlice) -> Item:
    backends = one.endpoints or ()
    ready = sum(each.is_ready for each in backends)
    state = "no backends" if not backends else "ok" if ready else "none ready"
    ports = " ".join(f"{port.port or '*'}/{port.protocol}" for port in one.ports or ())
    meta = one.metadata
    return Item(
        Ref("EndpointSlice", meta.name, meta.namespace),
        (state, one.service or "none", f"{ready}/{len(backends)}", ports),
        kinds.ENDPOINT_SLICES,
        bool(backends) and not ready,
        f"service/{meta.namespace}/{one.service}" if one.service else "",
        meta.namespace,
        partial(_of_slice, one),
    )


def _of_slice(one: EndpointSlice) -> Details:
    backends = (
        f"{' '.join(each.addresses or ())} on {each.node_name or '?'}" for each in one.endpoints or ()
    )
    return (*_meta(one.metadata), ("type", one.address_type), *(("backend", each) for each in backends))


def _of_identity(meta: Meta, labels: tuple[str, ...]) -> Details:
    return (*_meta(meta), *(("label", label) for label in labels))


def _meta(meta: Meta) -> Details:
    created = f"{meta.creation_timestamp:%Y-%m-%d %H:%M:%S} UTC" if meta.creation_timestamp else ""
    labels = ", ".join(f"{key}={value}" for key, value in (meta.labels or {}).items())
    return (("created", created), ("labels", labels), ("owner", meta.managed_by))

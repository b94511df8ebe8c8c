"""How the cluster is laid out at first: nodes, namespaces, Cilium, DNS and a small shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice import manifests, mesh, nodes, operator, services
from playbooks.practice.catalog import (
    CONFIG_MAPS,
    DAEMON_SETS,
    DEPLOYMENTS,
    LEASES,
    NAMESPACES,
    NODES,
    SERVICE_ACCOUNTS,
    SERVICES,
    SLICES,
    Kind,
)  # fmt: skip
from playbooks.practice.objects import Json, stamp
from playbooks.practice.ownership import Writer

if TYPE_CHECKING:
    from playbooks.practice.world import World

_NAMESPACES: dict[str, dict[str, str]] = {
    "cilium-secrets": {"app.kubernetes.io/part-of": "cilium"},
    "default": {},
    "kube-node-lease": {},
    "kube-public": {},
    "kube-system": {},
    "monitoring": {"team": "sre"},
    "shop": {"team": "retail"},
}
_KINDS: dict[str, Kind] = {
    "ConfigMap": CONFIG_MAPS, "DaemonSet": DAEMON_SETS, "Deployment": DEPLOYMENTS, "Service": SERVICES,
}  # fmt: skip
_AWAY_FROM_VIRTUAL: Json = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]}]}
            ]
        }
    }
}
_SHOP_WRITER = Writer("kubectl-client-side-apply")


def furnish(world: World, count: int, installer: Writer) -> None:
    """Put a cluster of `count` nodes into an empty world."""
    for name, labels in _NAMESPACES.items():
        world.put(NAMESPACES, _namespace(name, labels), Writer("kube-apiserver"))
        world.put(SERVICE_ACCOUNTS, _account(name, "default"), Writer("kube-controller-manager"))
    accounts = ("cilium", "cilium-operator", "coredns", "hubble-relay")
    for name in (*accounts, mesh.APP) if mesh.APP in world.profile.manifests else accounts:
        world.put(SERVICE_ACCOUNTS, _account("kube-system", name), installer)
    api_server = _nodes(world, count)
    _control_plane(world, api_server)
    for file in world.profile.manifests:
        for item in manifests.documents(file, _marks(world, api_server)):
            _install(world, _fitted(world, item), installer)
    if world.profile.is_operator_hosted:
        operator.register_all(world)
    for row in manifests.shop():
        _install(world, _deployment(row), _SHOP_WRITER)
        if row.get("ports"):
            service = _service(row)
            if len(world.profile.families) > 1:
                service["spec"]["ipFamilyPolicy"] = "PreferDualStack"
            _install(world, service, _SHOP_WRITER)


def _marks(world: World, api_server: str) -> dict[str, str]:
    profile = world.profile
    return {
        "API_SERVER": api_server,
        "CLUSTER_NAME": world.cluster,
        "CLUSTER_ID": str(world.cluster_id),
        "practice.local/cilium:": f"{profile.image}:",
        "1.20.2": profile.version,
    }


def _fitted(world: World, item: Json) -> Json:
    """The object as the profile has it."""
    profile = world.profile
    kind, name = item["kind"], item["metadata"]["name"]
    if kind == "ConfigMap" and name == "cilium-config":
        data = {**item["data"], **profile.config}
        if data.get("cluster-pool-ipv4-cidr"):
            data["cluster-pool-ipv4-cidr"] = world.network.pool_cidr
        return {**item, "data": {key: value for key, value in data.items() if value is not None}}
    template = (item.get("spec") or {}).get("template")
    if template is None:
        return item
    spec = template["spec"]
    if kind == "DaemonSet" and name == "cilium" and profile.agent != name:
        labels = {"k8s-app": profile.agent}
        template = {**template, "metadata": {**template["metadata"], "labels": labels}}
        spec = {key: value for key, value in spec.items() if key != "affinity"}
        metadata = {**item["metadata"], "name": profile.agent, "labels": labels}
        item = {**item, "metadata": metadata}
        item["spec"] = {**item["spec"], "selector": {"matchLabels": labels}}
    if profile.bare_nodes and any(entry == {"operator": "Exists"} for entry in spec.get("tolerations") or ()):
        spec = {**spec, "affinity": {**(spec.get("affinity") or {}), **_AWAY_FROM_VIRTUAL}}
        spec["nodeSelector"] = {"kubernetes.io/os": "linux", **(spec.get("nodeSelector") or {})}
    return {**item, "spec": {**item["spec"], "template": {**template, "spec": spec}}}


def _namespace(name: str, labels: dict[str, str]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"labels": {**labels, "kubernetes.io/metadata.name": name}, "name": name},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _account(namespace: str, name: str) -> Json:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def _nodes(world: World, count: int) -> str:
    names = world.names.nodes(count)
    profile = world.profile
    for number, name in enumerate(names):
        network = world.network.add_node(name, number, world.now)
        node = nodes.node_object(
            name,
            network.addresses.every,
            f"{profile.image}:v{profile.version}",
            is_control_plane=number == 0,
            boot_id=network.boot_id,
            machine=world.names.digest(32),
        )
        node["metadata"]["labels"] |= dict(profile.node_labels)
        _join(world, node)
    for number, row in enumerate(profile.bare_nodes, len(names)):
        name = f"{world.cluster}-{row['name']}"
        addresses = world.network.add_host(name, number)
        machine = world.names.digest(32)
        node = nodes.node_object(
            name, addresses.every, "", is_control_plane=False, boot_id=world.names.uid(), machine=machine
        )
        node["metadata"]["labels"] |= row["labels"]
        node["spec"]["taints"] = row["taints"]
        if row["labels"].get("kubernetes.io/os") == "windows":
            node["status"]["nodeInfo"] |= {"operatingSystem": "windows", "osImage": "Windows Server 2022"}
        _join(world, node)
    return world.network.nodes[names[0]].node_ip


def _join(world: World, node: Json) -> None:
    node["status"]["conditions"] = nodes.healthy_conditions(stamp(world.now))
    made = world.put(NODES, node, Writer("kubelet"))
    name = made["metadata"]["name"]
    lease = nodes.new_lease(name, "kube-node-lease", name, 40, world.now, made)
    world.put(LEASES, lease, Writer("kubelet"))


def _control_plane(world: World, api_server: str) -> None:
    for component in ("kube-controller-manager", "kube-scheduler"):
        holder = f"{world.cluster}-control-1_{world.names.uid()}"
        lease = nodes.new_lease(component, "kube-system", holder, 15, world.now)
        world.put(LEASES, lease, Writer(component))
    apiserver = f"apiserver-{world.names.digest(26)}"
    lease = nodes.new_lease(apiserver, "kube-system", f"{apiserver}_{world.names.uid()}", 3600, world.now)
    lease["metadata"]["labels"] = {"apiserver.kubernetes.io/identity": "kube-apiserver"}
    world.put(LEASES, lease, Writer("kube-apiserver"))
    service: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "labels": {"component": "apiserver", "provider": "kubernetes"},
            "name": "kubernetes",
            "namespace": "default",
        },
        "spec": {
            "clusterIP": services.API_SERVER,
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    }
    world.put(SERVICES, services.admitted(world, service), Writer("kube-apiserver"))
    slice_: Json = {
        "addressType": world.profile.families[0],
        "apiVersion": "discovery.k8s.io/v1",
        "endpoints": [{"addresses": [api_server], "conditions": {"ready": True}}],
        "kind": "EndpointSlice",
        "metadata": {
            "labels": {"kubernetes.io/service-name": "kubernetes"},
            "name": "kubernetes",
            "namespace": "default",
        },
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    }
    world.put(SLICES, slice_, Writer("kube-apiserver"))


def _install(world: World, item: Json, writer: Writer) -> None:
    if item["kind"] == "Service":
        item = services.admitted(world, item)
    world.put(_KINDS[item["kind"]], item, writer)


def _deployment(row: Json) -> Json:
    container: Json = {"args": row["args"], "image": "practice.local/shop:1", "name": row["name"]}
    if row.get("containerPorts"):
        container["ports"] = [{"containerPort": port, "protocol": "TCP"} for port in row["containerPorts"]]
    template: Json = {"metadata": {"labels": row["labels"]}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"labels": {"app": row["name"]}, "name": row["name"], "namespace": row["namespace"]},
        "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": row["replicas"],
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app": row["name"]}},
            "strategy": {
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
                "type": "RollingUpdate",
            },
            "template": template,
        },
    }


def _service(row: Json) -> Json:
    ports = [{"protocol": "TCP", **port} for port in row["ports"]]
    is_outside = any("nodePort" in port for port in ports)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": row["name"], "namespace": row["namespace"]},
        "spec": {
            "ports": ports,
            "selector": {"app": row["name"]},
            "type": "NodePort" if is_outside else "ClusterIP",
        },
    }

"""Services and what stands behind them: EndpointSlices and Endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice.catalog import CILIUM_POOLS, ENDPOINTS, PODS, SERVICES, SLICES
from playbooks.practice.naming import stable
from playbooks.practice.objects import (
    Json,
    by_name,
    labels_of,
    matches,
    name_of,
    namespace_of,
    owner_of,
    owner_reference,
    stamp,
    uid_of,
)  # fmt: skip
from playbooks.practice.ownership import Writer
from playbooks.practice.workloads import is_ready

if TYPE_CHECKING:
    from playbooks.practice.world import World

API_SERVER = "10.96.0.1"
"""Address of the service `kubernetes`."""
_WRITER = Writer("kube-controller-manager")
_CLOUD, _BALANCERS = "cloud-controller-manager", "192.0.2."


def admitted(world: World, service: Json) -> Json:
    """The service with its defaults and a cluster address."""
    spec = dict(service["spec"])
    spec.setdefault("type", "ClusterIP")
    if spec["type"] != "ExternalName":
        taken = {entry["spec"].get("clusterIP") for entry in world.store.all(SERVICES)}
        number = stable(f"{namespace_of(service)}/{name_of(service)}", 1, 250 * 250 - 1)
        while f"10.96.{number // 250}.{2 + number % 250}" in taken:
            number = (number + 1) % (250 * 250)
        spec.setdefault("clusterIP", f"10.96.{number // 250}.{2 + number % 250}")
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        is_single = spec["ipFamilyPolicy"] == "SingleStack"
        families = world.profile.families[:1] if is_single else world.profile.families
        spec.setdefault("ipFamilies", list(families))
        if "clusterIPs" not in spec:
            spec["clusterIPs"] = _addresses(spec["clusterIP"], spec["ipFamilies"])
            spec["clusterIP"] = spec["clusterIPs"][0]
        spec.setdefault("internalTrafficPolicy", "Cluster")
    spec.setdefault("sessionAffinity", "None")
    spec["ports"] = [_port(spec, port, number) for number, port in enumerate(spec.get("ports") or ())]
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer" and spec["externalTrafficPolicy"] == "Local":
        spec.setdefault("healthCheckNodePort", 30000 + stable(f"{spec['clusterIP']} health", 0, 2767))
    return {**service, "spec": spec, "status": service.get("status") or {"loadBalancer": {}}}


def _addresses(ip: str, families: list[str]) -> list[str]:
    """The address in each family; the same service has the same number in each."""
    if ip == "None" or ":" in ip:
        return [ip]
    *_, high, low = map(int, ip.split("."))
    ipv6 = f"fd00:10:96::{high * 256 + low:x}"
    return [ip if family == "IPv4" else ipv6 for family in families]


def reconcile(world: World) -> None:
    """Bring slices into line with pods."""
    slices: dict[tuple[str, str], Json] = {}
    for item in world.store.all(SLICES):
        owner = owner_of(item)
        if owner:
            slices[owner["uid"], item["addressType"]] = item
    for service in world.store.all(SERVICES):
        _balance(world, service)
        if not service["spec"].get("selector"):
            continue
        pods = _pods(world, service)
        families = service["spec"].get("ipFamilies") or world.profile.families[:1]
        for family in families:
            _slice(world, service, family, pods, slices.get((uid_of(service), family)))


def _balance(world: World, service: Json) -> None:
    """Give a service the address of a load balancer, as the cloud does."""
    spec = service["spec"]
    is_clouds = not world.store.kind(*CILIUM_POOLS.key) or not world.store.all(CILIUM_POOLS)
    if spec.get("type") != "LoadBalancer" or spec.get("loadBalancerClass") or not is_clouds:
        return
    if not (service.get("status") or {}).get("loadBalancer"):
        ip = f"{_BALANCERS}{stable(f'{namespace_of(service)}/{name_of(service)}', 1, 250)}"
        status: Json = {"loadBalancer": {"ingress": [{"ip": ip}]}}
        world.put_status(SERVICES, service, status, _CLOUD)


def _port(spec: Json, port: Json, number: int) -> Json:
    result = {"protocol": "TCP", "targetPort": port["port"], **port}
    if spec["type"] in ("NodePort", "LoadBalancer"):
        result.setdefault("nodePort", 30000 + stable(str(spec.get("clusterIP")) + str(number), 0, 2767))
    return result


def _pods(world: World, service: Json) -> list[Json]:
    return [
        pod
        for pod in by_name(world.store.all(PODS, namespace_of(service)))
        if matches(service["spec"]["selector"], labels_of(pod)) and pod.get("status", {}).get("podIP")
    ]


def _slice(world: World, service: Json, family: str, pods: list[Json], before: Json | None) -> None:
    endpoints = [_endpoint(pod, ip) for pod in pods for ip in _ips(pod, family)]
    ports = _ports(service, pods)
    if (
        before is not None
        and before["endpoints"] == (endpoints or None)
        and before["ports"] == (ports or None)
    ):
        return
    labels = {
        **labels_of(service),
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": name_of(service),
    }
    if service["spec"].get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    name = name_of(before) if before else f"{name_of(service)}-{world.names.suffix()}"
    item: Json = {
        "addressType": family,
        "apiVersion": "discovery.k8s.io/v1",
        "endpoints": endpoints or None,
        "kind": "EndpointSlice",
        "metadata": {
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": stamp(world.now)},
            "generateName": f"{name_of(service)}-",
            "labels": labels,
            "name": name,
            "namespace": namespace_of(service),
            "ownerReferences": [owner_reference(service)],
        },
        "ports": ports or None,
    }
    world.put(SLICES, item, _WRITER)
    if family == (service["spec"].get("ipFamilies") or [family])[0]:
        _endpoints(world, service, endpoints, ports)


def _ips(pod: Json, family: str) -> list[str]:
    wants_ipv6 = family == "IPv6"
    return [entry["ip"] for entry in pod["status"]["podIPs"] if (":" in entry["ip"]) == wants_ipv6]


def _endpoint(pod: Json, ip: str) -> Json:
    ready = is_ready(pod)
    return {
        "addresses": [ip],
        "conditions": {"ready": ready, "serving": ready, "terminating": False},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {
            "kind": "Pod",
            "name": name_of(pod),
            "namespace": namespace_of(pod),
            "uid": uid_of(pod),
        },
    }


def _ports(service: Json, pods: list[Json]) -> list[Json]:
    ports = []
    for port in service["spec"]["ports"] if pods else ():
        number = port["targetPort"]
        if isinstance(number, str):
            named = [
                entry["containerPort"]
                for container in pods[0]["spec"]["containers"]
                for entry in container.get("ports") or ()
                if entry.get("name") == number
            ]
            if not named:
                continue
            number = named[0]
        ports.append({"name": port.get("name", ""), "port": number, "protocol": port["protocol"]})
    return ports


def _endpoints(world: World, service: Json, endpoints: list[Json], ports: list[Json]) -> None:
    sides: dict[str, list[Json]] = {"addresses": [], "notReadyAddresses": []}
    for endpoint in endpoints:
        side = "addresses" if endpoint["conditions"]["ready"] else "notReadyAddresses"
        sides[side].append(
            {
                "ip": endpoint["addresses"][0],
                "nodeName": endpoint["nodeName"],
                "targetRef": endpoint["targetRef"],
            }
        )
    item: Json = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "labels": labels_of(service),
            "name": name_of(service),
            "namespace": namespace_of(service),
            "ownerReferences": [owner_reference(service)],
        },
    }
    if endpoints:
        item["subsets"] = [{**{key: side for key, side in sides.items() if side}, "ports": ports}]
    world.put(ENDPOINTS, item, _WRITER)

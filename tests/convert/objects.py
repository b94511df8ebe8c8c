"""Object lists as the API server gives them, from what `kubectl get -o json` printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from playbooks.model.answer import End
from playbooks.model.request import ApiPath, Objects, Request, Resource
from tests.convert.lab import Look, Row, Told
from tests.convert.scrub import scrub

API = "API server"
CORE, APPS, CILIUM, RBAC = "", "apps", "cilium.io", "rbac.authorization.k8s.io"

PODS = Resource(CORE, "v1", "pods", "Pod")
EVENTS = Resource(CORE, "v1", "events", "Event")
CONFIG_MAPS = Resource(CORE, "v1", "configmaps", "ConfigMap")
DAEMON_SETS = Resource(APPS, "v1", "daemonsets", "DaemonSet")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")

LISTS = {
    "pods -A": PODS,
    "nodes": Resource(CORE, "v1", "nodes", "Node", is_namespaced=False),
    "services -A": Resource(CORE, "v1", "services", "Service"),
    "namespaces": Resource(CORE, "v1", "namespaces", "Namespace", is_namespaced=False),
    "events -A": EVENTS,
    "deployments -A": Resource(APPS, "v1", "deployments", "Deployment"),
    "endpointslices -A": Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    "networkpolicies -A": Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    "ciliumendpoints -A": Resource(CILIUM, "v2", "ciliumendpoints", "CiliumEndpoint"),
    "ciliumnetworkpolicies -A": Resource(CILIUM, "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"),
    "ciliumclusterwidenetworkpolicies": Resource(
        CILIUM,
        "v2",
        "ciliumclusterwidenetworkpolicies",
        "CiliumClusterwideNetworkPolicy",
        is_namespaced=False,
    ),
    "ciliumidentities": Resource(CILIUM, "v2", "ciliumidentities", "CiliumIdentity", is_namespaced=False),
    "ciliumnodes": Resource(CILIUM, "v2", "ciliumnodes", "CiliumNode", is_namespaced=False),
}
"""What follows `kubectl get` in the lab, and the kind that it lists."""

NAMED = {
    "clusterrole cilium cilium-operator": Resource(
        RBAC, "v1", "clusterroles", "ClusterRole", is_namespaced=False
    ),
    "clusterrolebinding cilium cilium-operator": Resource(
        RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", is_namespaced=False
    ),
}

Item = dict[str, Any]


def objects(look: Look) -> Iterator[Told]:
    """Everything the API server told in this look."""
    for words, resource in LISTS.items():
        row = look.row(f"kubectl get {words} -o json")
        yield _list(row, Objects(resource), _items(look, row))
    yield from _of_kube_system(look)
    yield from _warnings(look)
    yield from daemon_sets(look)
    yield from _leases(look)
    yield from _named(look)
    yield from _raw(look)


def items_of(look: Look, words: str) -> list[Item]:
    """The objects of one recorded list, as printed."""
    return _items(look, look.row(f"kubectl get {words} -o json"))


def _of_kube_system(look: Look) -> Iterator[Told]:
    """What is asked instead where only Cilium's namespace may be read."""
    for words in ("pods -A", "deployments -A"):
        row = look.row(f"kubectl get {words} -o json")
        items = [item for item in _items(look, row) if item["metadata"]["namespace"] == "kube-system"]
        where = f"{API} (those of kube-system among all)"
        yield _list(row, Objects(LISTS[words], namespace="kube-system"), items, row.command, where)


def _warnings(look: Look) -> Iterator[Told]:
    row = look.row("kubectl get events -A -o json")
    warnings = [event for event in _items(look, row) if event.get("type") == "Warning"]
    where = f"{API} (the Warnings among all events)"
    yield _list(row, Objects(EVENTS, fields="type=Warning"), warnings, row.command, where)


def daemon_sets(look: Look) -> Iterator[Told]:
    """DaemonSets of kube-system, and of all namespaces if the pods prove that there are no others."""
    row = look.row("kubectl get deployments,daemonsets -n kube-system -o json")
    found = [item for item in _items(look, row) if item["kind"] == "DaemonSet"]
    yield _list(row, Objects(DAEMON_SETS, namespace="kube-system"), found, row.command)
    if not any(_is_of_daemon_set(pod) for pod in items_of(look, "pods -A")):
        where = f"{API} (DaemonSets of kube-system; no pod elsewhere belongs to one)"
        yield _list(row, Objects(DAEMON_SETS), found, row.command, where)


def _is_of_daemon_set(pod: Item) -> bool:
    owners = pod["metadata"].get("ownerReferences", [])
    return pod["metadata"]["namespace"] != "kube-system" and any(o["kind"] == "DaemonSet" for o in owners)


def _leases(look: Look) -> Iterator[Told]:
    for namespace in ("kube-system", "kube-node-lease"):
        row = look.row(f"kubectl get leases -n {namespace} -o json")
        items = _items(look, row)
        yield _list(row, Objects(LEASES, namespace=namespace), items)
        for item in items:
            request = Objects(LEASES, namespace=namespace, name=item["metadata"]["name"])
            yield _told(row, request, item, row.command)


def _named(look: Look) -> Iterator[Told]:
    row = look.row("kubectl get configmap cilium-config -n kube-system -o json")
    request = Objects(CONFIG_MAPS, namespace="kube-system", name="cilium-config")
    yield _told(row, request, json.loads(look.body(row)))
    for words, resource in NAMED.items():
        row = look.row(f"kubectl get {words} -o json")
        for item in _items(look, row):
            yield _told(row, Objects(resource, name=item["metadata"]["name"]), item, row.command)


def _raw(look: Look) -> Iterator[Told]:
    for path in ("/apis", "/readyz?verbose"):
        row = look.row(f"kubectl get --raw {path}")
        yield Told(ApiPath(path), look.body(row), _end(row, row.command))
    row = look.row("kubectl version -o json")
    # kubectl decodes /version into `serverVersion` and prints all of it.
    yield _told(row, ApiPath("/version"), json.loads(look.body(row))["serverVersion"], row.command)


def _items(look: Look, row: Row) -> list[Item]:
    items: list[Item] = json.loads(look.body(row))["items"]
    return items


def _list(row: Row, request: Objects, items: list[Item], command: str = "", where: str = API) -> Told:
    resource = request.resource
    if resource.group != CILIUM:
        # kubectl writes the type into every item; the API server does so only for custom resources.
        items = [{key: value for key, value in item.items() if key not in _TYPE} for item in items]
    page = {
        "kind": f"{resource.kind}List",
        "apiVersion": f"{resource.group}/{resource.version}".lstrip("/"),
        "metadata": {"resourceVersion": ""},
        "items": items,
    }
    return _told(row, request, page, command, where)


_TYPE = frozenset({"kind", "apiVersion"})


def _told(row: Row, request: Request, document: Item, command: str = "", where: str = API) -> Told:
    body = json.dumps(scrub(document), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return Told(request, body, _end(row, command or request.command(), where))


def _end(row: Row, command: str, where: str = API) -> End:
    return End(command, where, row.at, row.seconds, row.exit_code, b"", row.truncated)

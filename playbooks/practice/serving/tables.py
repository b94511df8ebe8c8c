"""Lists as kubectl wants them for printing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from playbooks.practice.catalog import Kind
from playbooks.practice.objects import Json
from playbooks.practice.serving import cells
from playbooks.practice.serving.cells import Reader, at


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    """Its heading."""
    read: Reader
    """How its value is taken."""
    priority: int = 0
    """1 for columns that only a wide listing shows."""


_NAME, _AGE = Column("Name", cells.name), Column("Age", cells.age_of)
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _NAME,
        Column("Ready", cells.pod_ready),
        Column("Status", cells.pod_status),
        Column("Restarts", cells.pod_restarts),
        _AGE,
        Column("IP", at("status", "podIP", absent="<none>"), 1),
        Column("Node", at("spec", "nodeName", absent="<none>"), 1),
        Column("Nominated Node", at("status", "nominatedNodeName", absent="<none>"), 1),
        Column("Readiness Gates", lambda _item, _now: "<none>", 1),
    ),
    "nodes": (
        _NAME,
        Column("Status", cells.node_status),
        Column("Roles", cells.node_roles),
        _AGE,
        Column("Version", at("status", "nodeInfo", "kubeletVersion")),
        Column("Internal-IP", cells.node_address, 1),
        Column("External-IP", lambda _item, _now: "<none>", 1),
        Column("OS-Image", at("status", "nodeInfo", "osImage"), 1),
        Column("Kernel-Version", at("status", "nodeInfo", "kernelVersion"), 1),
        Column("Container-Runtime", at("status", "nodeInfo", "containerRuntimeVersion"), 1),
    ),
    "services": (
        _NAME,
        Column("Type", at("spec", "type")),
        Column("Cluster-IP", at("spec", "clusterIP", absent="<none>")),
        Column("External-IP", lambda _item, _now: "<none>"),
        Column("Port(s)", cells.service_ports),
        _AGE,
        Column("Selector", cells.selector, 1),
    ),
    "deployments": (
        _NAME,
        Column("Ready", cells.ready_of_wanted),
        Column("Up-to-date", at("status", "updatedReplicas", absent=0)),
        Column("Available", at("status", "availableReplicas", absent=0)),
        _AGE,
        Column("Selector", cells.selector, 1),
    ),
    "daemonsets": (
        _NAME,
        Column("Desired", at("status", "desiredNumberScheduled", absent=0)),
        Column("Current", at("status", "currentNumberScheduled", absent=0)),
        Column("Ready", at("status", "numberReady", absent=0)),
        Column("Up-to-date", at("status", "updatedNumberScheduled", absent=0)),
        Column("Available", at("status", "numberAvailable", absent=0)),
        Column("Node Selector", cells.node_selector),
        _AGE,
        Column("Selector", cells.selector, 1),
    ),
    "replicasets": (
        _NAME,
        Column("Desired", at("spec", "replicas", absent=0)),
        Column("Current", at("status", "replicas", absent=0)),
        Column("Ready", at("status", "readyReplicas", absent=0)),
        _AGE,
        Column("Selector", cells.selector, 1),
    ),
    "configmaps": (_NAME, Column("Data", cells.data_count), _AGE),
    "namespaces": (_NAME, Column("Status", at("status", "phase")), _AGE),
    "events": (
        Column("Last Seen", cells.event_seen),
        Column("Type", at("type")),
        Column("Reason", at("reason")),
        Column("Object", cells.event_object),
        Column("Subobject", at("involvedObject", "fieldPath"), 1),
        Column("Source", at("reportingComponent"), 1),
        Column("Message", at("message")),
        Column("Count", at("count", absent=1), 1),
        Column("Name", cells.name, 1),
    ),
    "leases": (_NAME, Column("Holder", at("spec", "holderIdentity")), _AGE),
    "endpointslices": (
        _NAME,
        Column("AddressType", at("addressType")),
        Column("Ports", cells.slice_ports),
        Column("Endpoints", cells.slice_endpoints),
        _AGE,
    ),
    "endpoints": (_NAME, Column("Endpoints", cells.endpoint_addresses), _AGE),
    "customresourcedefinitions": (_NAME, Column("Created At", at("metadata", "creationTimestamp"))),
    "ciliumendpoints": (
        _NAME,
        Column("Security Identity", at("status", "identity", "id")),
        Column("Endpoint State", at("status", "state")),
        Column("IPv4", cells.endpoint_address("ipv4")),
        Column("IPv6", cells.endpoint_address("ipv6")),
    ),
    "ciliumidentities": (
        _NAME,
        Column("Namespace", at("metadata", "labels", "io.kubernetes.pod.namespace")),
        _AGE,
    ),
    "ciliumnodes": (
        _NAME,
        Column("CiliumInternalIP", cells.cilium_address("CiliumInternalIP")),
        Column("InternalIP", cells.cilium_address("InternalIP")),
        _AGE,
    ),
    "ciliumnetworkpolicies": (_NAME, _AGE, Column("Valid", cells.is_valid)),
    "networkpolicies": (_NAME, Column("Pod-Selector", cells.pod_selector), _AGE),
    "ciliumclusterwidenetworkpolicies": (_NAME, Column("Valid", cells.is_valid)),
}


def wanted(accept: str) -> bool:
    """Whether the client asks for a table before anything else."""
    return "as=Table" in accept.split(",")[0] and "v=v1;" in accept.split(",")[0].replace(" ", "") + ";"


def table(
    kind: Kind, items: list[Json], metadata: Json, now: datetime, *, included: str = "Metadata"
) -> Json:
    """Objects as a table; `included` says how much of each object goes with its row."""
    columns = _COLUMNS.get(kind.plural, (_NAME, _AGE))
    definitions = [
        {
            "name": column.title,
            "type": "string",
            "format": "name" if column.title == "Name" else "",
            "description": "",
            "priority": column.priority,
        }
        for column in columns
    ]
    rows = []
    for item in items:
        row: Json = {"cells": [column.read(item, now) for column in columns]}
        if included == "Object":
            row["object"] = item
        elif included != "None":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            }
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }

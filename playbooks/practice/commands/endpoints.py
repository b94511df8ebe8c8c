"""`endpoint list`: the endpoints of one node."""

from __future__ import annotations

from datetime import datetime

from playbooks.practice.commands import realized
from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.control import of_endpoint, retried
from playbooks.practice.commands.view import AgentView, LocalEndpoint
from playbooks.practice.network import Addresses
from playbooks.practice.objects import Json, stamp
from playbooks.practice.policies import lockdown

_OPTIONS = {
    "Debug": "Disabled",
    "DebugLB": "Disabled",
    "DebugPolicy": "Disabled",
    "DropNotification": "Enabled",
    "MonitorAggregationLevel": "Medium",
    "PolicyAuditMode": "Disabled",
    "PolicyVerdictNotification": "Enabled",
    "SourceIPVerification": "Enabled",
    "TraceNotification": "Enabled",
}


def documents(view: AgentView) -> list[Json]:
    """The endpoints as objects."""
    return [_document(view, entry) for entry in view.endpoints]


def text(view: AgentView) -> str:
    """The endpoints as text."""
    lines = [
        "ENDPOINT\tPOLICY (ingress)\tPOLICY (egress)\tIDENTITY\t"
        "LABELS (source:key[=value])\tIPv6\tIPv4\tSTATUS\t",
        "\tENFORCEMENT\tENFORCEMENT\t\t\t\t\t",
    ]
    for entry in view.endpoints:
        addresses = entry.endpoint.addresses if entry.endpoint else Addresses()
        first, *others = entry.labels
        lines.append(
            f"{entry.id}\t{realized.enforcement(view, entry)}\t{entry.identity}\t{first}\t"
            f"{addresses.ipv6}\t{addresses.ipv4}\t{_state(entry)}\t"
        )
        lines += [f"\t\t\t\t{label}\t\t\t" for label in others]
    return laid_out("\n".join(lines)) + "\n"


def _document(view: AgentView, entry: LocalEndpoint) -> Json:
    audited = "Enabled" if view.is_on("policy-audit-mode") else "Disabled"
    options = {**_OPTIONS, "PolicyAuditMode": audited}
    settings: Json = {"label-configuration": {}, "options": options}
    regenerated, _ = view.last(120, "endpoint-periodic-regeneration")
    if entry.endpoint is not None:
        regenerated = max(regenerated, entry.endpoint.created)
    computed = realized.policy(view, entry)
    statistics = realized.proxy_statistics(view, entry)
    policy: Json = {"proxy-statistics": statistics, "realized": computed, "spec": computed}
    if entry.endpoint is not None:
        policy["proxy-policy-revision"] = view.revision
    health = "Warning" if entry.failing else "OK"
    labels: Json = {"realized": {}, "security-relevant": list(entry.labels)}
    if entry.template_hash:
        labels["derived"] = [f"k8s:pod-template-hash={entry.template_hash}"]
    attachment = {"cni-attachment-id": entry.endpoint.attachment} if entry.endpoint and entry.pod else {}
    answer: Json = {
        "id": entry.id,
        "spec": settings,
        "status": {
            "controllers": [
                controller.document(view.boot)
                for controller in sorted(of_endpoint(view, entry), key=lambda controller: controller.name)
            ],
            "external-identifiers": attachment,
            "health": {"bpf": health, "connected": True, "overallHealth": health, "policy": health},
            "identity": {"id": entry.identity, "labels": list(entry.labels)},
            "labels": labels,
            "log": [_last_entry(view, entry, regenerated)],
            "networking": _networking(view, entry),
            "policy": policy,
            "realized": settings,
            "state": _state(entry),
        },
    }
    if entry.ports:
        answer["status"]["namedPorts"] = [
            {"name": name, "port": port, "protocol": protocol} for name, port, protocol in entry.ports
        ]
    return answer


def _state(entry: LocalEndpoint) -> str:
    return "not-ready" if entry.failing else "ready"


def _last_entry(view: AgentView, entry: LocalEndpoint, regenerated: datetime) -> Json:
    if entry.failing is None:
        message = "Successfully regenerated endpoint program (Reason: PeriodicRegeneration)"
        return {"code": "OK", "message": message, "state": "ready", "timestamp": stamp(regenerated)}
    message = f"Error regenerating endpoint: {lockdown.ERROR}"
    at, _ = retried(entry.failing, view.now)
    return {"code": "Failure", "message": message, "state": "ready", "timestamp": stamp(at)}


def _networking(view: AgentView, entry: LocalEndpoint) -> Json:
    endpoint = entry.endpoint
    if endpoint is None:
        mac = view.network.mac
        return {
            "addressing": [{}],
            "host-mac": mac,
            "interface-index": 3,
            "interface-name": "cilium_host",
            "mac": mac,
        }
    networking: Json = {
        "addressing": [_addressing(endpoint.addresses)],
        "host-mac": endpoint.host_mac,
        "interface-index": endpoint.index,
        "interface-name": endpoint.interface if entry.pod else "lxc_health",
        "mac": endpoint.mac,
    }
    if entry.pod:
        networking["container-interface-name"] = "eth0"
    return networking


def _addressing(addresses: Addresses) -> Json:
    pools = {f"{family}-pool-name": "default" for family in addresses.keyed()}
    return {**addresses.keyed(), **pools}

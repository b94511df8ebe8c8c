"""What agent and debug events tell beside their type, in the words of the hubble command."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from playbooks.model.hubble.printers.layouts import Clock
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.proto.flow_pb2 import AgentEvent, DebugEvent, Endpoint

NOT_KNOWN = "N/A"
_UNKNOWN = "UNKNOWN"


def agent_event(event: AgentEvent, clock: Clock) -> str:
    """The details of an agent event; `UNKNOWN` when it lacks what its type promises."""
    known = _DETAILS.get(event.type)
    if known is None or event.WhichOneof("notification") != known[0]:
        return _UNKNOWN
    return known[1](event, clock)


def _joined(parts: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in parts if value is not None)


def _unknown(event: AgentEvent, _clock: Clock) -> str:
    return f"type: {event.unknown.type}, notification: {event.unknown.notification}"


def _start(event: AgentEvent, clock: Clock) -> str:
    start = event.agent_start
    return f"start time: {clock.text(start.time) if start.HasField('time') else NOT_KNOWN}"


def _policy(event: AgentEvent, _clock: Clock) -> str:
    policy = event.policy_update
    return f"labels: [{','.join(policy.labels)}], revision: {policy.revision}, count: {policy.rule_count}"


def _regenerated(event: AgentEvent, _clock: Clock) -> str:
    one = event.endpoint_regenerate
    return _joined((("id", one.id), ("labels", f"[{','.join(one.labels)}]"), ("error", one.error or None)))


def _endpoint(event: AgentEvent, _clock: Clock) -> str:
    one = event.endpoint_update
    return _joined((("id", one.id), ("namespace", one.namespace or None), ("pod name", one.pod_name or None)))


def _ipcache(event: AgentEvent, _clock: Clock) -> str:
    one = event.ipcache_update
    old = one.old_identity.value if one.HasField("old_identity") else None
    parts = (
        ("cidr", one.cidr),
        ("identity", one.identity),
        ("old identity", old),
        ("host ip", one.host_ip or None),
        ("old host ip", one.old_host_ip or None),
        ("encrypt key", one.encrypt_key),
    )
    return _joined(parts)


def _service(event: AgentEvent, _clock: Clock) -> str:
    one = event.service_upsert
    backends = ",".join(map(_address, one.backend_addresses))
    parts = (
        ("id", one.id),
        ("frontend", _address(one.frontend_address) if one.HasField("frontend_address") else None),
        ("backends", f"[{backends}]" if backends else None),
        ("type", one.type or None),
        ("traffic policy", one.traffic_policy or None),
        ("namespace", one.namespace or None),
        ("name", one.name or None),
    )
    return _joined(parts)


def _address(one: flow_pb2.ServiceUpsertNotificationAddr) -> str:
    return f"[{one.ip}]:{one.port}" if ":" in one.ip else f"{one.ip}:{one.port}"


def _deleted(event: AgentEvent, _clock: Clock) -> str:
    return f"id: {event.service_delete.id}"


_DETAILS: dict[int, tuple[str, Callable[[AgentEvent, Clock], str]]] = {
    flow_pb2.AGENT_EVENT_UNKNOWN: ("unknown", _unknown),
    flow_pb2.AGENT_STARTED: ("agent_start", _start),
    flow_pb2.POLICY_UPDATED: ("policy_update", _policy),
    flow_pb2.POLICY_DELETED: ("policy_update", _policy),
    flow_pb2.ENDPOINT_REGENERATE_SUCCESS: ("endpoint_regenerate", _regenerated),
    flow_pb2.ENDPOINT_REGENERATE_FAILURE: ("endpoint_regenerate", _regenerated),
    flow_pb2.ENDPOINT_CREATED: ("endpoint_update", _endpoint),
    flow_pb2.ENDPOINT_DELETED: ("endpoint_update", _endpoint),
    flow_pb2.IPCACHE_UPSERTED: ("ipcache_update", _ipcache),
    flow_pb2.IPCACHE_DELETED: ("ipcache_update", _ipcache),
    flow_pb2.SERVICE_UPSERTED: ("service_upsert", _service),
    flow_pb2.SERVICE_DELETED: ("service_delete", _deleted),
}


def source(event: DebugEvent) -> str:
    """The endpoint that a debug event is about."""
    return _short(event.source) if event.HasField("source") else NOT_KNOWN


def _short(endpoint: Endpoint) -> str:
    number = f"ID: {endpoint.ID}"
    if endpoint.namespace and endpoint.pod_name:
        return f"{endpoint.namespace}/{endpoint.pod_name} ({number})"
    if len(endpoint.labels) == 1 and endpoint.labels[0].startswith("reserved:"):
        return f"{endpoint.labels[0]} ({number})"
    return number


def mark(event: DebugEvent) -> str:
    """The hash of the packet."""
    return f"0x{event.hash.value:x}" if event.HasField("hash") else NOT_KNOWN


def cpu(event: DebugEvent) -> str:
    """The CPU that it happened on."""
    return f"{event.cpu.value:02d}" if event.HasField("cpu") else NOT_KNOWN

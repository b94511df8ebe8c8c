"""Events read the plain way, from the whole schema: what the fast reader must give too."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.seen import (
    Addresses,
    Correlated,
    Dns,
    Endpoint,
    Event,
    Http,
    Kafka,
    Layer4,
    Layer7,
    Lost,
    NodeStatus,
    Other,
    Policy,
    Seen,
    TcpFlags,
    Workload,
)

TRACE, VERDICT, FORWARDED = 4, 5, 1


def expected(event: ExportEvent, home: str) -> Event:
    size = event.ByteSize()
    time, node = _time(event.time), event.node_name
    match event.WhichOneof("response_types"):
        case "flow":
            return _flow(event.flow, node, home)
        case "lost_events":
            lost = event.lost_events
            cpu = lost.cpu.value if lost.HasField("cpu") else None
            return Lost(
                time, node, lost.source, lost.num_events_lost, cpu, _time(lost.first), _time(lost.last)
            )
        case "node_status":
            status = event.node_status
            return NodeStatus(time, node, status.state_change, tuple(status.node_names), status.message)
        case "agent_event":
            return Other(time, node, "agent event", "", size)
        case "debug_event":
            return Other(time, node, "debug event", "", size)
    return Other(time, node, "empty", "the message says nothing", size)


def _flow(flow: flow_pb2.Flow, node: str, home: str) -> Seen:
    kind = flow.event_type.type
    names = tuple(flow.source_names), tuple(flow.destination_names)
    named = (names[0] and names[0][-1]) or (names[1] and names[1][-1])
    return Seen(
        time=_time(flow.time),
        node=flow.node_name or node,
        verdict=flow.verdict,
        drop_reason=0 if flow.verdict == FORWARDED else flow.drop_reason_desc or flow.drop_reason,
        ip=Addresses(
            flow.IP.source, flow.IP.destination, flow.IP.ipVersion, flow.IP.encrypted, flow.IP.source_xlated
        ),
        l4=_layer4(flow.l4),
        source=_endpoint(flow.source, home),
        destination=_endpoint(flow.destination, home),
        l7=_layer7(flow.l7) if flow.l7.ByteSize() else None,
        event_type=kind,
        sub_type=flow.event_type.sub_type,
        direction=flow.traffic_direction,
        is_reply=flow.is_reply.value if flow.HasField("is_reply") else None,
        observation_point=flow.trace_observation_point,
        policy_match_type=flow.policy_match_type if kind == VERDICT else 0,
        source_service=_service(flow.source_service),
        destination_service=_service(flow.destination_service),
        uuid=flow.uuid,
        names=names if named else None,
        policies=None if kind == TRACE else _policies(flow),
        auth_type=flow.auth_type if kind == VERDICT else 0,
    )


def _time(time: Timestamp) -> int:
    return time.seconds * 10**9 + time.nanos


def _endpoint(told: flow_pb2.Endpoint, home: str) -> Endpoint:
    workloads = tuple(Workload(one.kind, one.name) for one in told.workloads)
    labels = tuple(told.labels)
    return Endpoint(
        told.ID,
        told.identity,
        told.namespace,
        told.pod_name,
        labels,
        workloads,
        told.cluster_name,
        _workload(told, labels, home),
    )


def _workload(told: flow_pb2.Endpoint, labels: tuple[str, ...], home: str) -> str:
    name = (workload := [*told.workloads, flow_pb2.Workload()][0].name) or told.pod_name
    if told.namespace or name:
        cluster = "" if told.cluster_name == home else told.cluster_name
        return "/".join(part for part in (cluster, told.namespace, workload or told.pod_name) if part)
    reserved = sorted(label[9:] for label in labels if label[:9] == "reserved:")
    for telling in ("kube-apiserver", "ingress", "health", "host", "remote-node", "world"):
        if telling in reserved:
            return telling
    return reserved[0] if reserved else f"identity {told.identity}" if told.identity else ""


def _layer4(l4: flow_pb2.Layer4) -> Layer4:
    name = l4.WhichOneof("protocol")
    if name is None:
        return Layer4()
    told = getattr(l4, name)
    if name == "TCP":
        flags = sum(flag.value for flag in TcpFlags if getattr(told.flags, str(flag.name)))
        return Layer4(name, told.source_port, told.destination_port, flags)
    if name in ("UDP", "SCTP"):
        return Layer4(name, told.source_port, told.destination_port)
    return Layer4(name, type=told.type, code=told.code if name.startswith("ICMP") else None)


def _layer7(l7: flow_pb2.Layer7) -> Layer7:
    record: Dns | Http | Kafka | None = None
    kind = ""
    match l7.WhichOneof("record"):
        case "dns":
            kind, dns = "DNS", l7.dns
            record = Dns(
                dns.query,
                tuple(dns.ips),
                dns.ttl,
                tuple(dns.cnames),
                dns.observation_source,
                dns.rcode,
                tuple(dns.qtypes),
                tuple(dns.rrtypes),
            )
        case "http":
            kind, http = "HTTP", l7.http
            headers = tuple((one.key, one.value) for one in http.headers)
            record = Http(http.code, http.method, http.url, http.protocol, headers)
        case "kafka":
            kind, kafka = "Kafka", l7.kafka
            record = Kafka(
                kafka.error_code, kafka.api_version, kafka.api_key, kafka.correlation_id, kafka.topic
            )
    return Layer7(l7.type, l7.latency_ns, record, kind)


def _service(told: flow_pb2.Service) -> str:
    return f"{told.namespace}/{told.name}" if told.ByteSize() else ""


def _policies(flow: flow_pb2.Flow) -> Correlated | None:
    lists = [
        tuple(Policy(one.name, one.namespace, one.kind, tuple(one.labels), one.revision) for one in told)
        for told in (
            flow.egress_allowed_by,
            flow.ingress_allowed_by,
            flow.egress_denied_by,
            flow.ingress_denied_by,
        )
    ]
    return Correlated(*lists) if any(lists) else None

"""The world's flows as Hubble's messages: what is shared by all flows of a kind is made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.practice.catalog import NODES
from playbooks.practice.hubble.summary import summary
from playbooks.practice.objects import labels_of
from playbooks.practice.traffic.sight import Event, Layer7, Point, Sight, Way

if TYPE_CHECKING:
    from playbooks.practice.network import Endpoint, NodeNetwork
    from playbooks.practice.policies.rules import Origin
    from playbooks.practice.traffic.flows import WorldFlow
    from playbooks.practice.traffic.party import Party
    from playbooks.practice.world import World

REVISION = "g0000000000"
"""Of the source that the practice images are said to be built from."""
_KEPT = 20_000
_L4, _UUID = 6, 34
_POINTS = {
    Point.TO_ENDPOINT: flow_pb2.TraceObservationPoint.TO_ENDPOINT,
    Point.TO_PROXY: flow_pb2.TraceObservationPoint.TO_PROXY,
    Point.TO_STACK: flow_pb2.TraceObservationPoint.TO_STACK,
    Point.TO_OVERLAY: flow_pb2.TraceObservationPoint.TO_OVERLAY,
    Point.TO_NETWORK: flow_pb2.TraceObservationPoint.TO_NETWORK,
}
_CLUSTER = "k8s:io.cilium.k8s.policy.cluster="
_SINCE_EMITTER, _SINCE_POLICY_LOG = (1, 19), (1, 18)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What all flows of a kind share: as a message, and as bytes around what differs."""

    sight: Sight
    """The kind; kept so that no other one gets its number."""
    flow: flow_pb2.Flow
    """All of it."""
    before: bytes
    """The fields between the time and layer 4."""
    between: bytes
    """Those between layer 4 and the id."""
    after: bytes
    """Those behind the id."""
    around: bytes
    """The node's name, as the response carries it."""
    protocol: bytes
    """The tag of the protocol in layer 4."""
    flags: bytes
    """The TCP flags in it."""

    @classmethod
    def of(cls, sight: Sight, flow: flow_pb2.Flow) -> _Kind:
        """The kind of a message without what differs."""
        node = observer_pb2.GetFlowsResponse(node_name=flow.node_name)
        is_tcp = sight.protocol == "TCP"
        return cls(
            sight,
            flow,
            _fields(flow, 2, _L4),
            _fields(flow, _L4 + 1, _UUID),
            _fields(flow, _UUID + 1, 1 << 29),
            node.SerializeToString(),
            b"\x0a" if is_tcp else b"\x12",
            flow.l4.TCP.SerializeToString() if is_tcp else b"",
        )


class Encoder:
    """Makes messages of one world's flows; any thread may ask it."""

    def __init__(self, world: World) -> None:
        """Nothing is made yet."""
        self._world = world
        self._kinds: dict[tuple[int, int], _Kind] = {}

    def name(self, node: str) -> str:
        """A node as flows name it."""
        return f"{self._world.cluster}/{node}"

    def shared(self, sight: Sight) -> flow_pb2.Flow:
        """What all flows of a kind have: everything but time, id and ports. Not to be changed."""
        return self._kind(sight).flow

    def flow(self, one: WorldFlow) -> flow_pb2.Flow:
        """One flow as a message."""
        return flow_pb2.Flow.FromString(self._raw(one, self._kind(one.sight), _time(one.time)))

    def response(self, one: WorldFlow) -> bytes:
        """One flow as it is sent."""
        kind, time = self._kind(one.sight), _time(one.time)
        raw = self._raw(one, kind, time)
        return b"".join((b"\x0a", _known(len(raw)), raw, kind.around, b"\xca\x3e", time))

    def _raw(self, one: WorldFlow, kind: _Kind, time: bytes) -> bytes:
        # Put together by hand: to copy a message and change it takes twenty times as long.
        ports = b"\x08" + _known(one.source_port) + b"\x10" + _known(one.destination_port) + kind.flags
        l4 = b"\x32" + bytes((len(ports) + 2,)) + kind.protocol + bytes((len(ports),)) + ports
        uuid = b"\x92\x02\x24" + one.uuid.encode()
        return b"".join((b"\x0a", time, kind.before, l4, kind.between, uuid, kind.after))

    def _kind(self, sight: Sight) -> _Kind:
        key = id(sight), self._revision(sight)
        known = self._kinds.get(key)
        if known is None:
            if len(self._kinds) >= _KEPT:
                self._kinds.clear()
            known = self._kinds[key] = _Kind.of(sight, self._made(sight, key[1]))
        return known

    def _revision(self, sight: Sight) -> int:
        if not (sight.allowed_by or sight.denied_by):
            return 0
        run = self._world.agents.get(sight.node)
        return self._world.policies.shelf.revision(run.started) if run and run.started else 1

    def _made(self, sight: Sight, revision: int) -> flow_pb2.Flow:
        flow = flow_pb2.Flow(
            verdict=flow_pb2.Verdict.Value(sight.verdict.value),
            drop_reason=sight.drop_reason,
            IP=_addresses(sight),
            source=_endpoint(sight.source),
            destination=_endpoint(sight.destination),
            Type=flow_pb2.FlowType.Value(sight.type),
            node_name=self.name(sight.node),
            node_labels=self._node_labels(sight.node),
            source_names=sight.source.names,
            destination_names=sight.destination.names,
            event_type=flow_pb2.CiliumEventType(type=sight.event, sub_type=sight.sub_type),
            traffic_direction=flow_pb2.TrafficDirection.Value(sight.direction.value),
            policy_match_type=sight.match,
            drop_reason_desc=sight.drop_reason,  # type: ignore[arg-type]
            proxy_port=sight.proxy_port,
            Summary=summary(sight),
        )
        self._add_l4(sight, flow)
        self._add_place(sight, flow)
        self._add_policies(sight, flow, revision)
        if sight.is_reply is not None:
            flow.is_reply.value = sight.is_reply
            flow.reply = sight.is_reply
        if self._world.profile.minor >= _SINCE_EMITTER:
            flow.emitter.name, flow.emitter.version = "Hubble", f"{self._world.profile.version}+{REVISION}"
        for end, service in (
            (flow.source_service, sight.source_service),
            (flow.destination_service, sight.destination_service),
        ):
            if service != ("", ""):
                end.namespace, end.name = service
        if sight.l7 is not None:
            flow.l7.CopyFrom(_layer7(sight.l7))
        return flow

    def _add_l4(self, sight: Sight, flow: flow_pb2.Flow) -> None:
        if sight.protocol == "TCP":
            flow.l4.TCP.SetInParent()
            for flag in sight.flags:
                setattr(flow.l4.TCP.flags, flag, True)
        else:
            flow.l4.UDP.SetInParent()

    def _add_place(self, sight: Sight, flow: flow_pb2.Flow) -> None:
        if sight.point is not None:
            flow.trace_observation_point = _POINTS[sight.point]
            flow.trace_reason = flow_pb2.TraceReason.Value(sight.trace_reason or "TRACE_REASON_UNKNOWN")
        if sight.interface:
            flow.interface.name, flow.interface.index = sight.interface, sight.interface_index
        if sight.file:
            flow.file.name, flow.file.line = sight.file, sight.line
        if sight.event is not Event.ACCESS_LOG:
            source, destination = self._hardware(sight)
            if source:
                flow.ethernet.source, flow.ethernet.destination = source, destination

    def _add_policies(self, sight: Sight, flow: flow_pb2.Flow, revision: int) -> None:
        allowed, denied = flow.ingress_allowed_by, flow.ingress_denied_by
        if sight.direction is Way.EGRESS:
            allowed, denied = flow.egress_allowed_by, flow.egress_denied_by
        allowed.extend(_policy(origin, revision) for origin in sight.allowed_by)
        denied.extend(_policy(origin, revision) for origin in sight.denied_by)
        if self._world.profile.minor >= _SINCE_POLICY_LOG and (sight.allowed_by or sight.denied_by):
            flow.policy_log.append("")

    def _hardware(self, sight: Sight) -> tuple[str, str]:
        """Hardware addresses of a packet between an endpoint and the host's side of its device."""
        arrives = sight.point is Point.TO_ENDPOINT or (
            sight.point is None and sight.direction is Way.INGRESS and sight.destination.is_endpoint
        )
        party = sight.destination if arrives else sight.source
        device = self._device(party, self._world.network.nodes.get(sight.node))
        if device is None:
            return "", ""
        return (device.host_mac, device.mac) if arrives else (device.mac, device.host_mac)

    def _device(self, party: Party, node: NodeNetwork | None) -> Endpoint | None:
        if party.pod:
            return self._world.network.endpoints.get((party.namespace, party.pod))
        return node.health if node is not None and party.is_endpoint else None

    def _node_labels(self, node: str) -> list[str]:
        item = self._world.store.get(NODES, "", node)
        return [f"{key}={value}" for key, value in sorted(labels_of(item).items())] if item else []


def _fields(flow: flow_pb2.Flow, first: int, end: int) -> bytes:
    """The fields of a message with numbers in a range."""
    part = flow_pb2.Flow()
    part.CopyFrom(flow)
    for field, _ in flow.ListFields():
        if not first <= field.number < end:
            part.ClearField(field.name)  # type: ignore[arg-type]
    return part.SerializeToString()


def _time(nanoseconds: int) -> bytes:
    """A Timestamp with its length before it."""
    seconds, nanos = divmod(nanoseconds, 1_000_000_000)
    text = b"\x08" + _known(seconds) + (b"\x10" + _varint(nanos) if nanos else b"")
    return bytes((len(text),)) + text


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


_known = lru_cache(maxsize=1 << 16)(_varint)
"""The same for numbers that come again."""


def _addresses(sight: Sight) -> flow_pb2.IP:
    version = flow_pb2.IPVersion.IPv6 if ":" in sight.source.ip else flow_pb2.IPVersion.IPv4
    return flow_pb2.IP(source=sight.source.ip, destination=sight.destination.ip, ipVersion=version)


def _endpoint(party: Party) -> flow_pb2.Endpoint:
    workloads = [flow_pb2.Workload(name=party.workload, kind=party.workload_kind)] if party.workload else []
    cluster = next((label.removeprefix(_CLUSTER) for label in party.labels if label.startswith(_CLUSTER)), "")
    return flow_pb2.Endpoint(
        ID=party.endpoint,
        identity=party.identity,
        namespace=party.namespace,
        labels=party.labels,
        pod_name=party.pod,
        workloads=workloads,
        cluster_name=cluster,
    )


def _policy(origin: Origin, revision: int) -> flow_pb2.Policy:
    is_policy = bool(origin.kind)
    return flow_pb2.Policy(
        name=origin.name if is_policy else "",
        namespace=origin.namespace,
        labels=origin.labels,
        revision=revision,
        kind=origin.kind,
    )


def _layer7(seen: Layer7) -> flow_pb2.Layer7:
    kind = flow_pb2.L7FlowType.RESPONSE if seen.is_response else flow_pb2.L7FlowType.REQUEST
    made = flow_pb2.Layer7(type=kind, latency_ns=seen.latency)
    if (dns := seen.dns) is not None:
        made.dns.CopyFrom(
            flow_pb2.DNS(
                query=dns.query,
                ips=dns.ips,
                ttl=dns.ttl,
                observation_source=dns.observation_source,
                rcode=dns.rcode,
                qtypes=dns.qtypes,
                rrtypes=dns.rrtypes,
            )
        )
    elif (http := seen.http) is not None:
        headers = [flow_pb2.HTTPHeader(key=key, value=value) for key, value in http.headers]
        made.http.CopyFrom(
            flow_pb2.HTTP(
                code=http.code, method=http.method, url=http.url, protocol=http.protocol, headers=headers
            )
        )
    elif (kafka := seen.kafka) is not None:
        made.kafka.CopyFrom(
            flow_pb2.Kafka(
                error_code=kafka.error_code,
                api_version=kafka.api_version,
                api_key=kafka.api_key,
                topic=kafka.topic,
            )
        )
    return made

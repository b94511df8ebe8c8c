"""What is seen of one call: packets at every place that tells of them, verdicts, drops and requests.

Aggregated as agents do by default: of each direction the first packet, those with flags, and one with data.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playbooks.practice.policies.verdicts import Decision, Side
from playbooks.practice.traffic import requests
from playbooks.practice.traffic.lane import Lane, Outcome, Path
from playbooks.practice.traffic.outside import NO_SERVICE, NOT_IN_RANGE, STALE
from playbooks.practice.traffic.party import Party
from playbooks.practice.traffic.sight import Event, Layer7, Point, Ruling, Sight, Step, Way

DROPS = {
    133: "POLICY_DENIED",
    STALE: "STALE_OR_UNROUTABLE_IP",
    NO_SERVICE: "SERVICE_BACKEND_NOT_FOUND",
    NOT_IN_RANGE: "DENIED_BY_LB_SRC_RANGE_CHECK",
    181: "POLICY_DENY",
}
"""Names of drop reasons in flows."""
LINES = {Way.EGRESS: 1663, Way.INGRESS: 2410}
"""Lines of the datapath's source at which policies drop."""
FILE = "bpf_lxc.c"
"""File of the datapath's source in which they do."""
HOST_FILE, HOST_LINE = "bpf_host.c", 670
"""Where packets from outside are dropped that were meant for a service."""
RETRIES = (0, 1_024_000_000, 2_048_000_000)
"""When a client sends its first packet, and when it tries again."""

_MILLISECOND = 1_000_000
_HOP = 20_000
_SYN, _SYN_ACK, _ACK = ("SYN",), ("SYN", "ACK"), ("ACK",)
_PUSH, _FIN, _RESET = ("PSH", "ACK"), ("FIN", "ACK"), ("RST", "ACK")
_NEW, _ESTABLISHED, _REPLY = "NEW", "ESTABLISHED", "REPLY"
_DEVICES = {Path.OVERLAY: ("cilium_vxlan", 4), Path.NETWORK: ("eth0", 2)}
_EXITS = {Path.OVERLAY: Point.TO_OVERLAY, Path.NETWORK: Point.TO_NETWORK}


def steps_of(lane: Lane) -> tuple[Step, ...]:
    """All that is seen of a call of a lane."""
    found = _Sequence(lane)
    if lane.outcome in (Outcome.UNREACHABLE, Outcome.UNKNOWN_NAME, Outcome.NO_NAME_SERVER):
        return ()
    if lane.outcome is Outcome.DROPPED:
        found.dropped()
    elif lane.query is not None:
        found.lookup()
    elif lane.protocol == "UDP":
        found.opened()
    else:
        found.conversation()
    if lane.server.cluster:
        # What nodes of another cluster see is told there.
        return tuple(step for step in found.steps if step.sight.node != lane.server.node)
    return tuple(found.steps)


@dataclass
class _Sequence:
    """Writes down the steps of one lane in order."""

    lane: Lane
    steps: list[Step] = field(default_factory=list)
    at: int = 0

    def conversation(self) -> None:
        """A TCP connection from its first packet to its last."""
        lane = self.lane
        self.opened()
        if lane.outcome is Outcome.RESET:
            self._packet(_RESET, 54, is_reply=True)
            return
        self._packet(_SYN_ACK, 74, is_reply=True)
        self._packet(_ACK, 66)
        self._packet(_PUSH, 66 + len(lane.call.url) + 60)
        self._logged(requests.request_of(lane), is_reply=False)
        self.at += round(lane.call.latency * _MILLISECOND)
        self._logged(requests.response_of(lane), is_reply=True)
        self._packet(_PUSH, 66 + lane.call.size + 100, is_reply=True)
        self._packet(_FIN, 66, is_reply=True)
        self._packet(_FIN, 66)
        self._packet(_ACK, 66, is_reply=True)

    def lookup(self) -> None:
        """A question to a name server and its answer."""
        lane = self.lane
        assert lane.query is not None
        self.opened()
        self._logged(requests.request_of(lane), is_reply=False)
        self.at += _MILLISECOND
        self._logged(requests.response_of(lane), is_reply=True)
        self._packet((), 74 + len(lane.query.name), is_reply=True)

    def opened(self) -> None:
        """The first packet, with what policies say of it."""
        flags = _SYN if self.lane.protocol == "TCP" else ()
        self._verdict(self.lane.verdict.egress, Way.EGRESS)
        self._forth(flags, 74 if flags else 70, _NEW, is_first=True)

    def dropped(self) -> None:
        """Packets that come no further, sent again and again."""
        lane = self.lane
        flags = _SYN if lane.protocol == "TCP" else ()
        for number, begin in enumerate(RETRIES if flags else RETRIES[:1]):
            self.at = begin
            refusing = lane.verdict.refusing
            is_ingress = refusing is not None and refusing is lane.verdict.ingress
            if is_ingress and not number:
                self._verdict(lane.verdict.egress, Way.EGRESS)
            if is_ingress and lane.path is not Path.LOCAL:
                self._leave(flags, 74 if flags else 70, _NEW)
            way = Way.INGRESS if is_ingress or lane.drops_at == lane.entry else Way.EGRESS
            self._verdict(refusing, way)
            if lane.drop_reason:
                self._drop(flags, way)
            else:
                self._lost(flags, is_first=not number)

    def _lost(self, flags: tuple[str, ...], *, is_first: bool) -> None:
        """A packet that nobody drops and nobody gets."""
        if is_first:
            self._verdict(self.lane.verdict.egress, Way.EGRESS)
        if self._proxy is Way.EGRESS:
            self._trace(Point.TO_PROXY, self.lane.door, ("", 0), flags, 74 if flags else 70, _NEW)
        else:
            self._leave(flags, 74 if flags else 70, _NEW)

    def _packet(self, flags: tuple[str, ...], size: int, *, is_reply: bool = False) -> None:
        if is_reply:
            self._back(flags, size)
        else:
            self._forth(flags, size, _ESTABLISHED)

    def _forth(self, flags: tuple[str, ...], size: int, reason: str, *, is_first: bool = False) -> None:
        """A packet of the client, as far as it comes."""
        lane, proxy = self.lane, self._proxy
        if proxy is Way.EGRESS:
            self._trace(Point.TO_PROXY, lane.door, ("", 0), flags, size, reason)
            if self._is_forbidden:
                return
        is_remote = lane.path is not Path.LOCAL
        if is_remote:
            self._leave(flags, size, reason)
        if is_first:
            self._verdict(lane.verdict.ingress, Way.INGRESS)
        if proxy is Way.INGRESS:
            self._trace(Point.TO_PROXY, lane.server.node, ("", 0), flags, size, reason)
            if self._is_forbidden:
                return
        if lane.server.is_endpoint or not is_remote:
            self._arrive(flags, size, reason)

    def _back(self, flags: tuple[str, ...], size: int) -> None:
        """A packet of the server, or of the proxy that answers for it."""
        lane, proxy = self.lane, self._proxy
        device = (lane.client.interface, lane.client.interface_index)
        if proxy is Way.INGRESS and not self._is_forbidden:
            self._trace(Point.TO_PROXY, lane.server.node, ("", 0), flags, size, _REPLY, is_reply=True)
        is_answered_here = proxy is Way.EGRESS and self._is_forbidden
        if lane.path is not Path.LOCAL and lane.server.is_endpoint and not is_answered_here:
            self._leave(flags, size, _REPLY, is_reply=True)
        if proxy is Way.EGRESS:
            self._trace(Point.TO_PROXY, lane.door, device, flags, size, _REPLY, is_reply=True)
            return
        self._arrive(flags, size, _REPLY, is_reply=True)

    def _leave(self, flags: tuple[str, ...], size: int, reason: str, *, is_reply: bool = False) -> None:
        lane = self.lane
        node = lane.server.node if is_reply else lane.door
        self._trace(_EXITS[lane.path], node, _DEVICES[lane.path], flags, size, reason, is_reply=is_reply)

    def _arrive(self, flags: tuple[str, ...], size: int, reason: str, *, is_reply: bool = False) -> None:
        receiver = self.lane.client if is_reply else self.lane.server
        point = Point.TO_ENDPOINT if receiver.is_endpoint else Point.TO_STACK
        device = (receiver.interface, receiver.interface_index)
        self._trace(point, receiver.node, device, flags, size, reason, is_reply=is_reply)

    @property
    def _is_forbidden(self) -> bool:
        return self.lane.outcome is Outcome.FORBIDDEN

    @property
    def _proxy(self) -> Way | None:
        """On which side a proxy stands between client and server: the one that refuses, if any does."""
        decided = self.lane.verdict
        sides = [
            (way, side)
            for way, side in ((Way.EGRESS, decided.egress), (Way.INGRESS, decided.ingress))
            if side is not None and side.proxy
        ]
        refusing = [way for way, side in sides if side.proxy == decided.refused_by]
        return next(iter(refusing or [way for way, _ in sides]), None)

    def _trace(
        self,
        point: Point,
        node: str,
        device: tuple[str, int],
        flags: tuple[str, ...],
        size: int,
        reason: str,
        *,
        is_reply: bool = False,
    ) -> None:
        lane = self.lane
        is_ours = node == lane.door and (node != lane.server.node or not lane.entry)
        # A connection is seen from the endpoint's side; what the host begins is egress on its way out only.
        is_egress = is_ours and (lane.client.is_endpoint or not is_reply)
        way = Way.EGRESS if is_egress else Way.INGRESS
        side = self._proxying if point is Point.TO_PROXY and not is_reply else None
        self._add(
            size,
            node,
            Event.TRACE,
            Ruling.FORWARDED,
            way,
            is_reply=is_reply,
            flags=flags,
            point=point,
            trace_reason=reason,
            interface=device[0],
            interface_index=device[1],
            proxy_port=side.proxy_port if side else 0,
        )

    def _verdict(self, side: Side | None, way: Way) -> None:
        if side is None or not (side.is_enforced or side.origins or side.decision is not Decision.ALLOWED):
            return
        flags = _SYN if self.lane.protocol == "TCP" else ()
        is_allowed = side.decision is Decision.ALLOWED
        reason = {Decision.DENIED: 181, Decision.DEFAULT_DENIED: 133}.get(side.decision, 0)
        self._add(
            0,
            side.node,
            Event.POLICY_VERDICT,
            _ruling(side),
            way,
            is_reply=False if side.is_admitted else None,
            flags=flags,
            match=int(side.match) if is_allowed or side.decision is Decision.DENIED else 0,
            allowed_by=side.origins if is_allowed else (),
            denied_by=() if is_allowed else side.origins,
            drop_reason=0 if side.is_admitted else reason,
            drop_name="" if side.is_admitted else DROPS[reason],
        )

    def _drop(self, flags: tuple[str, ...], way: Way) -> None:
        lane = self.lane
        is_at_host = lane.drops_at == lane.entry and lane.verdict.refusing is None
        self._add(
            74 if flags else 70,
            lane.drops_at,
            Event.DROP,
            Ruling.DROPPED,
            way,
            flags=flags,
            drop_reason=lane.drop_reason,
            drop_name=DROPS[lane.drop_reason],
            file=HOST_FILE if is_at_host else FILE,
            line=HOST_LINE if is_at_host else LINES[way],
            destination_service=lane.service if lane.drop_reason == NO_SERVICE else ("", ""),
        )

    @property
    def _proxying(self) -> Side | None:
        """The side whose proxy sees the requests."""
        if self._proxy is None:
            return None
        return self.lane.verdict.egress if self._proxy is Way.EGRESS else self.lane.verdict.ingress

    def _logged(self, layer7: Layer7 | None, *, is_reply: bool) -> None:
        side = self._proxying
        if side is None or self._proxy is None or layer7 is None:
            return
        is_refused = self._is_forbidden and not is_reply
        ruling = Ruling.DROPPED if is_refused else Ruling.FORWARDED
        self._add(0, side.node, Event.ACCESS_LOG, ruling, self._proxy, is_reply=is_reply, l7=layer7)

    def _add(self, size: int, node: str, event: Event, ruling: Ruling, way: Way, **fields: object) -> None:
        if not node:
            # What is seen outside of the cluster, no agent tells.
            return
        lane, is_reply = self.lane, bool(fields.get("is_reply"))
        ends: tuple[Party, Party] = (lane.server, lane.client) if is_reply else (lane.client, lane.server)
        sight = Sight(
            node=node,
            event=event,
            verdict=ruling,
            source=ends[0],
            destination=ends[1],
            protocol=lane.protocol,
            source_port=lane.port if is_reply else 0,
            destination_port=0 if is_reply else lane.port,
            direction=way,
            **fields,  # type: ignore[arg-type]
        )
        self.steps.append(Step(self.at, size, sight))
        self.at += _HOP


def _ruling(side: Side) -> Ruling:
    if side.decision is not Decision.ALLOWED:
        return Ruling.AUDIT if side.is_audited else Ruling.DROPPED
    return Ruling.REDIRECTED if side.proxy else Ruling.FORWARDED

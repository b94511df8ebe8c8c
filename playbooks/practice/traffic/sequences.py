"""What is seen of one call: packets at every place that tells of them, verdicts, drops and requests.

Aggregated as agents do by default: of each direction the first packet, those with flags, and one with data.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playbooks.practice.policies.verdicts import Decision, Side
from playbooks.practice.traffic import requests
from playbooks.practice.traffic.call import Scheme
from playbooks.practice.traffic.lane import Lane, Outcome, Path
from playbooks.practice.traffic.party import Party
from playbooks.practice.traffic.plan import NO_SERVICE
from playbooks.practice.traffic.sight import Event, Layer7, Point, Ruling, Sight, Step, Way

DROPS = {133: "POLICY_DENIED", NO_SERVICE: "SERVICE_BACKEND_NOT_FOUND", 181: "POLICY_DENY"}
"""Names of drop reasons in flows."""
LINES = {Way.EGRESS: 1663, Way.INGRESS: 2410}
"""Lines of the datapath's source at which policies drop."""
FILE = "bpf_lxc.c"
"""File of the datapath's source in which they do."""
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
    if lane.outcome in (Outcome.UNREACHABLE, Outcome.UNKNOWN_NAME):
        return ()
    if lane.outcome is Outcome.DROPPED:
        found.dropped()
    elif lane.query is not None:
        found.lookup()
    elif lane.protocol == "UDP":
        found.opened()
    else:
        found.conversation()
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
        self._requested(requests.request_of(lane))
        self.at += round(lane.call.latency * _MILLISECOND)
        self._answered(requests.response_of(lane))
        self._packet(_PUSH, 66 + lane.call.size + 100, is_reply=True)
        self._packet(_FIN, 66, is_reply=True)
        self._packet(_FIN, 66)
        self._packet(_ACK, 66, is_reply=True)

    def lookup(self) -> None:
        """A question to a name server and its answer."""
        lane = self.lane
        assert lane.query is not None
        self.opened()
        self._requested(requests.request_of(lane))
        self.at += _MILLISECOND
        self._answered(requests.response_of(lane))
        self._packet((), 74 + len(lane.query.name), is_reply=True)

    def opened(self) -> None:
        """The first packet, with what policies say of it."""
        self._verdict(self.lane.verdict.egress, Way.EGRESS)
        flags = _SYN if self.lane.protocol == "TCP" else ()
        size = 74 if flags else 70
        if self.lane.path is not Path.LOCAL and self.lane.server.is_endpoint:
            self._leave(flags, size, _NEW, is_reply=False)
            self._verdict(self.lane.verdict.ingress, Way.INGRESS)
            self._arrive(flags, size, _NEW, is_reply=False)
            return
        self._verdict(self.lane.verdict.ingress, Way.INGRESS)
        self._packet(flags, size, _NEW)

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
                self._leave(flags, 74 if flags else 70, _NEW, is_reply=False)
            way = Way.INGRESS if is_ingress else Way.EGRESS
            self._verdict(refusing, way)
            self._drop(flags, way)

    def _packet(self, flags: tuple[str, ...], size: int, reason: str = "", *, is_reply: bool = False) -> None:
        reason = reason or (_REPLY if is_reply else _ESTABLISHED)
        lane = self.lane
        if lane.path is not Path.LOCAL and (lane.server.is_endpoint or not is_reply):
            self._leave(flags, size, reason, is_reply=is_reply)
        if is_reply or lane.server.is_endpoint or lane.path is Path.LOCAL:
            self._arrive(flags, size, reason, is_reply=is_reply)

    def _leave(self, flags: tuple[str, ...], size: int, reason: str, *, is_reply: bool) -> None:
        lane = self.lane
        node = lane.server.node if is_reply else lane.client.node
        self._trace(_EXITS[lane.path], node, _DEVICES[lane.path], flags, size, reason, is_reply=is_reply)

    def _arrive(self, flags: tuple[str, ...], size: int, reason: str, *, is_reply: bool) -> None:
        lane = self.lane
        receiver = lane.client if is_reply else lane.server
        point = Point.TO_ENDPOINT if receiver.is_endpoint else Point.TO_STACK
        device = (receiver.interface, receiver.interface_index)
        egress = lane.verdict.egress
        if egress is not None and egress.proxy and lane.query is not None:
            # The DNS proxy stands between both: questions and answers pass through it on the client's node.
            point = Point.TO_PROXY if is_reply else point
            if not is_reply:
                self._proxied(flags, size, reason)
        self._trace(point, receiver.node, device, flags, size, reason, is_reply=is_reply)

    def _proxied(self, flags: tuple[str, ...], size: int, reason: str) -> None:
        self._trace(Point.TO_PROXY, self.lane.client.node, ("", 0), flags, size, reason, is_reply=False)

    def _trace(
        self,
        point: Point,
        node: str,
        device: tuple[str, int],
        flags: tuple[str, ...],
        size: int,
        reason: str,
        *,
        is_reply: bool,
    ) -> None:
        lane = self.lane
        is_ours = node == lane.client.node
        # A connection is seen from the endpoint's side; what the host begins is egress on its way out only.
        is_egress = is_ours and (lane.client.is_endpoint or not is_reply)
        way = Way.EGRESS if is_egress else Way.INGRESS
        proxy = lane.verdict.egress.proxy_port if point is Point.TO_PROXY and lane.verdict.egress else 0
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
            proxy_port=0 if is_reply else proxy,
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
        self._add(
            74 if flags else 70,
            lane.drops_at,
            Event.DROP,
            Ruling.DROPPED,
            way,
            flags=flags,
            drop_reason=lane.drop_reason,
            drop_name=DROPS[lane.drop_reason],
            file=FILE,
            line=LINES[way],
            destination_service=lane.service if lane.drop_reason == NO_SERVICE else ("", ""),
        )

    def _requested(self, layer7: Layer7 | None) -> None:
        self._logged(layer7, is_reply=False)

    def _answered(self, layer7: Layer7 | None) -> None:
        self._logged(layer7, is_reply=True)

    def _logged(self, layer7: Layer7 | None, *, is_reply: bool) -> None:
        side = _proxying(self.lane)
        if side is None or layer7 is None:
            return
        way = Way.EGRESS if side is self.lane.verdict.egress else Way.INGRESS
        is_refused = self.lane.outcome is Outcome.FORBIDDEN and not is_reply
        ruling = Ruling.DROPPED if is_refused else Ruling.FORWARDED
        self._add(0, side.node, Event.ACCESS_LOG, ruling, way, is_reply=is_reply, l7=layer7)

    def _add(self, size: int, node: str, event: Event, ruling: Ruling, way: Way, **fields: object) -> None:
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


def _proxying(lane: Lane) -> Side | None:
    """The side whose proxy sees the requests, the source's first."""
    if lane.call.scheme is Scheme.TCP and lane.query is None:
        return None
    return next((side for side in (lane.verdict.egress, lane.verdict.ingress) if side and side.proxy), None)

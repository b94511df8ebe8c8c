"""How long TCP handshakes take, from SYN to SYN-ACK as one node saw both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from playbooks.model.hubble.aggregation.latencies import Latencies
from playbooks.model.hubble.aggregation.tally import SECOND
from playbooks.model.hubble.aggregation.traffic import VERDICT_DROPPED, party
from playbooks.model.hubble.seen import Seen, TcpFlags

AGAIN = SECOND // 2
"""Nanoseconds after which another SYN of a connection is another packet: kernels wait a second at least."""

PATIENCE = 60 * SECOND
"""Nanoseconds for which a SYN waits for its answer."""

OPEN = 50_000
"""Handshakes that may be under way at once; beyond it the oldest are forgotten."""

ROWS = 10_000
"""Pairs that are told apart."""

_SYN, _ACK = int(TcpFlags.SYN), int(TcpFlags.ACK)


class Pair(NamedTuple):
    """Who opens connections to whom."""

    client: str
    """Workload that opens them."""
    server: str
    """Workload that they go to."""
    port: int
    """The server's port."""


class Handshake(msgspec.Struct, frozen=True):
    """How the handshakes of a pair went."""

    pair: Pair
    """Between whom."""
    count: int
    """Handshakes of which SYN and SYN-ACK were seen by the same node."""
    repeated: int
    """SYNs that were sent again before an answer came."""
    p50: int | None
    """Nanoseconds that half of the handshakes did not exceed."""
    p90: int | None
    """Nine in ten."""
    p99: int | None
    """Ninety-nine in a hundred."""


_Key = tuple[str, str, int, str, int]


class _Tale:
    """What is counted of one pair."""

    def __init__(self) -> None:
        self.repeated = 0
        self.latencies = Latencies()


class Handshakes:
    """Pairs SYN and SYN-ACK by node and connection.

    A time is what passes between the first SYN and the first SYN-ACK that the same node sees, so that no two
    clocks are compared: at the client's node all of it, at the server's what the server takes.
    """

    def __init__(self) -> None:
        """Nothing is counted."""
        self.forgotten = 0
        """SYNs that were forgotten, because too many waited."""
        self._open: dict[_Key, tuple[int, int, Pair]] = {}
        self._tales: dict[Pair, _Tale] = {}

    def add(self, flows: Sequence[Seen]) -> None:
        """Count a batch."""
        for flow in flows:
            if flow.l4.flags & _SYN and flow.time and flow.verdict != VERDICT_DROPPED:
                if flow.l4.flags & _ACK:
                    self._answered(flow)
                else:
                    self._asked(flow)
        self._shorten()

    @property
    def pairs(self) -> list[Handshake]:
        """By client, server and port, those with most handshakes first."""
        found = [
            Handshake(
                pair,
                tale.latencies.count,
                tale.repeated,
                *(tale.latencies.quantile(share) for share in (0.5, 0.9, 0.99)),
            )
            for pair, tale in self._tales.items()
        ]
        return sorted(found, key=lambda one: (-one.count, one.pair))

    def _asked(self, flow: Seen) -> None:
        ip, l4 = flow.ip, flow.l4
        key = (flow.node, ip.source, l4.source_port, ip.destination, l4.destination_port)
        first, last, pair = self._open.get(key, (0, 0, None))
        if pair is None or flow.time - first > PATIENCE:
            pair = Pair(party(flow, is_source=True), party(flow, is_source=False), l4.destination_port)
            self._open[key] = flow.time, flow.time, pair
        elif flow.time - last > AGAIN:
            # Each point on a packet's way tells of it once; what comes so much later is another packet.
            self._tale(pair).repeated += 1
            self._open[key] = first, flow.time, pair

    def _answered(self, flow: Seen) -> None:
        ip, l4 = flow.ip, flow.l4
        key = (flow.node, ip.destination, l4.destination_port, ip.source, l4.source_port)
        first, _, pair = self._open.get(key, (0, 0, None))
        if pair is None:
            return
        if 0 <= flow.time - first <= PATIENCE:
            del self._open[key]
            self._tale(pair).latencies.add((max(1, flow.time - first),))

    def _tale(self, pair: Pair) -> _Tale:
        tale = self._tales.get(pair)
        if tale is None:
            if len(self._tales) >= ROWS:
                pair = Pair("", "", 0)
            tale = self._tales.setdefault(pair, _Tale())
        return tale

    def _shorten(self) -> None:
        surplus = max(0, len(self._open) - OPEN)
        self.forgotten += surplus
        for key in list(self._open)[:surplus]:
            del self._open[key]

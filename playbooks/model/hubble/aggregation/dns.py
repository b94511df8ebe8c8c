"""DNS by name, and questions that nobody answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from playbooks.model.hubble.aggregation.latencies import Latencies
from playbooks.model.hubble.aggregation.requests import is_answer, sides
from playbooks.model.hubble.aggregation.tally import SECOND
from playbooks.model.hubble.aggregation.traffic import VERDICT_DROPPED
from playbooks.model.hubble.seen import Dns, Layer7, Seen

PATIENCE = 5 * SECOND
"""Nanoseconds after which a question counts as unanswered: what resolvers wait before they ask again."""

ROWS = 10_000
"""Names that are counted one by one."""

OPEN = 50_000
"""Questions that may be open at once; beyond it the oldest are forgotten, not counted as unanswered."""


class Lookups(msgspec.Struct, frozen=True):
    """What was asked of one name."""

    query: str
    """The name, as asked."""
    queries: int
    """Questions; two proxies may tell of one."""
    responses: int
    """Answers."""
    refused: int
    """Questions that policy refused."""
    rcodes: dict[int, int]
    """Answers by return code: 0 found, 2 server failure, 3 no such name, 5 refused …"""
    qtypes: dict[str, int]
    """Questions by type."""
    p50: int | None
    """Nanoseconds that half of the answers did not exceed; None where proxies tell none."""
    p99: int | None
    """Of ninety-nine in a hundred."""


class Silence(NamedTuple):
    """Who asked whom in vain."""

    node: str
    """The node of the client, whose proxy saw the question."""
    server: str
    """The pod that was asked, as `namespace/pod`, or its address."""


class Unanswered(msgspec.Struct, frozen=True):
    """Questions of one node to one server."""

    key: Silence
    """Who asked whom."""
    unanswered: int
    """Questions without an answer for `PATIENCE`, as far as events were not lost."""
    answered: int
    """Questions with an answer."""
    last: int
    """Nanoseconds since 1970 of the last unanswered question; 0 for none."""
    query: str
    """The name in it."""


_Open = tuple[str, str, int, str, int, str, tuple[str, ...]]


class _Tale:
    """What is counted of one name, while it is."""

    def __init__(self) -> None:
        self.queries = self.responses = self.refused = 0
        self.rcodes: Counter[int] = Counter()
        self.qtypes: Counter[str] = Counter()
        self.latencies = Latencies()


class NameLookups:
    """Counts DNS as proxies saw it, which is where a policy with DNS rules sends it."""

    def __init__(self) -> None:
        """Nothing is counted."""
        self.overflow = 0
        """Messages about names that came when there were too many."""
        self.forgotten = 0
        """Questions that were forgotten while they were open, because too many were."""
        self._tales: dict[str, _Tale] = {}
        self._open: dict[_Open, tuple[int, Silence]] = {}
        self._silent: dict[_Open, tuple[int, Silence]] = {}
        self._unanswered: Counter[Silence] = Counter()
        self._answered: Counter[Silence] = Counter()
        self._last: dict[Silence, tuple[int, str]] = {}
        self._newest: dict[str, int] = {}

    def add(self, flows: Sequence[Seen]) -> None:
        """Count a batch."""
        for flow in flows:
            l7 = flow.l7
            if l7 is not None and isinstance(l7.record, Dns):
                self._count(flow, l7, l7.record)
                self._follow(flow, l7, l7.record)
        self._give_up()

    @property
    def names(self) -> list[Lookups]:
        """By name, the most asked first."""
        found = [
            Lookups(
                query,
                tale.queries,
                tale.responses,
                tale.refused,
                dict(tale.rcodes),
                dict(tale.qtypes),
                tale.latencies.quantile(0.5),
                tale.latencies.quantile(0.99),
            )
            for query, tale in self._tales.items()
        ]
        return sorted(found, key=lambda one: -(one.queries + one.responses + one.refused))

    @property
    def unanswered(self) -> list[Unanswered]:
        """By client node and server pod, those with most in vain first; those without any too."""
        keys = self._unanswered.keys() | self._answered.keys()
        found = [
            Unanswered(key, self._unanswered[key], self._answered[key], *self._last.get(key, (0, "")))
            for key in keys
        ]
        return sorted(found, key=lambda one: (-one.unanswered, one.key))

    def _count(self, flow: Seen, l7: Layer7, dns: Dns) -> None:
        tale = self._tales.get(dns.query)
        if tale is None:
            if len(self._tales) >= ROWS:
                self.overflow += 1
                return
            tale = self._tales[dns.query] = _Tale()
        if flow.verdict == VERDICT_DROPPED:
            tale.refused += 1
        elif is_answer(flow, l7):
            tale.responses += 1
            tale.rcodes[dns.rcode] += 1
            tale.latencies.add((l7.latency_ns,))
        else:
            tale.queries += 1
            tale.qtypes.update(dns.qtypes)

    def _follow(self, flow: Seen, l7: Layer7, dns: Dns) -> None:
        """Open a question or close the one that is answered."""
        if not flow.time or flow.verdict == VERDICT_DROPPED:
            return
        self._newest[flow.node] = max(flow.time, self._newest.get(flow.node, 0))
        ip, l4 = flow.ip, flow.l4
        if not is_answer(flow, l7):
            ends = ip.source, l4.source_port, ip.destination, l4.destination_port
            silence = Silence(flow.node, sides(flow)[1])
            # A question that is asked again waits since it was asked first.
            self._open.setdefault((flow.node, *ends, dns.query, dns.qtypes), (flow.time, silence))
            return
        ends = ip.destination, l4.destination_port, ip.source, l4.source_port
        key = (flow.node, *ends, dns.query, dns.qtypes)
        if asked := self._open.pop(key, None):
            self._answered[asked[1]] += 1
        elif asked := self._silent.pop(key, None):
            # It came late, or the stream was merged late: there was an answer after all.
            self._unanswered[asked[1]] -= 1
            self._answered[asked[1]] += 1

    def _give_up(self) -> None:
        """Count what waits for too long, by the clock of the node that asked."""
        over = [key for key, (time, _) in self._open.items() if self._newest.get(key[0], 0) - time > PATIENCE]
        for key in over:
            time, silence = self._open.pop(key)
            self._unanswered[silence] += 1
            self._last[silence] = max(self._last.get(silence, (0, "")), (time, key[5]))
            self._silent[key] = time, silence
        self.forgotten += _shorten(self._open)
        _shorten(self._silent)


def _shorten(kept: dict[_Open, tuple[int, Silence]]) -> int:
    """Drop the oldest of too many; how many."""
    surplus = max(0, len(kept) - OPEN)
    for key in list(kept)[:surplus]:
        del kept[key]
    return surplus

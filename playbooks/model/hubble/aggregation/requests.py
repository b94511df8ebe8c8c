"""HTTP by route, gRPC by method, Kafka by topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from playbooks.model.hubble.aggregation.latencies import Latencies, Slowest
from playbooks.model.hubble.aggregation.routes import call, header, route
from playbooks.model.hubble.aggregation.traffic import VERDICT_DROPPED, party
from playbooks.model.hubble.seen import Http, Kafka, Layer7, Seen

REQUEST, RESPONSE = 1, 2
"""`flow.L7FlowType`."""

ROWS = 5000
"""Routes, methods and topics that are counted one by one."""

_QUANTILES = (0.5, 0.9, 0.99)

K = TypeVar("K", bound=Hashable)
"""What is counted by."""


class Route(NamedTuple):
    """Requests that ask for the same."""

    server: str
    """Workload that is asked."""
    method: str
    """Such as `GET`."""
    path: str
    """See `route`."""
    direction: int
    """Which proxy saw it, as `flow.TrafficDirection`: both ends may tell of one request."""


class Call(NamedTuple):
    """gRPC calls of one method."""

    server: str
    """Workload that is asked."""
    service: str
    """Qualified name of the service."""
    method: str
    """The method."""
    direction: int
    """As in `Route`."""


class Topic(NamedTuple):
    """Kafka requests of one kind for one topic."""

    server: str
    """Workload that is asked."""
    topic: str
    """The topic; empty for requests without one."""
    api_key: str
    """The call, such as `produce`."""
    direction: int
    """As in `Route`."""


class Slow(msgspec.Struct, frozen=True):
    """One slow answer."""

    latency_ns: int
    """Nanoseconds from request to response."""
    time: int
    """Nanoseconds since 1970 of the response; 0 when not told."""
    client: str
    """Pod that asked, as `namespace/pod`, or what else is known of it."""
    server: str
    """Pod that answered."""
    status: str
    """How it answered."""
    uuid: str
    """Of the flow, by which it is found again."""


class Answers(msgspec.Struct, Generic[K], frozen=True):
    """What was counted of one key."""

    key: K
    """By what."""
    requests: int
    """Requests seen, without those that were refused."""
    responses: int
    """Responses seen; of a request before the stream began only the response is."""
    refused: int
    """Requests that policy dropped, answered by the proxy itself."""
    statuses: dict[str, int]
    """Responses by status."""
    p50: int | None
    """Nanoseconds that half of the answers did not exceed; None without latencies."""
    p90: int | None
    """Of nine in ten."""
    p99: int | None
    """Of ninety-nine in a hundred."""
    is_exact: bool
    """Whether these occurred, or are up to 2.2 % above what did."""
    slowest: tuple[Slow, ...]
    """The slowest answers, the slowest first."""

    @property
    def classes(self) -> dict[str, int]:
        """Responses by class of status, such as `5xx`; other statuses as they are."""
        found: Counter[str] = Counter()
        for status, count in self.statuses.items():
            is_code = len(status) == 3 and status.isdigit()
            found[f"{status[0]}xx" if is_code else status] += count
        return dict(found)


class _Tale:
    """What is counted of one key, while it is."""

    def __init__(self) -> None:
        self.requests = self.responses = self.refused = 0
        self.statuses: Counter[str] = Counter()
        self.latencies = Latencies()
        self.slowest: Slowest[Slow] = Slowest()

    def told(self, key: K) -> Answers[K]:
        p50, p90, p99 = (self.latencies.quantile(share) for share in _QUANTILES)
        return Answers(
            key,
            self.requests,
            self.responses,
            self.refused,
            dict(self.statuses),
            p50,
            p90,
            p99,
            self.latencies.is_exact,
            self.slowest.found,
        )


class _Tales(Generic[K]):
    """What is counted, by key and bounded."""

    def __init__(self) -> None:
        self._tales: dict[K, _Tale] = {}
        self.overflow = 0

    def add(self, key: K, flow: Seen, l7: Layer7, status: str) -> None:
        tale = self._tales.get(key)
        if tale is None:
            if len(self._tales) >= ROWS:
                self.overflow += 1
                return
            tale = self._tales[key] = _Tale()
        if flow.verdict == VERDICT_DROPPED:
            tale.refused += 1
        elif l7.type == REQUEST:
            tale.requests += 1
        elif l7.type == RESPONSE:
            tale.responses += 1
            tale.statuses[status] += 1
            tale.latencies.add((l7.latency_ns,))
            if l7.latency_ns > 0:
                client, server = sides(flow)
                tale.slowest.add(
                    l7.latency_ns, Slow(l7.latency_ns, flow.time, client, server, status, flow.uuid)
                )

    def rows(self) -> list[Answers[K]]:
        found = [tale.told(key) for key, tale in self._tales.items()]
        return sorted(found, key=lambda row: -(row.requests + row.responses + row.refused))


class Requests:
    """Counts what proxies saw of HTTP, gRPC and Kafka; gRPC is in `http` too."""

    def __init__(self) -> None:
        """Nothing is counted."""
        self._http: _Tales[Route] = _Tales()
        self._grpc: _Tales[Call] = _Tales()
        self._kafka: _Tales[Topic] = _Tales()

    @property
    def overflow(self) -> int:
        """Messages that are in no row, because their keys came when there were too many."""
        return self._http.overflow + self._grpc.overflow + self._kafka.overflow

    @property
    def http(self) -> list[Answers[Route]]:
        """By route, the busiest first."""
        return self._http.rows()

    @property
    def grpc(self) -> list[Answers[Call]]:
        """By method, the busiest first; statuses are gRPC's own where headers tell them."""
        return self._grpc.rows()

    @property
    def kafka(self) -> list[Answers[Topic]]:
        """By topic and kind of request, the busiest first."""
        return self._kafka.rows()

    def add(self, flows: Sequence[Seen]) -> None:
        """Count a batch."""
        for flow in flows:
            l7 = flow.l7
            if l7 is None:
                continue
            match l7.record:
                case Http() as http:
                    self._add_http(flow, l7, http)
                case Kafka() as kafka:
                    key = Topic(server(flow, l7), kafka.topic, kafka.api_key, flow.direction)
                    self._kafka.add(key, flow, l7, str(kafka.error_code))

    def _add_http(self, flow: Seen, l7: Layer7, http: Http) -> None:
        asked, status = server(flow, l7), str(http.code)
        self._http.add(Route(asked, http.method, route(http.url), flow.direction), flow, l7, status)
        if found := call(http):
            told = header(http, "grpc-status")
            answer = f"HTTP {status}" if told is None else told
            self._grpc.add(Call(asked, *found, flow.direction), flow, l7, answer)


def server(flow: Seen, l7: Layer7) -> str:
    """Workload that is asked, or that answers."""
    return party(flow, is_source=is_answer(flow, l7))


def is_answer(flow: Seen, l7: Layer7) -> bool:
    """Whether a message goes back to who asked."""
    return flow.is_reply if flow.is_reply is not None else l7.type == RESPONSE


def sides(flow: Seen) -> tuple[str, str]:
    """Who asked and who was asked, as pods where there are pods."""
    ends = [
        f"{endpoint.namespace}/{endpoint.pod_name}" if endpoint.pod_name else party(flow, is_source=is_source)
        for endpoint, is_source in ((flow.source, True), (flow.destination, False))
    ]
    is_back = flow.l7 is not None and is_answer(flow, flow.l7)
    return (ends[1], ends[0]) if is_back else (ends[0], ends[1])

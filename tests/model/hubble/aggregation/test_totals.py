from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbooks.model.hubble.aggregation import By, Metrics, Totals
from playbooks.model.hubble.aggregation.metrics import reason_name
from playbooks.model.hubble.aggregation.names import Names
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.seen import Lost, Reader
from tests.model.hubble.aggregation.flows import answer, dns, drop, http, seen, tcp
from tests.model.hubble.seen.events import GOLDEN, RECORDED, any_event, raw

FILES = [pytest.param(path, id=path.stem) for path in (GOLDEN, RECORDED)]


def values(metrics: Metrics, name: str) -> dict[tuple[str, ...], int]:
    return next(metric.values for metric in metrics.all if metric.name == f"hubble_{name}")


@pytest.mark.parametrize("batch", [1, 64, 10_000])
@pytest.mark.parametrize("path", FILES)
def test_what_real_software_told_is_counted_as_it_was_told(path: Path, batch: int) -> None:
    flows = [json.loads(line).get("flow") for line in path.read_text().splitlines()]
    flows = [flow for flow in flows if flow is not None]
    totals, raws, reader = Totals(), raw(path), Reader()
    for at in range(0, len(raws), batch):
        totals.add(reader.read_all(raws[at : at + batch]))
    by_verdict = {row.key: row.events for row in totals.traffic.rows(By.VERDICT)}
    assert sum(by_verdict.values()) == len(flows)
    assert by_verdict[2] == sum(flow.get("verdict") == "DROPPED" for flow in flows)
    assert totals.traffic.is_exact
    dropped = [flow for flow in flows if flow.get("verdict") == "DROPPED"]
    told = Counter(flow.get("drop_reason_desc") for flow in dropped if not flow.get("drop_reason"))
    told += Counter(reason_name(flow["drop_reason"]) for flow in dropped if flow.get("drop_reason"))
    counted: Counter[str] = Counter()
    for (reason, _), count in values(totals.metrics, "drop_total").items():
        counted[reason] += count
    told["DROP_REASON_UNKNOWN"] += told.pop(None, 0)  # type: ignore[call-overload]
    assert +counted == +told
    queries = sum(values(totals.metrics, "dns_queries_total").values())
    assert queries == sum(one.queries + one.refused for one in totals.dns.names)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.lists(any_event(), max_size=4))
def test_nothing_that_comes_breaks_a_count(messages: list[ExportEvent]) -> None:
    totals, names = Totals(), Names()
    events = Reader().read_all([message.SerializeToString() for message in messages])
    for _ in range(2):
        totals.add(events, 5)
    names.add([event for event in events if hasattr(event, "verdict")])
    for by in By:
        totals.traffic.rows(by)
    assert totals.traffic.edges() is not None
    assert (totals.requests.http, totals.requests.grpc, totals.requests.kafka) is not None
    assert (totals.dns.names, totals.dns.unanswered, totals.handshakes.pairs) is not None
    assert len(totals.metrics.all) == 10


def test_what_was_lost_or_could_not_be_read_stands_beside_the_counts() -> None:
    totals = Totals()
    totals.add(
        [Lost(0, "n", 1, 40, None, 0, 0), Lost(0, "n", 1, 2, None, 0, 0), *Reader().read_all([b"", b"\xff"])]
    )
    assert totals.losses.lost == {("n", 1): 42}
    assert totals.losses.unread == {"empty": 1, "damaged": 1}


def test_flows_and_drops_are_labelled_as_agents_label_them() -> None:
    metrics = Metrics()
    metrics.add(
        [seen(0, trace_observation_point=101), drop(0), drop(0, verdict=True), http(0), seen(0, verdict=77)]
    )
    assert values(metrics, "flows_processed_total") == {
        ("TCP", "Trace", "to-endpoint", "FORWARDED"): 1,
        ("TCP", "Drop", "", "DROPPED"): 1,
        ("TCP", "PolicyVerdict", "", "DROPPED"): 1,
        ("HTTP", "L7", "HTTP", "FORWARDED"): 1,
        ("TCP", "Trace", "unknown-point", "77"): 1,
    }
    assert values(metrics, "drop_total") == {("POLICY_DENIED", "TCP"): 2}


def test_ports_count_only_where_the_direction_is_certain() -> None:
    metrics = Metrics()
    metrics.add([seen(0), answer(0), seen(0, is_reply=None), drop(0, is_reply={"value": False})])
    assert values(metrics, "port_distribution_total") == {("TCP", "80"): 1}


def test_tcp_flags_and_icmp_types() -> None:
    metrics = Metrics()
    metrics.add(
        [
            seen(0, l4=tcp(SYN=True)),
            answer(0, l4=tcp(SYN=True, ACK=True)),
            seen(0, l4=tcp(RST=True, FIN=True)),
            drop(0),
            seen(0, l4={"ICMPv4": {"type": 0, "code": 0}}),
            seen(0, l4={"ICMPv6": {"type": 1, "code": 4}}),
        ]
    )
    assert values(metrics, "tcp_flags_total") == {
        ("SYN", "IPv4"): 1,
        ("SYN-ACK", "IPv4"): 1,
        ("FIN", "IPv4"): 1,
        ("RST", "IPv4"): 1,
    }
    assert values(metrics, "icmp_total") == {("IPv4", "0/0"): 1, ("IPv6", "1/4"): 1}


def test_dns_and_http() -> None:
    metrics = Metrics()
    ips = {"ips": ["10.0.0.9"], "rrtypes": ["A"]}
    metrics.add([dns(0), dns(0, rcode=0, record=ips), dns(0, verdict=2), http(0), http(0, code=500, ms=2)])
    assert values(metrics, "dns_queries_total") == {("", "A", "0"): 1, ("Policy denied", "A", "0"): 1}
    assert values(metrics, "dns_responses_total") == {("0", "A", "1"): 1}
    assert values(metrics, "dns_response_types_total") == {("A", "A"): 1}
    assert values(metrics, "http_requests_total") == {("GET", "HTTP/1.1"): 1}
    assert values(metrics, "http_responses_total") == {("GET", "500"): 1}
    assert metrics.http_duration.quantile(0.5) == 2_000_000

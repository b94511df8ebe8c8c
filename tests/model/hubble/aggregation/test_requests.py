from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.hubble.aggregation import Requests
from playbooks.model.hubble.aggregation import requests as module
from playbooks.model.hubble.aggregation.latencies import EXACT, Latencies
from playbooks.model.hubble.aggregation.routes import route
from tests.model.hubble.aggregation.flows import answer, http, pod, seen

MS = 1_000_000


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://cart.shop:8080/api/users/42?x=1#top", "/api/users/{id}"),
        ("/orders/3eafac81-e4fc-449a-8d52-bfc97aa2c71c/items", "/orders/{id}/items"),
        ("/blob/deadbeef01234567", "/blob/{id}"),
        ("/facade/decade", "/facade/decade"),
        ("/v1/deadbeef", "/v1/deadbeef"),
        ("https://example.com", "/"),
        ("", "/"),
        ("*", "*"),
        ("/a//b/", "/a//b/"),
        ("/" + "/".join("abcdefghijklmnop"), "/a/b/c/d/e/f/g/h/i/j/k/l/…"),
        ("/\x1b[31m/7", "/\x1b[31m/{id}"),
    ],
)
def test_a_route_is_a_path_without_what_differs(url: str, path: str) -> None:
    assert route(url) == path


@given(st.text())
def test_any_url_has_a_route(url: str) -> None:
    assert route(url)


def test_routes_have_statuses_and_quantiles_of_those_that_occurred() -> None:
    requests = Requests()
    requests.add([http(number, f"http://cart/api/{number}") for number in range(10)])
    requests.add([http(number, f"http://cart/api/{number}", code=200, ms=number + 1) for number in range(9)])
    requests.add([http(9, "http://cart/api/9", code=503, ms=900)])
    (row,) = requests.http
    assert (row.key.server, row.key.method, row.key.path) == ("shop/cart", "GET", "/api/{id}")
    assert (row.requests, row.responses, row.refused) == (10, 10, 0)
    assert row.statuses == {"200": 9, "503": 1}
    assert row.classes == {"2xx": 9, "5xx": 1}
    assert (row.p50, row.p90, row.p99, row.is_exact) == (5 * MS, 9 * MS, 900 * MS, True)
    slowest = row.slowest[0]
    assert (slowest.latency_ns, slowest.client, slowest.server) == (900 * MS, "shop/web-1", "shop/cart-1")
    assert slowest.status == "503"
    assert [one.latency_ns // MS for one in row.slowest] == [900, 9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_without_responses_there_is_no_latency() -> None:
    requests = Requests()
    requests.add([http(0)])
    (row,) = requests.http
    assert (row.p50, row.p99, row.slowest) == (None, None, ())


def test_what_policy_refused_is_told_apart() -> None:
    requests = Requests()
    requests.add([http(0, verdict=2)])
    (row,) = requests.http
    assert (row.requests, row.refused) == (0, 1)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (
            {"headers": [{"key": "Content-Type", "value": "application/grpc+proto"}], "protocol": "HTTP/2"},
            True,
        ),
        ({"method": "POST", "protocol": "HTTP/2"}, True),
        ({"method": "POST", "protocol": "HTTP/1.1"}, False),
        ({"method": "GET", "protocol": "HTTP/2"}, False),
        (
            {
                "method": "POST",
                "protocol": "HTTP/2",
                "headers": [{"key": "content-type", "value": "application/json"}],
            },
            False,
        ),
    ],
)
def test_grpc_is_told_by_its_content_type_or_its_shape(record: dict[str, object], found: bool) -> None:
    requests = Requests()
    requests.add([http(0, "http://cart/shop.v1.Cart/Add", record=record)])
    assert [(row.key.service, row.key.method) for row in requests.grpc] == [("shop.v1.Cart", "Add")] * found


def test_grpc_has_its_own_status_where_it_is_told() -> None:
    requests = Requests()
    grpc = {"protocol": "HTTP/2", "method": "POST"}
    told = {
        **grpc,
        "headers": [
            {"key": "content-type", "value": "application/grpc"},
            {"key": "Grpc-Status", "value": "14"},
        ],
    }
    requests.add(
        [http(0, "/a.B/C", code=200, ms=1, record=told), http(0, "/a.B/C", code=200, ms=1, record=grpc)]
    )
    (row,) = requests.grpc
    assert row.statuses == {"14": 1, "HTTP 200": 1}
    assert row.classes == {"14": 1, "HTTP 200": 1}


def test_kafka_is_told_by_topic_and_call() -> None:
    requests = Requests()
    kafka = {"api_key": "produce", "topic": "orders"}
    requests.add(
        [
            seen(0, l7={"type": 1, "kafka": kafka}, destination=pod("kafka-0")),
            answer(
                0, l7={"type": 2, "latency_ns": 5, "kafka": {**kafka, "error_code": 3}}, source=pod("kafka-0")
            ),
        ]
    )
    (row,) = requests.kafka
    assert (row.key.server, row.key.topic, row.key.api_key) == ("shop/kafka", "orders", "produce")
    assert (row.requests, row.statuses, row.p50) == (1, {"3": 1}, 5)


def test_too_many_routes_are_counted_together_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 3)
    requests = Requests()
    requests.add([http(0, f"/route-{chr(97 + number)}") for number in range(8)])
    assert (len(requests.http), requests.overflow) == (3, 5)


def test_many_latencies_are_kept_in_narrow_classes() -> None:
    latencies, true = Latencies(), [number * 1000 for number in range(1, 3 * EXACT)]
    latencies.add(true)
    assert not latencies.is_exact
    assert latencies.count == len(true)
    for share in (0.01, 0.5, 0.9, 0.99):
        exact = sorted(true)[round(share * len(true)) - 1]
        found = latencies.quantile(share)
        assert found is not None
        assert 0.999 * exact <= found <= 1.025 * exact


def test_no_latency_is_no_zero() -> None:
    latencies = Latencies()
    latencies.add([0, -5])
    assert (latencies.count, latencies.quantile(0.5)) == (0, None)

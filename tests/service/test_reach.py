"""Traffic policies, source ranges, sockets that stick: who gets through, and from where."""

from __future__ import annotations

import pytest

from playbooks.model.finding import Severity
from tests.agent.judged import Json, found, only
from tests.edited import each, gap
from tests.service.telling import DROPS, flow, moved, seen, service, stamp

NODE_IP, NODE_PORT = "192.0.2.2", 30080
BACKEND = "10.244.0.189"


def test_a_node_without_a_pod_of_a_local_service_is_worth_knowing() -> None:
    one = only("SVC007", service("frontend", externalTrafficPolicy="Local"), moved("frontend", "other"))
    assert str(one.subject) == "Service shop/frontend"
    assert one.severity is Severity.INFO
    assert "1 of 1 nodes" in one.summary.raw


def test_it_is_a_fault_where_clients_come_to_such_a_node() -> None:
    local = (service("frontend", externalTrafficPolicy="Local"), moved("frontend", "other"))
    one = only("SVC007", *local, seen(flow(158, "203.0.113.9", NODE_IP, NODE_PORT)))
    assert one.severity is Severity.WARN
    assert one.first_seen is not None
    assert one.evidence[-1].excerpt.raw.endswith("Service backend not found (158)")


def test_other_ports_and_other_reasons_are_not_its_own() -> None:
    local = (service("frontend", externalTrafficPolicy="Local"), moved("frontend", "other"))
    drops = (flow(158, "203.0.113.9", NODE_IP, 30999), flow(133, "203.0.113.9", NODE_IP, NODE_PORT))
    assert only("SVC007", *local, seen(*drops)).severity is Severity.INFO


def test_drops_of_long_ago_are_from_before_it_was_so() -> None:
    local = (service("frontend", externalTrafficPolicy="Local"), moved("frontend", "other"))
    drop = seen(flow(158, "203.0.113.9", NODE_IP, NODE_PORT, time=stamp(900)))
    assert only("SVC007", *local, drop).severity is Severity.INFO


def test_with_cluster_every_node_passes_on() -> None:
    drop = seen(flow(158, "203.0.113.9", NODE_IP, NODE_PORT))
    assert found("SVC007", moved("frontend", "other"), drop) == []
    assert found("SVC007", service("frontend", externalTrafficPolicy="Local"), drop) == []


def test_clients_inside_are_led_to_their_own_node_only_where_asked() -> None:
    local = service("cart", internalTrafficPolicy="Local")
    one = only("SVC008", local, moved("cart", "other"))
    assert one.severity is Severity.INFO
    called = seen(flow(158, "10.244.0.9", "10.96.1.242", 80, pod="shop/caller"))
    assert only("SVC008", local, moved("cart", "other"), called).severity is Severity.WARN
    assert found("SVC008", moved("cart", "other"), called) == []
    assert found("SVC008", local, called) == []


RANGES = service("frontend", loadBalancerSourceRanges=["10.0.0.0/8"], externalIPs=["198.51.100.77"])


def test_a_client_outside_of_the_list_is_told() -> None:
    one = only("SVC010", RANGES, seen(flow(177, "203.0.113.9", "198.51.100.77", 80)))
    assert str(one.subject) == "Service shop/frontend"
    assert one.severity is Severity.INFO
    assert "203.0.113.9" in one.summary.raw


def test_an_address_that_was_rewritten_to_a_node_s_can_be_in_no_list() -> None:
    one = only("SVC010", RANGES, seen(flow(177, NODE_IP, "198.51.100.77", 80)))
    assert one.severity is Severity.WARN


def test_drops_of_a_client_that_the_list_admits_by_now_are_over() -> None:
    wide = service(
        "frontend", loadBalancerSourceRanges=["10.0.0.0/8", f"{NODE_IP}/32"], externalIPs=["198.51.100.77"]
    )
    assert found("SVC010", wide, seen(flow(177, NODE_IP, "198.51.100.77", 80))) == []


def test_without_a_list_nobody_is_refused_by_it() -> None:
    assert found("SVC010", seen(flow(177, "203.0.113.9", "198.51.100.77", 80))) == []
    assert found("SVC010", RANGES) == []


def socket(destination: str, *ages: float, port: int = 53, protocol: str = "UDP") -> list[Json]:
    return [
        flow(
            151,
            "10.244.0.33",
            destination,
            port,
            pod=CLIENT,
            protocol=protocol,
            time=stamp(age),
        )
        for age in ages
    ]


CLIENT = "shop/client-1"


def client(document: Json) -> Json:
    if document["metadata"]["name"].startswith("cart-client"):
        document["metadata"]["name"] = "client-1"
    return document


def test_a_socket_that_goes_on_sending_to_nobody_is_told() -> None:
    one = only("SVC012", each("pods", client), seen(*socket("10.244.9.9", 90, 50, 10)))
    assert str(one.subject) == "Pod shop/client-1"
    assert one.severity is Severity.WARN
    assert "10.244.9.9:53" in one.summary.raw
    assert one.fixes[0].steps[0].is_capture


@pytest.mark.parametrize(
    "flows",
    [
        socket(BACKEND, 90, 50, 10),
        socket("10.244.9.9", 12, 11, 10),
        socket("10.244.9.9", 90, 10),
        socket("10.244.9.9", 9000, 8000, 7000),
        socket("10.244.9.9", 90, 50, 10, protocol="TCP"),
    ],
    ids=["to a pod", "for a moment", "twice", "long ago", "TCP"],
)
def test_other_drops_of_that_reason_are_tolerated(flows: list[Json]) -> None:
    assert found("SVC012", each("pods", client), seen(*flows)) == []


@pytest.mark.parametrize("id", ["SVC007", "SVC008", "SVC010", "SVC012"])
def test_without_flows_nothing_is_a_fault(id: str) -> None:
    edits = (service("frontend", externalTrafficPolicy="Local"), moved("frontend", "other"), gap(DROPS))
    assert [one for one in found(id, *edits) if one.severity > Severity.INFO] == []

from __future__ import annotations

from playbooks.model.finding import Severity
from tests.agent.judged import Json, found, only
from tests.edited import Edit, command, each, gap

LAB = "03-service-wrong-targetport"
DROPS = command("hubble", "observe", "--verdict", "DROPPED")
RESETS = command("hubble", "observe", "--tcp-flags", "RST", "--last", "100", "-o", "jsonpb")


def cart(ports: list[Json]) -> Edit:
    def put(service: Json) -> Json:
        if service["metadata"]["name"] == "cart":
            service["spec"]["ports"] = ports
        return service

    return each("services", put)


def test_a_port_at_which_pods_refuse_is_told_with_the_one_they_declare() -> None:
    wrong, also = sorted(found("SVC002", cluster=LAB), key=lambda one: "8088" not in one.summary.raw)
    assert str(wrong.subject) == "Service shop/cart"
    assert wrong.severity is Severity.ERROR
    assert "declare 8080" in wrong.summary.raw
    assert "8081" in also.summary.raw


def test_the_port_on_which_containers_listen_is_right() -> None:
    right = cart([{"name": "p80", "port": 80, "protocol": "TCP", "targetPort": 8080}])
    assert found("SVC002", right, cluster=LAB) == []


def test_an_undeclared_port_that_nobody_was_seen_to_refuse_is_no_fault() -> None:
    one, *_ = found("SVC002", gap(RESETS), gap(DROPS), cluster=LAB)
    assert one.severity is Severity.INFO


def test_what_policy_drops_at_an_undeclared_port_hurts_where_the_service_has_no_other() -> None:
    one = next(one for one in found("SVC002", gap(RESETS), cluster=LAB) if "8088" in one.summary.raw)
    assert one.severity is Severity.WARN
    assert "no policy admits that port" in one.impact.raw
    assert all(one.severity is Severity.INFO for one in found("SVC002", gap(RESETS)))


def test_pods_that_declare_nothing_prove_nothing() -> None:
    def bare(pod: Json) -> Json:
        for container in pod["spec"]["containers"]:
            container.pop("ports", None)
        return pod

    assert found("SVC002", each("pods", bare), cluster=LAB) == []


def test_a_port_by_name_is_left_to_who_resolves_it() -> None:
    named = cart([{"name": "p80", "port": 80, "protocol": "TCP", "targetPort": "http"}])
    assert found("SVC002", named, cluster=LAB) == []


def test_healthy_only_tells_the_port_that_is_refused_on_purpose() -> None:
    assert "8081" in only("SVC002").summary.raw

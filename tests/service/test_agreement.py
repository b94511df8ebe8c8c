"""Kubernetes, agent and map: what one of them lacks; and maps that are full."""

from __future__ import annotations

import json

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.condition import ConditionKind
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, changed, excerpts, found, only, outcome
from tests.edited import Edit, added, body, command, gap, in_look, log_lines
from tests.service.telling import RESETS, flow, seen, service

MAP = command("cilium-dbg", "bpf", "lb", "list")
LIST = command("cilium-dbg", "service", "list", "-o", "json")
CART = "10.96.1.242:80/TCP"


def in_map(old: str, new: str) -> Edit:
    return body(MAP, lambda told: told.replace(old.encode(), new.encode()))


def test_a_backend_that_is_stale_in_the_map_is_told() -> None:
    one = only("SVC018", in_map("10.244.0.14:8080", "10.244.0.99:8080"))
    assert str(one.subject) == "Service shop/cart"
    assert one.severity is Severity.ERROR
    assert "10.244.0.99:8080" in excerpts(one)
    assert "no backend of it" in one.impact.raw
    assert one.fixes[0].steps[0].is_capture


def test_a_difference_of_one_look_is_a_change_under_way() -> None:
    assert found("SVC018", in_look(1, in_map("10.244.0.14:8080", "10.244.0.99:8080"))) == []
    edit = in_map("10.244.0.14:8080", "10.244.0.99:8080")
    assert outcome("SVC018", edit, looks=1).kind is OutcomeKind.COULD_NOT_LOOK


def test_the_recorded_maps_agree() -> None:
    assert found("SVC018") == []
    assert found("SVC019") == []
    assert found("SVC018", gap(MAP)) == []


def agent_backend(old: str, new: str) -> Edit:
    def change(document: list[Json]) -> None:
        for one in document:
            for part in (one["spec"], one["status"]["realized"]):
                for backend in part.get("backend-addresses") or ():
                    if backend["ip"] == old:
                        backend["ip"] = new

    return changed(LIST, change)  # type: ignore[arg-type]


def test_an_agent_that_knows_other_backends_than_kubernetes_is_told() -> None:
    edits = (agent_backend("10.244.0.68", "10.244.0.99"), in_map("10.244.0.68:6379", "10.244.0.99:6379"))
    one = only("SVC019", *edits)
    assert str(one.subject) == "Service shop/redis"
    assert one.severity is Severity.ERROR
    assert found("SVC018", *edits) == []
    assert found("SVC019", *(in_look(2, edit) for edit in edits)) == []


def test_a_service_that_agents_are_told_to_shape_is_theirs() -> None:
    edits = (agent_backend("10.244.0.68", "10.244.0.99"), in_map("10.244.0.68:6379", "10.244.0.99:6379"))
    noted = service("redis", annotations={"service.cilium.io/node": "other"})
    assert found("SVC019", *edits, noted) == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_full_map_is_told_in_the_agent_s_words(number: int) -> None:
    case = next(rule for rule in catalogue().rules if rule.id == "SVC011").cases[number]
    one = only("SVC011", log_lines(*case.lines))
    assert one.severity is Severity.ERROR
    assert case.lines[0] in excerpts(one)
    assert [(c.kind, c.detail) for c in one.asserts] == [(ConditionKind.MAP_FULL, "services")]


def test_a_full_map_is_seen_by_its_entries_too() -> None:
    def shrunk(told: bytes) -> bytes:
        maps = json.loads(told)
        for one in maps:
            if one.get("name", "").startswith("cilium_lb4_serv"[:15]):
                one["max_entries"] = 49
        return json.dumps(maps).encode()

    one = only("SVC011", body(command("bpftool", "map"), shrunk))
    assert one.severity is Severity.WARN
    assert "49 of 49" in excerpts(one)


def test_the_size_that_an_agent_echoes_is_no_complaint() -> None:
    echo = "level=info msg=\"  --bpf-lb-map-max='65536'\" subsys=daemon"
    assert found("SVC011", log_lines(echo)) == []
    assert found("SVC011") == []


def again() -> Edit:
    """Another service in front of redis."""
    meta = {"name": "cache", "namespace": "shop"}
    spec = {"clusterIP": "10.96.9.9", "ports": [{"port": 6379}], "selector": {"app": "redis"}}
    return added("services", {"metadata": meta, "spec": spec})


def slices() -> Edit:
    meta = {"name": "cache-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "cache"}}
    item = {
        "metadata": meta,
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.244.0.68"], "conditions": {"ready": True}}],
        "ports": [{"name": "", "port": 6379, "protocol": "TCP"}],
    }
    return added("endpointslices", item)


RESET = seen(flow(0, "10.244.0.33", "10.244.0.68", 6379, pod="shop/client"), which=RESETS)


def test_one_backend_of_two_services_that_sees_resets_is_worth_knowing() -> None:
    one = only("SVC016", again(), slices(), RESET)
    assert {str(ref) for ref in one.subjects} == {"Service shop/redis", "Service shop/cache"}
    assert one.severity is Severity.INFO


def test_one_service_or_no_reset_is_nothing() -> None:
    assert found("SVC016", RESET) == []
    assert found("SVC016", again(), slices()) == []
    assert found("SVC016") == []

"""Faults of services as an engineer would make them, all playbooks judged: the root is what to change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from tests import recorded
from tests.agent.judged import Json, changed, run
from tests.edited import Edit, added, command, each, edited, in_look
from tests.policy.built import refused
from tests.service.telling import flow, seen, service, unready

LIST = command("cilium-dbg", "service", "list", "-o", "json")
MAP = command("cilium-dbg", "bpf", "lb", "list")
CLIENT = "shop/cart-client-797565c4d4-249j9"
LOST = seen(flow(158, "10.244.0.170", "10.96.153.60", 6379, pod=CLIENT))
STRAY = seen(flow(151, "10.244.0.170", "10.244.0.99", 6379, pod=CLIENT))


def slice_of(name: str, change: Callable[[Json], object]) -> Edit:
    def put(one: Json) -> Json:
        if one["metadata"]["labels"].get("kubernetes.io/service-name") == name:
            change(one)
        return one

    return each("endpointslices", put)


def known(name: str, change: Callable[[Json], object]) -> Edit:
    """Change what the agent knows of a service."""

    def put(document: list[Json]) -> None:
        for one in document:
            for part in (one["spec"], one["status"]["realized"]):
                if part["flags"].get("name") == name:
                    change(part)

    return changed(LIST, put)  # type: ignore[arg-type]


def mapped(change: Callable[[Json], object]) -> Edit:
    return changed(MAP, change)


def gone(prefix: str, *, keep: str = "no such row") -> Edit:
    """Take rows out of the map of services."""

    def put(rows: Json) -> None:
        for key in [key for key in rows if key.startswith(prefix) and keep not in key]:
            del rows[key]

    return mapped(put)


def emptied(name: str, address: str) -> tuple[Edit, ...]:
    """A service without backends, as it shows everywhere."""
    return (
        slice_of(name, lambda one: one.update(endpoints=None, ports=None)),
        known(name, lambda one: one.pop("backend-addresses", None)),
        gone(f"{address}:", keep="(0)"),
    )


def down(name: str, address: str, seconds: float) -> tuple[Edit, ...]:
    """All pods of a service not ready for so long: agents keep their backends, the map does not."""

    def rest(one: Json) -> None:
        for backend in one.get("backend-addresses") or ():
            backend["state"] = "maintenance"

    return (*unready(name, seconds), known(name, rest), gone(f"{address}:", keep="(0)"))


def ports(*entries: Json) -> Edit:
    return service("redis", ports=list(entries))


def frontend(**change: object) -> tuple[Edit, ...]:
    """Let the agent, and its map, serve redis at another port or by another protocol."""

    def put(rows: Json) -> None:
        for key in [key for key in rows if key.startswith("10.96.153.60:6379/")]:
            port, protocol = change.get("port", 6379), change.get("protocol", "TCP")
            rows[key.replace("6379/TCP", f"{port}/{protocol}")] = [
                line.replace("/TCP", f"/{protocol}") for line in rows.pop(key)
            ]

    def backends(one: Json) -> None:
        one["frontend-address"].update(change)
        for backend in one["backend-addresses"] if "protocol" in change else ():
            backend["protocol"] = change["protocol"]

    return known("redis", backends), mapped(put)


def by_hand(address: str) -> tuple[Edit, ...]:
    """Another slice of redis, which no controller keeps."""
    meta = {"name": "redis-more", "namespace": "shop", "labels": {"kubernetes.io/service-name": "redis"}}
    backend = {"addresses": [address], "conditions": {"ready": True}}
    port = {"name": "p6379", "port": 6379, "protocol": "TCP"}
    item = {"metadata": meta, "addressType": "IPv4", "endpoints": [backend], "ports": [port]}
    row = mapped(lambda rows: rows.update({"10.96.153.60:6379/TCP (2)": [f"{address}:6379/TCP (17) (2)"]}))

    def more(one: Json) -> None:
        one["backend-addresses"].append({**one["backend-addresses"][0], "ip": address})

    return added("endpointslices", item), known("redis", more), row


REDIS, LEGACY = "Service shop/redis", "Service default/legacy"
WHOLE: dict[str, tuple[str, tuple[Edit, ...]]] = {
    "probe-fails": ("Service shop/cart", down("cart", "10.96.1.242", 40)),
    "probe-fails-later": (LEGACY, tuple(in_look(2, one) for one in down("legacy", "10.96.122.195", 40))),
    "other-label": (
        REDIS,
        (service("redis", selector={"app": "cache"}), *emptied("redis", "10.96.153.60")),
    ),
    "one-label-more": (
        REDIS,
        (service("redis", selector={"app": "redis", "version": "v2"}), *emptied("redis", "10.96.153.60")),
    ),
    "other-service-port": (
        REDIS,
        (ports({"name": "p6379", "port": 6380, "targetPort": 6379}), *frontend(port=6380), LOST),
    ),
    "protocol": (
        REDIS,
        (
            ports({"name": "p6379", "port": 6379, "targetPort": 6379, "protocol": "UDP"}),
            slice_of("redis", lambda one: one["ports"][0].update(protocol="UDP")),
            *frontend(protocol="UDP"),
            LOST,
        ),
    ),
    "target-of-one-port": (
        "Service shop/checkout",
        (
            service(
                "checkout",
                ports=[
                    {"name": "p8080", "port": 8080, "targetPort": 8090},
                    {"name": "p9090", "port": 9090, "targetPort": 9090},
                ],
            ),
            refused("frontend-client", "checkout", 8090),
        ),
    ),
    "row-of-the-map": (REDIS, (gone("10.96.153.60:6379/TCP"),)),
    "first-row-of-the-map": (REDIS, (gone("10.96.153.60:6379/TCP (0)"),)),
    "backend-of-the-map": (
        REDIS,
        (mapped(lambda rows: rows.update({"10.96.153.60:6379/TCP (1)": ["backend 9 not found"]})),),
    ),
    "slice-by-hand": ("EndpointSlice shop/redis-more", (*by_hand("10.244.0.99"), STRAY)),
}


def loud(*edits: Edit) -> list[str]:
    """The subjects of roots above INFO."""
    snapshot: Snapshot = run(edited(recorded.source("healthy"), *edits))
    return [str(one.finding.subject) for one in snapshot.roots if one.finding.severity > Severity.INFO]


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_to_change_is_the_only_root(name: str) -> None:
    subject, edits = WHOLE[name]
    assert set(loud(*edits)) == {subject}


def test_a_refused_port_beside_all_that_pods_declare_is_worth_knowing_only() -> None:
    assert loud() == []


def test_pods_that_have_just_turned_not_ready_get_seconds() -> None:
    assert loud(*(in_look(1, one) for one in unready("cart", 5))) == []


def test_a_slice_by_hand_with_the_address_of_a_pod_is_well() -> None:
    assert "EndpointSlice shop/redis-more" not in loud(*by_hand("10.244.0.14"))


def test_what_is_dropped_at_a_port_that_a_service_has_is_no_call_of_another() -> None:
    assert loud(LOST) == []

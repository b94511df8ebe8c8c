from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from playbooks.model.fact import Provenance
from playbooks.model.hubble.aggregation import names as module
from playbooks.model.hubble.aggregation.names import Kind, Names
from playbooks.model.kube.nodes import Node, Nodes
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, Services
from tests.model.hubble.aggregation.flows import dns, pod, seen

WHERE = Provenance("kubectl get", "API", datetime(2026, 1, 1, tzinfo=UTC))


def meta(name: str, namespace: str = "") -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "uid": name}


def known() -> Names:
    pods = [
        {"metadata": meta("cart-1", "shop"), "spec": {}, "status": {"podIP": "10.0.0.2", "phase": "Running"}},
        {
            "metadata": meta("job-1", "shop"),
            "spec": {},
            "status": {"podIP": "10.0.0.3", "phase": "Succeeded"},
        },
        {
            "metadata": meta("cilium-1", "kube-system"),
            "spec": {"hostNetwork": True},
            "status": {"podIP": "192.0.2.1"},
        },
    ]
    services = [{"metadata": meta("cart", "shop"), "spec": {"clusterIP": "10.96.0.7"}}]
    nodes = [
        {
            "metadata": meta("node-1"),
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": "192.0.2.1"},
                    {"type": "Hostname", "address": "node-1"},
                ]
            },
        }
    ]
    return Names(
        Pods(provenance=WHERE, items=msgspec.convert(tuple(pods), tuple[Pod, ...])),
        Services(provenance=WHERE, items=msgspec.convert(tuple(services), tuple[Service, ...])),
        Nodes(provenance=WHERE, items=msgspec.convert(tuple(nodes), tuple[Node, ...])),
    )


@pytest.mark.parametrize(
    ("address", "name", "way"),
    [
        ("10.0.0.2", "shop/cart-1", "pods"),
        ("10.96.0.7", "shop/cart", "services"),
        ("192.0.2.1", "node-1", "nodes"),
    ],
)
def test_objects_tell_pods_services_and_nodes(address: str, name: str, way: str) -> None:
    named = known().of(address)
    assert (str(named), named.way if named else "") == (name, way)


def test_what_nothing_tells_has_no_name() -> None:
    assert known().of("10.0.0.3") is None
    assert known().of("node-1") is None
    assert Names().of("") is None


def test_a_flow_tells_who_had_the_address_then() -> None:
    names = known()
    names.add([seen(5, destination=pod("web-9"))])
    assert str(names.of("10.0.0.2")) == "shop/web-9"
    names.add([seen(3, destination=pod("web-3"))])
    assert str(names.of("10.0.0.2")) == "shop/web-9"


def test_dns_answers_name_addresses_outside_and_leave_services_their_name() -> None:
    names = known()
    names.add([dns(0, "api.example.com.", rcode=0, record={"ips": ["198.51.100.7", "10.96.0.7"]})])
    named = names.of("198.51.100.7")
    assert named is not None
    assert (named.kind, named.name, named.way) == (Kind.NAME, "api.example.com.", "DNS answer")
    assert str(names.of("10.96.0.7")) == "shop/cart"


def test_names_that_hubble_knows_are_taken_over() -> None:
    names = Names()
    world = {"identity": 2, "labels": ["reserved:world"]}
    names.add([seen(0, destination=world, destination_names=["db.example.com"])])
    assert str(names.of("10.0.0.2")) == "db.example.com"
    names.add([seen(1)])
    assert str(names.of("10.0.0.2")) == "shop/cart-1"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 3)
    names = Names()
    for number in range(10):
        names.add([seen(number, IP={"source": f"10.1.0.{number}", "destination": "10.0.0.2"})])
    assert names.of("10.1.0.1") is None
    assert str(names.of("10.1.0.9")) == "shop/web-1"

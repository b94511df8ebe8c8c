"""Services as an agent has them: by its API, and by its state with what reached the datapath."""

from __future__ import annotations

import json

import pytest

from playbooks.model.cilium.agent.load_balancing import AgentBackends, AgentFrontends
from playbooks.model.cilium.agent.redirects import AgentRedirects
from playbooks.model.cilium.agent.services import AgentService, AgentServices
from playbooks.model.fact import Unreadable
from tests.model.agent.reading import columns, read, recorded
from tests.model.samples import sample_of

NO_POD, WRONG_PORT = "02-service-selector-typo", "03-service-wrong-targetport"


def backends(service: AgentService) -> list[tuple[str, str]]:
    return sorted((backend.address, backend.state) for backend in service.backends)


def test_a_service_tells_its_frontends_and_backends() -> None:
    fact = recorded(AgentServices)
    (cart, metrics) = sorted(fact.of("shop", "cart"), key=lambda item: item.address)
    assert (cart.address, cart.type) == ("10.96.1.242:80/TCP", "ClusterIP")
    assert backends(cart) == [("10.244.0.14:8080/TCP", "active"), ("10.244.0.18:8080/TCP", "active")]
    assert all(backend.is_active for backend in metrics.backends)
    assert {item.type for item in fact.of("shop", "frontend")} == {"ClusterIP", "NodePort"}


@pytest.mark.parametrize("way", [0, 1])
def test_a_service_without_a_pod_has_no_backend(way: int) -> None:
    def bare(cluster: str) -> set[str]:
        return {item.address for item in recorded(AgentServices, way, cluster).items if not item.backends}

    assert len(bare(NO_POD) - bare("healthy")) == 2
    assert bare("healthy") == {"10.96.152.115:80/TCP"}


def test_json_and_text_of_services_agree() -> None:
    from_json = {item.spec.id: item for item in recorded(AgentServices).items}
    from_text = recorded(AgentServices, 1).items
    assert len(from_text) == len(from_json)
    for item in from_text:
        other = from_json[item.spec.id]
        assert (item.address, item.type, backends(item)) == (other.address, other.type, backends(other))
        assert item.name == "", "text tells no names"


def test_addresses_of_older_versions_and_of_ipv6_are_read() -> None:
    body = columns(
        ("ID", "Frontend", "Service Type", "Backend"),
        ("1", "[fd00::10]:443", "ClusterIP", "1 => [fd00::2]:6443 (terminating)"),
        ("2", "10.0.0.1:80/TCP/i", "LoadBalancer", "1 => 10.0.0.2:80"),
    )
    six, four = read(AgentServices, body, 1).items
    assert (six.address, backends(six)) == ("[fd00::10]:443", [("[fd00::2]:6443", "terminating")])
    assert not six.backends[0].is_active
    assert four.spec.frontend_address is not None
    assert four.spec.frontend_address.scope == "internal"
    lower = '[{"spec":{"id":1,"frontend-address":{"ip":"10.0.0.1","port":80,"protocol":"tcp"}}}]'
    assert read(AgentServices, lower).items[0].address == "10.0.0.1:80/TCP"


@pytest.mark.parametrize("backend", ["10.0.0.1:80", "1 => nowhere", "1 => 10.0.0.1:80 (act"])
def test_what_is_no_backend_is_unreadable(backend: str) -> None:
    body = columns(
        ("ID", "Frontend", "Service Type", "Backend"), ("1", "10.0.0.1:80/TCP", "ClusterIP", backend)
    )
    with pytest.raises(Unreadable):
        read(AgentServices, body, 1)


def test_every_frontend_of_a_healthy_node_is_in_the_datapath() -> None:
    fact = recorded(AgentFrontends)
    assert len(fact.items) == 15
    assert all(item.is_in_datapath and not item.error and item.changed_at for item in fact.items)
    assert {item.address for item in fact.of("shop", "cart")} == {
        "10.96.1.242:80/TCP",
        "10.96.1.242:8081/TCP",
    }


def test_a_frontend_that_did_not_reach_the_datapath_says_why() -> None:
    body = {"Address": "10.0.0.1:80/TCP", "ServiceName": "a/b", "Backends": None}
    status = {"kind": "Error", "error": "update map: no space left on device"}
    (item,) = read(AgentFrontends, json.dumps({**body, "Status": status})).items
    assert (item.is_in_datapath, item.error) == (False, "update map: no space left on device")
    assert (item.backends, item.id, item.changed_at) == ((), None, None)


@pytest.mark.parametrize("cluster", ["healthy", NO_POD, WRONG_PORT])
def test_json_and_text_of_frontends_and_backends_agree(cluster: str) -> None:
    one, other = recorded(AgentFrontends, 0, cluster).items, recorded(AgentFrontends, 1, cluster).items
    assert [(i.address, i.type, i.service, i.port_name, i.status) for i in one] == [
        (i.address, i.type, i.service, i.port_name, i.status) for i in other
    ]
    assert [set(item.backends) for item in one] == [set(item.backends) for item in other]
    assert {item.id for item in other} == {None}
    first, second = recorded(AgentBackends, 0, cluster).items, recorded(AgentBackends, 1, cluster).items
    assert [(i.service, i.address, i.state, i.node, i.port_names) for i in first] == [
        (i.service, i.address, i.state, i.node, i.port_names) for i in second
    ]


def test_a_backend_that_is_not_ready_is_told_by_both_ways() -> None:
    body = '{"Address":"10.0.0.2:80/TCP","ServiceName":"a/b","State":4,"Unhealthy":false}'
    assert read(AgentBackends, body).items[0].state == "maintenance"
    unsure = '{"Address":"10.0.0.2:80/TCP","ServiceName":"a/b","State":2}'
    assert read(AgentBackends, unsure).items[0].state == "", "other versions mean another state by it"


def test_an_empty_table_is_known_only_by_its_text() -> None:
    with pytest.raises(Unreadable, match="look alike"):
        read(AgentBackends, b"")
    assert read(AgentBackends, "Service   Address   State\n", 1).items == ()


def test_local_redirects_tell_where_traffic_is_led() -> None:
    assert recorded(AgentRedirects).items == ()
    (item,) = read(AgentRedirects, sample_of("AgentRedirects: agent's local redirects") or b"").items
    assert (item.namespace, item.name, item.service_id) == (
        "kube-system",
        "nodelocaldns",
        "kube-system/kube-dns",
    )
    (mapping,) = item.frontend_mappings or ()
    assert [backend.pod_id for backend in mapping.backends or ()] == ["kube-system/node-local-dns-abcde"]

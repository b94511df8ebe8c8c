"""Who is who for an agent: identities, addresses, nodes, DNS names, cgroups, pods."""

from __future__ import annotations

import pytest

from playbooks.model.cilium.agent.addresses import AgentAddresses
from playbooks.model.cilium.agent.cgroups import AgentCgroups
from playbooks.model.cilium.agent.fqdn import AgentLookups, AgentNameSelectors
from playbooks.model.cilium.agent.identities import AgentIdentities, AgentIdentityUse
from playbooks.model.cilium.agent.local_pods import AgentPods
from playbooks.model.cilium.agent.nodes import AgentNodeNumbers, AgentNodes
from playbooks.model.fact import Unreadable
from tests.model.agent.reading import columns, read, recorded
from tests.model.samples import sample_of


def test_json_and_text_of_identities_are_alike() -> None:
    from_json, from_text = recorded(AgentIdentities), recorded(AgentIdentities, 1)
    assert {i.id: {*(i.labels or ())} for i in from_json.items} == {
        i.id: {*(i.labels or ())} for i in from_text.items
    }
    assert from_json.by_id[7].labels == ("reserved:kube-apiserver", "reserved:remote-node")
    assert sum(item.is_reserved for item in from_json.items) == 14
    assert [item.id for item in from_json.items if item.is_local] == [16777220, 16777221, 16777223, 16777224]


def test_identities_in_use_are_those_of_the_endpoints() -> None:
    uses = recorded(AgentIdentityUse, 1).items
    assert sum(use.ref_count or 0 for use in uses) == 16
    assert {use.identity.id: use.ref_count for use in uses}[98236] == 2
    written = sample_of("AgentIdentityUse: agent's used identities") or b""
    assert [use.ref_count for use in read(AgentIdentityUse, written).items] == [1, 2]


def test_an_address_tells_its_pod_and_identity() -> None:
    fact = recorded(AgentAddresses)
    cart = fact.by_cidr["10.244.0.14/32"]
    assert (cart.identity, cart.pod, cart.host_ip) == (98236, ("shop", "cart-9c97f5f45-xtldl"), "192.0.2.2")
    assert fact.by_cidr["0.0.0.0/0"].pod is None


def test_text_of_addresses_tells_labels_instead_of_identities() -> None:
    from_json, from_text = recorded(AgentAddresses), recorded(AgentAddresses, 1)
    labels = recorded(AgentIdentities).by_id
    assert [*from_json.by_cidr] == [*from_text.by_cidr]
    for cidr, item in from_text.by_cidr.items():
        other = from_json.by_cidr[cidr]
        assert (item.identity, item.host_ip) == (None, "")
        assert other.identity is not None
        assert {*(item.labels or ())} == {*(labels[other.identity].labels or ())}
        assert (item.metadata.source if item.metadata else "") == (
            other.metadata.source if other.metadata else ""
        )


def test_text_of_addresses_with_numbers_tells_identities() -> None:
    body = columns(("IP", "IDENTITY", "SOURCE"), ("10.0.0.7/32", "65612", "k8s"))
    (item,) = read(AgentAddresses, body, 1).items
    assert (item.identity, item.labels) == (65612, None)


def test_a_node_tells_its_addresses_and_ranges() -> None:
    for way in (0, 1):
        node = recorded(AgentNodes, way).get("lab-node-1")
        assert node is not None
        assert (node.cluster, node.source, node.pod_cidrs) == ("lab", "local", ("10.244.0.0/24",))
        assert node.addresses[0] == "192.0.2.2"
    assert recorded(AgentNodes).items[0].addresses == ("192.0.2.2", "10.244.0.112")


def test_the_own_cluster_comes_first_where_names_are_the_same() -> None:
    body = '[{"name":"far/a","source":"clustermesh"},{"name":"near/a","source":"custom-resource"},'
    body += '{"name":"near/b","source":"local"}]'
    fact = read(AgentNodes, body)
    found = fact.get("a")
    assert found is not None
    assert found.cluster == "near"
    assert fact.get("c") is None


def test_node_numbers_are_alike_by_both_ways() -> None:
    assert recorded(AgentNodeNumbers).items == recorded(AgentNodeNumbers, 1).items
    assert {item.id: item.ips for item in recorded(AgentNodeNumbers).items}[0x5ABD] == (
        "192.0.2.2",
        "10.244.0.112",
    )
    with pytest.raises(Unreadable, match="not a number"):
        read(AgentNodeNumbers, columns(("NODE ID", "IP ADDRESSES"), ("12_3", "10.0.0.1")), 1)


def test_lookups_tell_who_asked_and_until_when_the_answer_holds() -> None:
    fact = recorded(AgentLookups)
    (payments,) = [item for item in fact.of(1721) if item.fqdn == "api.payments.example."]
    assert (payments.ips, payments.ttl) == (("198.51.100.10",), 6)
    assert payments.expires_at is not None
    assert {item.fqdn for item in fact.items} == {item.fqdn for item in recorded(AgentLookups, 1).items}
    body = columns(
        ("Endpoint", "Source", "FQDN", "TTL", "ExpirationTime", "IPs"),
        ("7", "connection", "a.example.", "0", "2026-11-23T01:40:58.100Z", "192.0.2.1,192.0.2.2"),
    )
    (item,) = read(AgentLookups, body, 1).items
    assert (item.ips, item.ttl, item.endpoint_id) == (("192.0.2.1", "192.0.2.2"), 0, 7)


def test_names_in_policies_come_with_what_they_are_compared_with() -> None:
    (selector,) = recorded(AgentNameSelectors).items
    assert selector.selector_string == "MatchName: api.payments.example, MatchPattern: "
    assert selector.regex_string == "^api[.]payments[.]example[.]$"
    assert read(AgentNameSelectors, '{"DNSPollNames":null,"FQDNPolicySelectors":null}').items == ()


def test_cgroups_are_alike_by_both_ways() -> None:
    def ids(way: int) -> dict[tuple[str, str], list[int | None]]:
        pods = recorded(AgentCgroups, way).items
        return {(p.namespace, p.name): [c.cgroup_id for c in p.containers or ()] for p in pods}

    assert ids(0) == ids(1)
    checkout = next(pod for pod in recorded(AgentCgroups).items if pod.name.startswith("checkout-54"))
    assert checkout.ips == ("10.244.0.21",)
    body = columns(("POD NAME", "POD NAMESPACE", "CGROUP IDS"), ("a", "b", "12,13"), ("c", "b", "14 15"))
    assert [len(pod.containers or ()) for pod in read(AgentCgroups, body, 1).items] == [2, 2]


def test_local_pods_tell_whether_they_use_the_nodes_network() -> None:
    pods = {(pod.namespace, pod.name): pod for pod in recorded(AgentPods, 1).items}
    assert pods["default", "intruder-867cbb5789-fsc6q"].addresses == ("10.244.0.113",)
    assert [name for (_, name), pod in pods.items() if pod.is_host_network] != []
    written = read(AgentPods, sample_of("AgentPods: agent's table k8s-pods") or b"")
    assert {(p.namespace, p.name) for p in written.items} <= {*pods}
    assert written.items[0] == pods[written.items[0].namespace, written.items[0].name]

"""Policies that say something else than they do: ports, hosts, prefixes, names, validity."""

from __future__ import annotations

from playbooks.model.finding import Severity
from tests.agent.judged import Json, config, found, only
from tests.edited import added, command, each, gap, of
from tests.policy.built import API_SERVER, OUTSIDE, ccnp, cnp, of_app, ports, refused, without

LOOKUPS = command("cilium-dbg", "fqdn", "cache", "list")
NODE = "192.0.2.2/32"


def test_a_port_that_no_container_names_is_told() -> None:
    rule = {"fromEndpoints": [{}], "toPorts": ports("redis-prot")}
    one = only("POL023", cnp("redis-named", {"endpointSelector": of_app("redis"), "ingress": [rule]}))
    assert str(one.subject) == "CiliumNetworkPolicy shop/redis-named"
    assert "port redis-prot, which no container declares" in one.summary.raw


def test_a_name_that_containers_declare_is_sound_and_a_mistyped_one_is_corrected() -> None:
    def asking(name: str) -> Json:
        peer = {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "kube-system", "k8s-app": "kube-dns"}}
        rule = {"toEndpoints": [peer], "toPorts": ports(name, "UDP")}
        return {"endpointSelector": of_app("cart"), "egress": [rule]}

    assert found("POL023", cnp("dns", asking("dns"))) == []
    one = only("POL023", cnp("dns", asking("dns-tpc")))
    assert "dns-tcp" in one.fixes[0].title.raw


def test_without_all_pods_a_name_proves_nothing() -> None:
    rule = {"fromEndpoints": [{}], "toPorts": ports("redis-port")}
    policy = cnp("redis-named", {"endpointSelector": of_app("redis"), "ingress": [rule]})
    assert found("POL023", policy, gap(of("namespaces"))) == []


def test_a_policy_for_pods_on_the_hosts_network_does_nothing() -> None:
    spec = {"endpointSelector": {"matchLabels": {"io.cilium/app": "operator"}}, "ingress": [{}]}
    policy = cnp("operator", spec, "kube-system")
    one = only("POL013", policy)
    assert "host's network" in one.summary.raw
    quiet = [one for one in found("POL001", policy) if one.subject.name == "operator"]
    assert quiet == []

    def on_pod_network(pod: Json) -> Json:
        pod["spec"]["hostNetwork"] = False
        return pod

    assert found("POL013", policy, each("pods", on_pod_network)) == []


def block(cidr: str) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "to-api", "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "cart"}},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": cidr}}]}],
        },
    }


def test_the_address_of_a_node_admits_nothing() -> None:
    one = only("POL006", added("networkpolicies", block(NODE)))
    assert one.severity is Severity.WARN
    assert str(one.subject) == "NetworkPolicy shop/to-api"
    drop = refused("cart", {**API_SERVER, "address": "192.0.2.2"}, 6443, "EGRESS")
    harmed = only("POL006", added("networkpolicies", block(NODE)), drop)
    assert harmed.severity is Severity.ERROR
    assert "toEntities: [kube-apiserver" in harmed.fixes[0].steps[-1].command.raw  # type: ignore[union-attr]


def test_addresses_outside_and_prefixes_that_mean_the_world_are_sound() -> None:
    drop = refused("cart", {**API_SERVER, "address": "192.0.2.2"}, 6443, "EGRESS")
    assert found("POL006", added("networkpolicies", block("203.0.113.9/32")), drop) == []
    assert found("POL006", added("networkpolicies", block("0.0.0.0/0")), drop) == []


def test_the_address_of_a_node_beside_the_entity_does_no_harm() -> None:
    beside = cnp(
        "to-nodes", {"endpointSelector": of_app("cart"), "egress": [{"toEntities": ["remote-node"]}]}
    )
    assert found("POL006", added("networkpolicies", block(NODE)), beside) == []


def test_prefixes_may_match_nodes_where_that_is_asked_for() -> None:
    matching = config(policy_cidr_match_mode="nodes")
    assert found("POL006", added("networkpolicies", block(NODE)), matching) == []


def naming(*more: Json) -> Json:
    rule = {"toFQDNs": [{"matchName": "api.nowhere.example"}], "toPorts": ports(443)}
    return {"endpointSelector": of_app("cart"), "egress": [rule, *more]}


def test_a_rule_for_names_needs_one_for_dns() -> None:
    one = only("POL007", cnp("cart-names", naming()))
    assert one.severity is Severity.WARN
    assert "api.nowhere.example" in one.summary.raw
    drop = refused("cart", OUTSIDE, 443, "EGRESS")
    assert only("POL007", cnp("cart-names", naming()), drop).severity is Severity.ERROR
    dns = {"toEndpoints": [{}], "toPorts": ports(53, "ANY", rules={"dns": [{"matchPattern": "*"}]})}
    assert found("POL007", cnp("cart-names", naming(dns)), drop) == []


def test_where_egress_is_open_no_rule_for_names_is_needed() -> None:
    spec = {**naming(), "enableDefaultDeny": {"egress": False}}
    assert found("POL007", cnp("cart-names", spec)) == []


def test_a_rule_for_dns_may_stand_in_another_policy() -> None:
    dns = {"toEndpoints": [{}], "toPorts": ports(53, "ANY", rules={"dns": [{"matchPattern": "*"}]})}
    other = ccnp("dns", {"endpointSelector": {}, "egress": [dns]})
    assert found("POL007", cnp("cart-names", naming()), other) == []


def test_without_the_lookups_harm_is_not_claimed() -> None:
    drop = refused("cart", OUTSIDE, 443, "EGRESS")
    one = only("POL007", cnp("cart-names", naming()), drop, gap(LOOKUPS))
    assert one.severity is Severity.INFO


def test_the_operators_word_on_a_policy_is_told() -> None:
    said = {"type": "Valid", "status": "False", "message": "invalid CIDR 10.0.0.0/99"}
    spec = {"endpointSelector": of_app("cart"), "ingress": [{}]}
    one = only("POL018", cnp("broken", spec, status={"conditions": [said]}))
    assert "invalid CIDR" in one.summary.raw
    assert one.stated_cause
    good = {**said, "status": "True"}
    assert found("POL018", cnp("broken", spec, status={"conditions": [good]})) == []


def test_settings_that_take_policies_out_of_force() -> None:
    assert only("POL027", config(enable_policy="never")).severity is Severity.WARN
    assert only("POL027", config(enable_policy="always")).severity is Severity.INFO
    assert found("POL027") == []
    one = only("POL024", config(enable_l7_proxy="false"))
    assert str(one.subject) == "ConfigMap kube-system/cilium-config"
    assert found("POL024", config(enable_l7_proxy="false"), *map(without, L7_POLICIES)) == []


L7_POLICIES = ("checkout-client-egress", "intruder-cidr", "legacy-l7", "legacy-requests", "legacy-http")


def test_a_policy_for_nodes_needs_the_host_firewall() -> None:
    spec = {"nodeSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]}
    assert "host firewall is off" in only("POL025", ccnp("nodes", spec)).summary.raw
    assert found("POL025", ccnp("nodes", spec), config(enable_host_firewall="true")) == []

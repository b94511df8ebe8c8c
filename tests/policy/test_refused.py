"""Refusals that somebody did not mean: what proves it, and what leaves it a choice."""

from __future__ import annotations

import pytest

from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, config, found, only, outcome
from tests.edited import Edit, each, gap
from tests.policy.built import (
    API_SERVER,
    DENYLIST,
    DROPS,
    INGRESS,
    OUTSIDE,
    REMOTE_NODE,
    address,
    ccnp,
    cnp,
    of_app,
    ports,
    refused,
)

FLOW_RULES = ("POL005", "POL010", "POL011", "POL014", "POL020", "POL021", "POL022")


@pytest.mark.parametrize("id", FLOW_RULES)
def test_refusals_that_policies_mean_are_no_faults(id: str) -> None:
    assert found(id) == []


@pytest.mark.parametrize("id", FLOW_RULES)
def test_without_flows_nothing_is_judged(id: str) -> None:
    assert outcome(id, gap(DROPS)).kind is OutcomeKind.COULD_NOT_LOOK


def denying(cidr: str) -> Json:
    return {
        "endpointSelector": of_app("cart"),
        "egress": [{"toCIDR": ["198.51.100.77/32"], "toPorts": ports(443)}],
        "egressDeny": [{"toCIDR": [cidr]}],
    }


def test_a_broad_refusal_swallows_a_narrow_admission() -> None:
    drop = refused("cart", OUTSIDE, 443, "EGRESS", reason=DENYLIST)
    one = only("POL005", cnp("cart-out", denying("198.51.100.0/24")), drop)
    assert one.severity is Severity.WARN
    assert str(one.subject) == "CiliumNetworkPolicy shop/cart-out"
    assert found("POL005", cnp("cart-out", denying("203.0.113.0/24")), drop) == []


@pytest.mark.parametrize(
    ("prefix", "severity"), [("198.51.100.0/24", Severity.WARN), ("198.51.100.64/26", Severity.INFO)]
)
def test_another_policy_may_refuse_a_part_but_hardly_all_of_what_is_admitted(
    prefix: str, severity: Severity
) -> None:
    drop = refused("cart", OUTSIDE, 443, "EGRESS", reason=DENYLIST)
    spec = denying(prefix)
    spec["egress"][0]["toCIDR"] = ["198.51.100.64/25"]
    allow = cnp("cart-out", {key: spec[key] for key in ("endpointSelector", "egress")})
    deny = ccnp("no-partners", {key: spec[key] for key in ("endpointSelector", "egressDeny")})
    assert only("POL005", allow, deny, drop).severity is severity


def test_the_proxy_of_ingress_is_refused_at_the_backend() -> None:
    one = only("POL010", refused(INGRESS, "redis", 6379))
    assert str(one.subject) == "CiliumNetworkPolicy shop/redis-ingress"
    assert "fromEntities: [ingress]" in one.fixes[0].steps[0].command.raw  # type: ignore[union-attr]


def test_what_policies_admit_by_now_is_over_although_hubble_remembers_it() -> None:
    def admitting(entity: str, app: str, port: int) -> Edit:
        rule = {"fromEntities": [entity], "toPorts": ports(port)}
        return cnp("admits", {"endpointSelector": of_app(app), "ingress": [rule]})

    assert found("POL010", refused(INGRESS, "redis", 6379), admitting("ingress", "redis", 6379)) == []
    assert found("POL010", refused(INGRESS, "redis", 6379), admitting("ingress", "redis", 6380)) != []
    drop = (from_world(), refused(REMOTE_NODE, "frontend", 8080), config(routing_mode="native"))
    assert found("POL014", *drop, admitting("remote-node", "frontend", 8080)) == []


def test_the_proxy_of_ingress_is_refused_by_a_policy_for_all_but_a_namespace() -> None:
    key = "k8s:io.kubernetes.pod.namespace"
    selector = {"matchExpressions": [{"key": key, "operator": "NotIn", "values": ["kube-system"]}]}
    closing = ccnp("close", {"endpointSelector": selector, "egress": [{}]})
    drop = refused(INGRESS, "redis", 6379, "EGRESS")
    assert str(only("POL010", closing, drop).subject) == "CiliumClusterwideNetworkPolicy close"
    always = only("POL010", drop, config(enable_policy="always"))
    assert str(always.subject) == "ConfigMap kube-system/cilium-config"


def test_a_pod_that_a_node_takes_for_the_world_is_told_once_it_is_old_enough() -> None:
    unknown = {**OUTSIDE, "address": address("redis")}
    one = only("POL011", refused("cart", unknown, 6379, "EGRESS"))
    assert one.subject.kind == "Pod"
    assert one.subject.name.startswith("redis-")

    def young(pod: Json) -> Json:
        pod["status"]["startTime"] = "2026-11-23T01:39:30Z"
        return pod

    assert found("POL011", refused("cart", unknown, 6379, "EGRESS"), each("pods", young)) == []
    assert found("POL011", refused("cart", "redis", 6379, "EGRESS")) == []


def from_world() -> Edit:
    return cnp(
        "frontend-world",
        {
            "endpointSelector": of_app("frontend"),
            "ingress": [{"fromEntities": ["world"], "toPorts": ports(8080)}],
        },
    )


def test_clients_from_outside_come_as_nodes_with_native_routing() -> None:
    native = config(routing_mode="native")
    drop = refused(REMOTE_NODE, "frontend", 8080)
    one = only("POL014", from_world(), drop, native)
    assert str(one.subject) == "CiliumNetworkPolicy shop/frontend-world"
    assert found("POL014", from_world(), drop) == []

    def local(service: Json) -> Json:
        service["spec"]["externalTrafficPolicy"] = "Local"
        return service

    assert found("POL014", from_world(), drop, native, each("services", local)) == []


def egress_of_frontend(*more: Json) -> Edit:
    to_cart = {"toEndpoints": [of_app("cart")], "toPorts": ports(8080)}
    return cnp("frontend-out", {"endpointSelector": of_app("frontend"), "egress": [to_cart, *more]})


def test_a_policy_that_forgets_dns_is_a_fault_when_lookups_are_refused() -> None:
    drop = refused("frontend", "kube-dns", 53, "EGRESS", protocol="UDP")
    one = only("POL020", egress_of_frontend(), drop)
    assert one.severity is Severity.ERROR
    assert str(one.subject) == "CiliumNetworkPolicy shop/frontend-out"
    dns = {
        "toEndpoints": [
            {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "kube-system", "k8s-app": "kube-dns"}}
        ],
        "toPorts": ports(53, "ANY"),
    }
    assert found("POL020", egress_of_frontend(dns), drop) == []
    assert found("POL020", egress_of_frontend(), refused("frontend", OUTSIDE, 53, "EGRESS")) == []


def test_a_call_that_one_end_names_and_the_other_refuses_is_told_with_the_rule() -> None:
    to_redis = {"toEndpoints": [of_app("redis")], "toPorts": ports(6379)}
    drop = refused("frontend", "redis", 6379)
    one = only("POL021", egress_of_frontend(to_redis), drop)
    assert str(one.subject) == "CiliumNetworkPolicy shop/redis-ingress"
    change = one.fixes[0].steps[0].command
    assert change is not None
    assert '+            "app": "frontend"' in change.raw
    # Without a rule that names redis, the refusal may be meant.
    assert found("POL021", egress_of_frontend(), drop) == []


def test_a_peer_that_is_admitted_at_another_port_is_another_fault() -> None:
    drop = refused("cart-client", "redis", 9999)
    to_redis = {"toEndpoints": [of_app("redis")], "toPorts": ports(9999)}
    policy = cnp("client-out", {"endpointSelector": of_app("cart-client"), "egress": [to_redis]})
    assert found("POL021", policy, drop) == []


@pytest.mark.parametrize(
    ("entities", "port", "is_wrong"),
    [(["host"], 6443, True), (["kube-apiserver"], 443, True), (["kube-apiserver"], 6443, False)],
)
def test_the_api_server_has_an_entity_and_a_port_of_its_own(
    entities: list[str], port: int, is_wrong: bool
) -> None:
    rule = {"toEntities": entities, "toPorts": ports(port)}
    policy = cnp("cart-api", {"endpointSelector": of_app("cart"), "egress": [rule]})
    told = found("POL022", policy, refused("cart", API_SERVER, 6443, "EGRESS"))
    assert bool(told) is is_wrong


def test_a_policy_for_everything_is_worth_knowing_and_a_fault_when_it_closes_dns() -> None:
    closing = ccnp("close", {"endpointSelector": {}, "ingress": [{"fromEntities": ["host"]}]})
    assert only("POL026", closing).severity is Severity.INFO
    one = only("POL026", closing, refused("cart", "kube-dns", 53, protocol="UDP"))
    assert one.severity is Severity.ERROR
    adding = {"endpointSelector": {}, "ingress": [{}], "enableDefaultDeny": {"ingress": False}}
    assert found("POL026", ccnp("close", adding)) == []

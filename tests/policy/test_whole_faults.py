"""Faults of policies as an engineer would make them, all playbooks judged: the root is what to change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from tests import recorded
from tests.agent.judged import Json, config, run
from tests.edited import Edit, added, each, edited
from tests.policy.built import DENYLIST, ccnp, cnp, of_app, ports, refused

REDIS = "CiliumNetworkPolicy shop/redis-ingress"
CART = "CiliumNetworkPolicy shop/cart-ingress"
CHECKOUT = "CiliumNetworkPolicy shop/checkout-client-egress"
FRONTEND = "NetworkPolicy shop/frontend-from-shop-and-sre"
PAYMENTS: Json = {"identity": 2, "labels": ["reserved:world"], "address": "198.51.100.10"}
API: Json = {"identity": 1, "labels": ["reserved:host", "reserved:kube-apiserver"], "address": "192.0.2.2"}
DNS: Json = {"matchLabels": {"k8s-app": "kube-dns"}}
TO_REDIS = refused("cart-client", "redis", 6379)
TO_CART = refused("cart-client", "cart", 8080)
ASKING = refused("cart-client", "kube-dns", 53, protocol="UDP")


def written(name: str, change: Callable[[Json], object], plural: str = "ciliumnetworkpolicies") -> Edit:
    """Change the spec of a policy."""

    def put(one: Json) -> Json:
        if one["metadata"]["name"] == name:
            change(one["spec"])
        return one

    return each(plural, put)


def from_redis(**rule: object) -> Edit:
    return written("redis-ingress", lambda spec: spec["ingress"][0].update(rule))


def peers(*expressions: Json) -> Edit:
    return from_redis(fromEndpoints=[{"matchExpressions": list(expressions)}])


def peer_of_cart(labels: dict[str, str]) -> Edit:
    return written("cart-ingress", lambda spec: spec["ingress"][0]["fromEndpoints"].__setitem__(2, labels))


def sources(*entries: Json) -> Edit:
    return written(
        "frontend-from-shop-and-sre",
        lambda spec: spec["ingress"][0].update({"from": list(entries)}),
        "networkpolicies",
    )


def names(*selectors: Json) -> Edit:
    return written("checkout-client-egress", lambda spec: spec["egress"][1].update(toFQDNs=list(selectors)))


def of_dns(**spec: object) -> Edit:
    return cnp("dns", {"endpointSelector": DNS, **spec}, "kube-system")


CLOSED: Json = {
    "metadata": {"name": "default-deny", "namespace": "shop"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}


def to_default(one: Json) -> Json:
    if one["metadata"]["name"] == "redis-ingress":
        one["metadata"]["namespace"] = "default"
    return one


def bare(one: Json) -> Json:
    if one["metadata"].get("labels", {}).get("app") == "cart-client":
        del one["metadata"]["labels"]["tier"]
    return one


WHOLE: dict[str, tuple[str, tuple[Edit, ...]]] = {
    "label-renamed": (REDIS, (from_redis(fromEndpoints=[{"matchLabels": {"tier": "backend"}}]), TO_REDIS)),
    "expression": (REDIS, (peers({"key": "tier", "operator": "In", "values": ["apii"]}), TO_REDIS)),
    "other-port": (REDIS, (from_redis(toPorts=ports(6380)), TO_REDIS)),
    "protocol": (REDIS, (from_redis(toPorts=ports(6379, "UDP")), TO_REDIS)),
    "nobody": (REDIS, (written("redis-ingress", lambda spec: spec.update(ingress=[{}])), TO_REDIS)),
    "selector": (
        REDIS,
        (written("redis-ingress", lambda spec: spec.update(endpointSelector=of_app("rediss"))),),
    ),
    "one-peer-of-many": (CART, (peer_of_cart({"matchLabels": {"app": "cart-clint"}}), TO_CART)),  # type: ignore[dict-item]
    "namespace-label": (
        FRONTEND,
        (
            sources({"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"team": "sree"}}}),
            refused("prober", "frontend", 8080),
        ),
    ),
    "name": (
        CHECKOUT,
        (names({"matchName": "api.payment.example"}), refused("checkout-client", PAYMENTS, 80, "EGRESS")),
    ),
    "pattern": (
        CHECKOUT,
        (names({"matchPattern": "*.payment.example"}), refused("checkout-client", PAYMENTS, 80, "EGRESS")),
    ),
    "dns-for-few": (
        "CiliumNetworkPolicy kube-system/dns",
        (of_dns(ingress=[{"fromEndpoints": [{"matchLabels": {"app": "prober"}}]}]), ASKING),
    ),
    "dns-without-api-server": (
        "CiliumNetworkPolicy kube-system/dns",
        (of_dns(egress=[{"toEntities": ["world"]}]), refused("kube-dns", API, 6443, "EGRESS")),
    ),
    "refusal-too-broad": (
        "CiliumNetworkPolicy shop/deny-api",
        (
            cnp(
                "deny-api",
                {
                    "endpointSelector": of_app("cart"),
                    "ingressDeny": [{"fromEndpoints": [{"matchLabels": {"tier": "api"}}]}],
                },
            ),
            refused("cart-client", "cart", 8080, reason=DENYLIST),
        ),
    ),
    "refused-prefix-of-a-name": (
        "CiliumClusterwideNetworkPolicy deny-partners",
        (
            ccnp(
                "deny-partners",
                {
                    "endpointSelector": of_app("checkout-client"),
                    "egressDeny": [{"toCIDR": ["198.51.100.0/24"]}],
                },
            ),
            refused("checkout-client", PAYMENTS, 80, "EGRESS", reason=DENYLIST),
        ),
    ),
    "other-namespace": (
        "CiliumNetworkPolicy default/redis-ingress",
        (
            each("ciliumnetworkpolicies", to_default),
            added("networkpolicies", CLOSED),
            TO_REDIS,
        ),
    ),
    "label-taken-off": ("Pod shop/cart-client-797565c4d4-249j9", (each("pods", bare), TO_REDIS)),
    "always": (
        "ConfigMap kube-system/cilium-config",
        (config(enable_policy="always"), refused("frontend-client", "legacy", 8080)),
    ),
    "everything-closed": (
        "CiliumClusterwideNetworkPolicy lock",
        (ccnp("lock", {"endpointSelector": {}, "ingress": [{"fromEntities": ["host"]}]}), ASKING),
    ),
}


def snapshot(*edits: Edit) -> Snapshot:
    return run(edited(recorded.source("healthy"), *edits))


@pytest.mark.parametrize("name", WHOLE)
def test_the_policy_to_change_is_the_only_root(name: str) -> None:
    subject, edits = WHOLE[name]
    roots = [one.finding for one in snapshot(*edits).roots if one.finding.severity > Severity.INFO]
    assert {str(one.subject) for one in roots} == {subject}


def test_one_peer_that_is_nobody_is_no_fault_while_nobody_is_refused() -> None:
    typo = peer_of_cart({"matchLabels": {"app": "cart-clint"}})  # type: ignore[dict-item]
    assert not [one for one in snapshot(typo).roots if one.finding.severity > Severity.INFO]


def test_a_name_that_pods_ask_for_is_not_mistyped() -> None:
    drop = refused("checkout-client", PAYMENTS, 80, "EGRESS")
    assert not [one for one in snapshot(drop).roots if one.finding.severity > Severity.INFO]


def test_the_cluster_s_dns_is_not_shut_by_what_it_admits_by_now() -> None:
    everybody = of_dns(ingress=[{"fromEntities": ["cluster"]}])
    assert not [one for one in snapshot(everybody, ASKING).roots if one.finding.severity > Severity.INFO]
    assert not [one for one in snapshot(ASKING).roots if one.finding.severity > Severity.INFO]


def test_a_pod_with_the_labels_of_its_workload_has_lost_none() -> None:
    closed = from_redis(fromEndpoints=[{"matchLabels": {"tier": "web"}}])
    assert "Pod" not in {one.finding.subject.kind for one in snapshot(closed, TO_REDIS).roots}


def test_a_policy_of_another_namespace_is_no_fault_while_nobody_is_refused() -> None:
    moved = each("ciliumnetworkpolicies", to_default)
    assert not [one for one in snapshot(moved).roots if one.finding.severity > Severity.INFO]

from __future__ import annotations

from tests.agent.judged import Json, found, only
from tests.edited import Edit, added, command, each, gap

LAB = "16-default-deny-namespace"
DROPS = command("hubble", "observe", "--verdict", "DROPPED", "--last", "100", "-o", "jsonpb")


def admitting_all_of_shop() -> Edit:
    policy: Json = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "cart"}},
            "ingress": [{"from": [{"podSelector": {}}]}],
        },
    }
    return added("networkpolicies", policy)


def test_a_namespace_that_is_shut_is_told_by_the_policy_that_shuts_it() -> None:
    one = only("POL003", cluster=LAB)
    assert str(one.subject) == "NetworkPolicy shop/default-deny"
    assert "shop/cart" in one.summary.raw
    draft = one.fixes[0].steps[-1].command
    assert draft is not None
    assert "intruder" not in draft.raw
    assert "pod-template-hash" not in draft.raw


def test_a_rule_that_admits_somebody_makes_it_a_choice() -> None:
    assert found("POL003", admitting_all_of_shop(), cluster=LAB) == []


def test_a_shut_pod_that_nobody_calls_is_no_fault() -> None:
    assert found("POL003") == []
    assert found("POL003", gap(DROPS), cluster=LAB) == []


def test_a_pod_behind_no_service_may_be_shut() -> None:
    assert found("POL003", each("endpointslices", lambda one: None), cluster=LAB) == []

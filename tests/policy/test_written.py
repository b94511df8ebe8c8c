from __future__ import annotations

from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests import recorded
from tests.agent.judged import Json, found, only, outcome, run
from tests.edited import Edit, command, each, edited, gap, of
from tests.policy.built import cnp, refused

DROPS = command("hubble", "observe", "--verdict", "DROPPED", "--last", "100", "-o", "jsonpb")


def peer_of_redis(labels: dict[str, str]) -> Edit:
    def put(policy: Json) -> Json:
        if policy["metadata"]["name"] == "redis-ingress":
            policy["spec"]["ingress"][0]["fromEndpoints"][0]["matchLabels"] = labels
        return policy

    return each("ciliumnetworkpolicies", put)


def selector(name: str, labels: dict[str, str]) -> Edit:
    def put(policy: Json) -> Json:
        if policy["metadata"]["name"] == name:
            policy["spec"]["endpointSelector"]["matchLabels"] = labels
        return policy

    return each("ciliumnetworkpolicies", put)


def judged(*edits: Edit) -> Snapshot:
    return run(edited(recorded.source("healthy"), *edits), "POL001", "POL003")


def test_a_policy_for_nobody_is_worth_knowing_and_no_fault() -> None:
    one = only("POL001")
    assert str(one.subject) == "CiliumNetworkPolicy shop/matches-nothing"
    assert one.severity is Severity.INFO


def test_a_policy_with_a_mistyped_selector_is_a_fault() -> None:
    found_ = found("POL001", selector("cart-ingress", {"app": "carts"}))
    (loud,) = [one for one in found_ if one.severity > Severity.INFO]
    assert str(loud.subject) == "CiliumNetworkPolicy shop/cart-ingress"
    assert "app=cart" in loud.summary.raw


def test_where_the_pods_that_were_meant_refuse_whom_it_admits_it_explains_their_default_deny() -> None:
    drop = refused("cart-client", "cart", 8080)
    closing = cnp("close", {"endpointSelector": {}, "ingress": [{}]})
    snapshot = judged(selector("cart-ingress", {"app": "carts"}), closing, drop)
    (root,) = snapshot.roots
    assert (root.rule.id, root.finding.severity) == ("POL001", Severity.ERROR)
    assert "shop/cart-client" in root.finding.impact.raw
    assert [one.rule.id for one in root.symptoms] == ["POL003"]


def test_without_all_pods_nobody_can_say_that_a_policy_selects_none() -> None:
    assert outcome("POL001", gap(of("pods"))).kind is OutcomeKind.COULD_NOT_LOOK


def test_a_rule_for_a_label_that_nobody_carries_is_told_with_who_is_refused() -> None:
    one = only("POL002", cluster="01-policy-wrong-label")
    assert str(one.subject) == "CiliumNetworkPolicy shop/redis-ingress"
    assert one.severity is Severity.ERROR
    assert "shop/cart-client" in one.impact.raw
    assert "intruder" not in one.impact.raw


def test_with_the_label_of_the_clients_the_rule_is_sound() -> None:
    right = peer_of_redis({"tier": "api", "role": "client"})
    assert found("POL002", right, cluster="01-policy-wrong-label") == []


def test_without_flows_the_mistyped_label_is_still_told_but_harm_is_not() -> None:
    one = only("POL002", gap(DROPS), cluster="01-policy-wrong-label")
    assert one.severity is Severity.WARN
    assert "refused" not in one.impact.raw

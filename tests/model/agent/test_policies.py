"""Policies as an agent holds them: taken in, computed, selecting, and wanted in the maps."""

from __future__ import annotations

import json

import pytest

from playbooks.model.cilium.agent.computations import AgentComputations
from playbooks.model.cilium.agent.map_state import AgentMapState
from playbooks.model.cilium.agent.policy import AgentPolicy
from playbooks.model.cilium.agent.realized import PolicyName
from playbooks.model.cilium.agent.selectors import AgentSelectors
from playbooks.model.fact import Unreadable
from tests.model.agent.reading import columns, read, recorded
from tests.model.samples import sample_of

ENTRIES = sample_of("AgentMapState: agent's map state") or b""


@pytest.mark.parametrize("way", [0, 1])
def test_the_policy_names_every_object_that_was_taken_in(way: int) -> None:
    fact = recorded(AgentPolicy, way)
    assert (fact.revision, len(fact.rules)) == (10, 16)
    assert sorted(map(str, fact.policies)) == [
        "default/intruder-cidr",
        "deny-ads",
        "monitoring/default-deny",
        "shop/cart-ingress",
        "shop/checkout-client-egress",
        "shop/checkout-entities",
        "shop/frontend-from-shop-and-sre",
        "shop/matches-nothing",
        "shop/redis-ingress",
    ]


def test_a_rule_tells_whom_it_is_for_and_what_it_does() -> None:
    rules = recorded(AgentPolicy).rules
    (deny,) = [rule for rule in rules if rule.policy and rule.policy.name == "deny-ads"]
    assert (deny.is_for_ingress, deny.is_for_egress, deny.is_deny) == (False, True, True)
    assert str(deny.subject) == "any:role=client"
    (cart,) = [rule for rule in rules if rule.policy and rule.policy.name == "cart-ingress"]
    assert cart.policy == PolicyName("CiliumNetworkPolicy", "shop", "cart-ingress")
    assert [port.port for rule in cart.ports for port in rule.ports or ()] == ["8080", "8081"]
    assert cart.uid == "366c09c9-aa40-4865-9f8e-0a78fe7e7a49"


def test_json_and_text_of_the_policy_are_alike() -> None:
    from_json, from_text = recorded(AgentPolicy), recorded(AgentPolicy, 1)
    assert sorted(map(repr, from_json.rules)) == sorted(map(repr, from_text.rules))


def test_whole_policies_of_older_versions_are_read_too() -> None:
    rules = [
        {
            "endpointSelector": {"matchLabels": {"any:app": "cart"}},
            "ingress": [{"fromEndpoints": [{}]}],
            "egressDeny": [{"toCIDR": ["192.0.2.0/24"]}],
            "labels": [
                {"key": "io.cilium.k8s.policy.name", "value": "cart", "source": "k8s"},
                {"key": "io.cilium.k8s.policy.namespace", "value": "shop", "source": "k8s"},
            ],
        },
        {"nodeSelector": {"matchLabels": {"any:role": "edge"}}, "egress": [], "labels": None},
    ]
    fact = read(AgentPolicy, json.dumps({"policy": json.dumps(rules), "revision": 3}))
    first, second = fact.rules
    assert (str(first.policy), first.is_for_ingress, first.is_for_egress) == ("shop/cart", True, True)
    assert first.is_deny is None, "some of it allows and some refuses"
    assert (second.policy, second.is_for_ingress, second.is_for_egress) == (None, False, True)


def test_no_policy_at_all_is_an_answer() -> None:
    assert read(AgentPolicy, '{"policy":"[]","revision":1}').rules == ()
    assert read(AgentPolicy, "[]\nRevision: 1\n", 1).revision == 1


@pytest.mark.parametrize("inner", ["[{]", '["x"]', '{"Subject":1}', '[{"Subject":{}}]', '[{"ingress":[]}]'])
def test_rules_that_cannot_be_read_are_unreadable(inner: str) -> None:
    with pytest.raises(Unreadable):
        read(AgentPolicy, json.dumps({"policy": inner, "revision": 1}))
    with pytest.raises(Unreadable):
        read(AgentPolicy, f"{inner}\nRevision: 1\n", 1)
    with pytest.raises(Unreadable, match="revision"):
        read(AgentPolicy, "[]\n", 1)


def test_a_selector_that_selects_nobody_is_seen() -> None:
    nobody = [
        item
        for item in recorded(AgentSelectors, cluster="01-policy-wrong-label").items
        if not item.identities
    ]
    (one,) = nobody
    assert "any:tier: apii" in one.selector
    assert one.policies == (PolicyName("CiliumNetworkPolicy", "shop", "redis-ingress"),)
    assert all(item.identities for item in recorded(AgentSelectors).items)


def test_json_and_text_of_selectors_agree() -> None:
    from_json = {item.selector: item for item in recorded(AgentSelectors).items}
    for item in recorded(AgentSelectors, 1).items:
        other = from_json[item.selector.rstrip() if item.selector in from_json else f"{item.selector} "]
        assert (item.identities, item.users) == (other.identities, other.users)
        if item.policies:
            assert {*map(str, item.policies)} <= {*map(str, other.policies or ())}


def test_before_1_15_selectors_do_not_tell_their_policies() -> None:
    (item,) = read(AgentSelectors, '[{"selector":"x","identities":null,"users":1}]').items
    assert (item.identities, item.policies) == ((), None)
    (item,) = read(AgentSelectors, columns(("SELECTOR", "USERS", "IDENTITIES"), ("x", "1", "")), 1).items
    assert (item.identities, item.policies) == ((), None)


def test_the_wanted_maps_name_the_policy_behind_each_entry() -> None:
    fact = read(AgentMapState, ENTRIES)
    intruder, host = fact.items
    assert (intruder.endpoint, intruder.namespace, intruder.name) == (
        31,
        "default",
        "intruder-867cbb5789-fsc6q",
    )
    assert len(intruder.entries) == 18
    (deny,) = [entry for entry in intruder.entries if entry.verdict == "deny"]
    assert (deny.identity, deny.port) == (16777220, "*")
    assert deny.origins == ("CiliumClusterwideNetworkPolicy:deny-ads",)
    assert {entry.proxy_port for entry in intruder.entries if entry.port == "TCP/53"} == {44627}
    assert (host.namespace, host.name, fact.of(550)) == ("", "", host)


def test_entries_that_are_missing_make_it_unreadable() -> None:
    lines = ENTRIES.split(b"\n")
    with pytest.raises(Unreadable, match="17 of 18"):
        read(AgentMapState, b"\n".join([*lines[:5], *lines[6:]]))


def test_a_policy_that_could_not_be_computed_says_so() -> None:
    assert all(not item.error for item in recorded(AgentComputations, 1).items)
    assert [item.identity for item in recorded(AgentComputations, 1).items][:3] == [1, 4, 65612]
    body = (
        '{"Identity": 7, "Revision": 3, "Err": {}}{"Identity": 8, "Revision": 3, "Err": "no such selector"}'
    )
    assert [item.error for item in read(AgentComputations, body).items] == ["not told", "no such selector"]

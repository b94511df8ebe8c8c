"""Drafted rules: as YAML they are what the reading of policies takes for an admission, and no more."""

from __future__ import annotations

import msgspec
import pytest
import yaml

from playbooks.model.cilium.policies import CiliumNetworkPolicy
from playbooks.model.kube.network_policies import NetworkPolicy
from playbooks.model.policies import of_cilium, of_kubernetes
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.drafting import Draft, admitting, holder_of
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction, Written
from tests.model.bpf.reading import known

CART = Labels.of_pod({"app": "cart", "tier": "api", "pod-template-hash": "5f4d"}, "shop")
CLIENT = Labels.of_pod({"app": "client", "pod-template-hash": "77aa"}, "shop")
ELSEWHERE = Labels.of_pod({"app": "client"}, "other")
PEERS = {
    "a pod": Peer(CLIENT),
    "a pod of another namespace": Peer(ELSEWHERE),
    "the API server": Peer(Labels(("reserved:kube-apiserver", "reserved:remote-node"))),
    "an address outside": Peer(Labels(("reserved:world",)), "198.51.100.7"),
    "an address of IPv6": Peer(Labels(("reserved:world",)), "2001:db8::7"),
    "a name": Peer(Labels(("reserved:world",)), "198.51.100.7", ("api.example.",)),
}


def of(draft: Draft | None) -> Draft:
    assert draft is not None
    return draft


def read(draft: Draft) -> tuple[Written, ...]:
    document = yaml.safe_load(draft.shown_yaml)
    return tuple(of_cilium.written(msgspec.convert(document, CiliumNetworkPolicy)))


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS.keys())
def test_it_admits_the_peer_at_the_port_and_nobody_else(peer: Peer, direction: Direction) -> None:
    if peer.names and direction is Direction.INGRESS:
        return
    policies = read(of(admitting(CART, peer, 8080, "TCP", direction)))
    assert decide(policies, Asked(CART, direction, peer, 8080, "TCP")).decision is Decision.ADMITTED
    assert decide(policies, Asked(CART, direction, peer, 8081, "TCP")).decision is Decision.NOT_ADMITTED
    for other in PEERS.values():
        if other.labels != peer.labels:
            decided = decide(policies, Asked(CART, direction, other, 8080, "TCP")).decision
            assert decided is not Decision.ADMITTED
    assert list(policies[0].default_deny) == [direction]


def test_labels_that_a_rollout_changes_are_left_out() -> None:
    assert "pod-template-hash" not in of(admitting(CART, Peer(CLIENT), 8080, "TCP")).shown_yaml


def test_what_has_no_lasting_label_gets_no_rule_instead_of_one_for_everybody() -> None:
    nameless = Labels.of_pod({"pod-template-hash": "5f4d"}, "shop")
    assert admitting(nameless, Peer(CLIENT), 8080, "TCP") is None
    assert admitting(CART, Peer(nameless), 8080, "TCP") is None


def test_a_name_comes_with_a_rule_for_dns_where_none_is() -> None:
    egress = Direction.EGRESS
    draft = of(admitting(CART, PEERS["a name"], 443, "TCP", egress, knows_names=False))
    (policy,) = read(draft)
    assert [rule.l7[0].dns is not None for rule in policy.rules if rule.l7] == [True]
    assert "rules" not in of(admitting(CART, PEERS["a name"], 443, "TCP", egress)).shown_yaml


def test_hostile_labels_stay_strings() -> None:
    hostile = Labels.of_pod({"app": 'x"\n  evil: true'}, "shop")
    document = yaml.safe_load(of(admitting(hostile, Peer(CLIENT), 1, "TCP")).shown_yaml)
    assert list(document["spec"]) == ["endpointSelector", "ingress"]


async def test_the_policy_of_the_endpoint_holds_it_and_one_for_all_does_not() -> None:
    policies = await known("16-default-deny-namespace", WrittenPolicies)
    redis = Labels.of_pod({"app": "redis", "tier": "db"}, "shop")
    draft = of(admitting(redis, Peer(CLIENT), 6379, "TCP"))
    holder = holder_of(tuple(policies.selecting(redis)), draft)
    assert holder is not None
    assert str(holder.policy) == "CiliumNetworkPolicy shop/redis-ingress"
    assert "@@ after .spec.ingress[0] @@" in draft.shown_diff(holder)
    assert holder_of(tuple(policies.selecting(CART)), of(admitting(CART, Peer(CLIENT), 8080, "TCP"))) is None


def test_a_policy_of_kubernetes_gets_a_rule_in_its_own_words() -> None:
    document = {
        "metadata": {
            "name": "cart",
            "namespace": "shop",
            "annotations": {"argocd.argoproj.io/tracking-id": "shop"},
        },
        "spec": {"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Ingress"]},
    }
    policy = of_kubernetes.written(msgspec.convert(document, NetworkPolicy))
    draft = of(admitting(CART, Peer(ELSEWHERE), 8080, "TCP"))
    head, _, _, *added = draft.shown_diff(policy).split("\n")
    assert head == "--- NetworkPolicy shop/cart (managed by Argo CD)"
    rules = yaml.safe_load("\n".join(line[1:] for line in added))
    changed = {**document, "spec": {**document["spec"], "ingress": rules}}
    decided = decide(
        (of_kubernetes.written(msgspec.convert(changed, NetworkPolicy)),),
        Asked(
            CART,
            Direction.INGRESS,
            Peer(Labels.of_pod({"app": "client"}, "other", {"kubernetes.io/metadata.name": "other"})),
            8080,
            "TCP",
        ),
    )
    assert decided.decision is Decision.ADMITTED
    assert not of(admitting(CART, PEERS["the API server"], 443, "TCP", Direction.EGRESS)).fits(policy)


async def test_what_else_it_opens_is_told() -> None:
    pods = await known("healthy", LabelledPods)
    by_app = {one.labels.by_key["app"]: one for one in pods.items if one.labels.by_key.get("app")}
    cart, client = by_app["cart"], by_app["cart-client"]
    draft = of(admitting(cart.labels, Peer(client.labels), 8080, "TCP"))
    meant = [(one.pod.metadata.namespace, one.pod.metadata.name) for one in (cart, client)]
    opened = draft.also_opened(pods, meant)
    assert opened.peers == ()
    assert len(opened.endpoints) == 1
    assert opened.endpoints[0].startswith("shop/cart-")
    assert "it also opens shop/cart-" in opened.said

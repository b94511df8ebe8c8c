"""Requests that a proxy refuses though the port is open: what is missing, and what adding it opens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from playbooks.engine.reaching.requests import Asked
from playbooks.engine.reaching.verdicts import Said
from playbooks.practice.operations import carry_out
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World
from tests.edited import Object, each, edited
from tests.engine.reaching.judging import asked, judged, policy, world

CLIENT, LEGACY = "shop/frontend-client", "default/legacy:8080"
DELETE = Asked("DELETE", "/items/1")
DNS = {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "kube-system", "k8s:k8s-app": "kube-dns"}}
AT_53 = {"ports": [{"port": "53", "protocol": "ANY"}]}


@pytest.fixture(scope="module")
def made() -> World:
    narrow = {"fromEndpoints": [{"matchLabels": {"app": "cart-client"}}]}
    at = {"ports": [{"port": "6379"}], "rules": {"http": [{"method": "GET", "path": "/a"}]}}
    lookups = {**AT_53, "rules": {"dns": [{"matchName": "a.example"}]}}
    return world(
        policy(
            "redis-http",
            "shop",
            endpointSelector={"matchLabels": {"app": "redis"}},
            ingress=[{**narrow, "toPorts": [at]}],
        ),
        policy("redis-ingress", "shop", endpointSelector={"matchLabels": {"app": "nobody"}}),
        policy(
            "prober-dns",
            "monitoring",
            endpointSelector={"matchLabels": {"app": "prober"}},
            egress=[{"toEndpoints": [DNS], "toPorts": [lookups]}],
        ),
    )


async def test_a_request_that_rules_list_passes_and_another_gets_the_rule_that_is_missing(
    made: World,
) -> None:
    assert (await judged(made, CLIENT, LEGACY, Asked("GET", "/"))).said is Said.ADMITTED
    found = await judged(made, CLIENT, LEGACY, DELETE)
    assert found.said is Said.NOT_ADMITTED
    assert "answers 403" in found.pairs[0].ingress.why
    (draft,) = found.drafts
    assert draft.addition is not None
    assert str(draft.addition.holder.policy) == "CiliumNetworkPolicy default/legacy-requests"
    assert "@@ after .spec.ingress[0].toPorts[0].rules.http[0] @@" in draft.shown
    assert draft.opened is not None
    assert draft.opened.said == "it also admits entity cluster"


async def test_the_policy_of_its_own_lets_just_that_request_of_just_that_peer_pass(made: World) -> None:
    (draft,) = (await judged(made, CLIENT, LEGACY, DELETE)).drafts
    assert draft.alone is not None
    assert not draft.alone.is_wider
    changed = world()
    carry_out(changed, [{"apply": yaml.safe_load(draft.draft.shown_yaml)}, {"wait": 60}])
    assert (await judged(changed, CLIENT, LEGACY, DELETE)).said is Said.ADMITTED
    assert (await judged(changed, CLIENT, LEGACY, Asked("GET", "/"))).said is Said.ADMITTED
    assert (await judged(changed, CLIENT, LEGACY, Asked("DELETE", "/items/10"))).said is Said.NOT_ADMITTED
    assert (await judged(changed, "shop/cart-client", LEGACY, DELETE)).said is Said.NOT_ADMITTED


async def test_where_a_rule_is_for_just_this_peer_its_list_is_the_place(made: World) -> None:
    (draft,) = (await judged(made, "shop/cart-client", "shop/redis:6379", Asked("GET", "/b"))).drafts
    assert draft.opened is not None
    assert not draft.opened.is_wider
    assert "CiliumNetworkPolicy shop/redis-http" in draft.shown
    assert '+                path: "/b"' in draft.shown


async def test_a_lookup_that_is_refused_gets_its_name(made: World) -> None:
    found = await judged(made, "monitoring/prober", "kube-system/kube-dns:53/UDP", Asked(dns="b.example"))
    assert found.said is Said.NOT_ADMITTED
    (draft,) = found.drafts
    assert '+              - matchName: "b.example"' in draft.shown
    assert "rules.dns[0]" in draft.shown
    passing = await judged(made, "monitoring/prober", "kube-system/kube-dns:53/UDP", Asked(dns="a.example"))
    assert passing.said is Said.ADMITTED
    assert passing.drafts == ()


def _lets_delete(item: Object) -> Object:
    """The policy as somebody has just changed it: no agent has it in force yet."""
    if item["metadata"]["name"] == "legacy-requests":
        item["spec"]["ingress"][0]["toPorts"][0]["rules"]["http"].append({"method": "DELETE"})
    return item


def _opens_port(item: Object) -> Object:
    if item["metadata"]["name"] == "legacy-requests":
        del item["spec"]["ingress"][0]["toPorts"][0]["rules"]
    return item


@pytest.mark.parametrize("change", [_lets_delete, _opens_port])
async def test_where_the_policies_as_written_let_it_pass_no_rule_is_missing(
    made: World, change: Callable[[Object], Object]
) -> None:
    source = edited(WorldSource(made), each("ciliumnetworkpolicies", change))
    found = await asked(source, CLIENT, LEGACY, DELETE)
    assert found.said is Said.NOT_ADMITTED
    assert "it may be out of step" in found.pairs[0].ingress.doubts[0]
    assert found.drafts == ()

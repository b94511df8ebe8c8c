from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from playbooks.model.cilium.policies import CiliumNetworkPolicy
from playbooks.model.fact import Provenance
from playbooks.model.finding import Ref
from playbooks.model.hubble.aggregation.policies import ByPolicy, behind, selecting
from playbooks.model.policies import of_cilium
from playbooks.model.policies.reading import WrittenPolicies
from tests.model.hubble.aggregation.flows import answer, drop, seen, tcp

CART = Ref("CiliumNetworkPolicy", "cart", "shop")


def written(*specs: tuple[str, dict[str, Any]]) -> WrittenPolicies:
    items = [
        rule
        for name, spec in specs
        for rule in of_cilium.written(
            msgspec.convert(
                {"metadata": {"name": name, "namespace": "shop", "uid": "1"}, "spec": spec},
                CiliumNetworkPolicy,
            )
        )
    ]
    where = Provenance("kubectl get cnp", "API", datetime(2026, 1, 1, tzinfo=UTC))
    return WrittenPolicies(provenance=where, items=tuple(items), missing=())


ONLY_ADMIN = {
    "endpointSelector": {"matchLabels": {"app": "cart"}},
    "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "admin"}}]}],
}


def test_policies_that_hubble_names_are_counted_by_what_they_did() -> None:
    named = [{"name": "cart", "namespace": "shop", "kind": "CiliumNetworkPolicy"}]
    tally = ByPolicy()
    tally.add(
        [drop(0, verdict=True, ingress_denied_by=named), drop(1, verdict=True, ingress_denied_by=named)]
    )
    tally.add([seen(2, event_type={"type": 5}, egress_allowed_by=named, l4=tcp(40002, SYN=True))])
    tally.add([seen(3)])
    assert {(row.key.name, row.key.is_denial, row.events, row.attempts) for row in tally.rows()} == {
        ("cart", True, 2, 1),
        ("cart", False, 1, 1),
    }


def test_rules_that_agents_have_of_their_own_are_named_by_what_they_are_for() -> None:
    derived = [{"labels": ["reserved:io.cilium.policy.derived-from=allow-any-egress"]}]
    tally, flow = ByPolicy(), seen(0, event_type={"type": 5}, egress_allowed_by=derived)
    tally.add([flow])
    assert tally.rows()[0].key.name == "allow-any-egress"
    found = behind(flow, None)
    assert found is not None
    assert found.policies == (Ref("rule of the agent", "allow-any-egress"),)


def test_what_hubble_names_is_not_ours() -> None:
    named = [{"name": "cart", "namespace": "shop", "kind": "CiliumNetworkPolicy"}]
    found = behind(drop(0, verdict=True, ingress_denied_by=named), written(("other", ONLY_ADMIN)))
    assert found is not None
    assert (found.policies, found.is_ours) == ((CART,), False)


def test_what_default_deny_refused_is_found_in_the_policies_and_marked_as_ours() -> None:
    found = behind(drop(0), written(("cart", ONLY_ADMIN)))
    assert found is not None
    assert (found.policies, found.is_ours, found.decision) == ((CART,), True, "not admitted")


def test_without_a_policy_that_selects_there_is_none_to_name() -> None:
    spec = {**ONLY_ADMIN, "endpointSelector": {"matchLabels": {"app": "redis"}}}
    found = behind(drop(0), written(("redis", spec)))
    assert found is not None
    assert (found.policies, found.decision) == ((), "free")
    assert selecting(drop(0).destination, written(("cart", ONLY_ADMIN), ("redis", spec))) == (CART,)


@pytest.mark.parametrize(
    "flow",
    [
        answer(0, traffic_direction=1),
        seen(0, traffic_direction=None),
        drop(0, destination=None),
    ],
    ids=["answer", "no direction", "no labels"],
)
def test_where_it_cannot_be_known_nothing_is_said(flow: Any) -> None:
    assert behind(flow, written(("cart", ONLY_ADMIN))) is None


def test_without_policies_read_nothing_is_said() -> None:
    assert behind(drop(0), None) is None

"""What becomes of connections: a table of small cases, each with the reason why Cilium decides so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks.practice.policies.verdicts import Match, verdict
from tests.practice.policies.deciding import decided, given, judged
from tests.practice.worlds import seen

CASES = yaml.safe_load((Path(__file__).parent / "policies" / "cases.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_what_is_decided(case: dict[str, Any]) -> None:
    with given(case) as world:
        assert {ask: decided(world, ask) for ask in case["asks"]} == case["asks"]


RECORDED = {
    "frontend-client > cart 8080": (Match.ALL, "allow-any-egress", Match.L3_L4, "cart-ingress"),
    "checkout-client > cart 8080": (Match.L3_L4, "checkout-client-egress", Match.L3_L4, "cart-ingress"),
    "intruder > cart 8080": (Match.ALL, "intruder-cidr", Match.NONE, ""),
    "intruder > frontend 8080": (Match.ALL, "intruder-cidr", Match.NONE, ""),
    "intruder > 198.51.100.10 9999/UDP": (Match.NONE, "", None, ""),
    "frontend-client > redis 6379": (Match.ALL, "allow-any-egress", Match.NONE, ""),
    "cart-client > redis 6379": (Match.ALL, "allow-any-egress", Match.L3_L4, "redis-ingress"),
    "frontend-client > checkout 8080": (Match.ALL, "allow-any-egress", Match.L4, "checkout-entities"),
    "prober > checkout 9090": (Match.ALL, "allow-any-egress", Match.L3_L4, "checkout-entities"),
    "prober > frontend 8080": (Match.ALL, "allow-any-egress", Match.L3_L4, "frontend-from-shop-and-sre"),
    "prober > 198.51.100.20 80": (Match.L3, "deny-ads", None, ""),
    "checkout-client > 198.51.100.20 80": (Match.L3, "deny-ads", None, ""),
    "checkout-client > 198.51.100.10 80": (Match.L3_L4, "checkout-client-egress", None, ""),
    "checkout-client > 198.51.100.10 8443": (Match.NONE, "", None, ""),
    "checkout-client > coredns 53/UDP": (Match.L3_L4, "checkout-client-egress", Match.ALL, ""),
    "host(cart) > cart 8080": (None, "", Match.L3, "allow-localhost-ingress"),
    "host(checkout) > checkout 8080": (None, "", Match.L3_L4, "checkout-entities"),
}
"""What policy-verdict flows of the recorded shop say of each side: how it matched, and by which policy."""


@pytest.mark.parametrize("ask", RECORDED)
def test_the_shop_decides_as_the_recorded_one_did(ask: str) -> None:
    found = judged(seen(), ask)
    sides = []
    for side in (found.egress, found.ingress):
        sides += [side.match if side else None, side.origins[0].name if side and side.origins else ""]
    assert tuple(sides) == RECORDED[ask]


def test_a_refusal_names_its_drop_reason() -> None:
    reasons = {ask: judged(seen(), ask).refusing for ask in RECORDED}
    by_reason = {ask: side.drop_reason for ask, side in reasons.items() if side is not None}
    assert {ask for ask, reason in by_reason.items() if reason == 181} == {
        "prober > checkout 9090",
        "prober > 198.51.100.20 80",
        "checkout-client > 198.51.100.20 80",
    }
    assert set(by_reason.values()) == {133, 181}


def test_only_some_traffic_goes_through_a_proxy() -> None:
    names = {ask: judged(seen(), ask).egress for ask in RECORDED}
    led = {ask: side.proxy for ask, side in names.items() if side is not None and side.proxy}
    assert led == {"checkout-client > coredns 53/UDP": "cilium-dns-egress"}
    ingress = judged(seen(), "prober > legacy 8080").ingress
    assert ingress is not None
    assert ingress.proxy == "cilium-http-ingress"
    assert decided(seen(), "prober > legacy 8080 GET:/healthz") == "allowed"
    assert decided(seen(), "prober > legacy 8080 DELETE:/") == "refused"


def test_a_pod_that_talks_to_itself_is_not_looked_at() -> None:
    found = judged(seen(), "redis > redis 6379")
    assert (found.egress, found.ingress, found.is_admitted) == (None, None, True)


@pytest.mark.parametrize(("source", "protocol"), [("shop/nobody", "TCP"), ("192.0.2.1", "QUIC")])
def test_what_does_not_exist_is_refused(source: str, protocol: str) -> None:
    with pytest.raises(ValueError, match=r"there is no pod|is no protocol"):
        verdict(seen(), source, "192.0.2.9", 80, protocol)

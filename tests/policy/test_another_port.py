"""A rule with another port than the pod's: the service's own, or a mistyped one."""

from __future__ import annotations

from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import found, only, outcome
from tests.edited import gap
from tests.policy.built import DROPS, Json, cnp, of_app, ports, refused


def admitting(port: int, app: str = "redis") -> Json:
    """A policy for cart, whose service has port 80 and whose pods listen on 8080."""
    rule = {"fromEndpoints": [of_app(app)], "toPorts": ports(port)}
    return {"endpointSelector": of_app("cart"), "ingress": [rule]}


CALL = refused("redis", "cart", 8080)


def test_the_port_of_the_service_is_not_the_one_of_its_pods() -> None:
    one = only("POL028", cnp("to-cart", admitting(80)), CALL)
    assert one.severity is Severity.ERROR
    assert str(one.subject) == "CiliumNetworkPolicy shop/to-cart"
    assert "the port of Service shop/cart" in one.evidence[1].excerpt.raw
    assert "+        - {port: '8080', protocol: TCP}" in one.fixes[0].steps[0].command.raw  # type: ignore[union-attr]


def test_a_mistyped_port_may_also_be_one_that_is_served_undeclared() -> None:
    one = only("POL028", cnp("to-cart", admitting(8888)), CALL)
    assert one.severity is Severity.WARN
    assert one.alternatives


def test_another_protocol_is_another_port() -> None:
    spec = admitting(8080)
    spec["ingress"][0]["toPorts"] = ports(8080, "UDP")
    assert "8080/UDP" in only("POL028", cnp("to-cart", spec), CALL).summary.raw


def test_the_same_for_what_leaves_a_pod() -> None:
    rule = {"toEndpoints": [of_app("cart")], "toPorts": ports(80)}
    spec = {"endpointSelector": of_app("redis"), "egress": [rule]}
    one = only("POL028", cnp("from-redis", spec), refused("redis", "cart", 8080, "EGRESS"))
    assert str(one.subject) == "CiliumNetworkPolicy shop/from-redis"


def test_the_right_port_somebody_else_and_a_range_are_no_fault() -> None:
    assert found("POL028") == []
    assert found("POL028", cnp("to-cart", admitting(8080)), CALL) == []
    assert found("POL028", cnp("to-cart", admitting(80, "frontend")), CALL) == []
    broad = admitting(80)
    broad["ingress"][0]["toPorts"][0]["ports"][0]["endPort"] = 8000
    assert found("POL028", cnp("to-cart", broad), CALL) == []
    assert found("POL028", cnp("to-cart", admitting(80)), refused("redis", "cart", 9999)) == []


def test_without_flows_nothing_is_judged() -> None:
    assert outcome("POL028", gap(DROPS)).kind is OutcomeKind.COULD_NOT_LOOK

"""Endpoints as an agent has them: what is told, by which way, and what a fault looks like."""

from __future__ import annotations

import json

import pytest

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agent.endpoint import LogEntry
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.one_endpoint import endpoint_detail, endpoint_health, endpoint_log
from playbooks.model.cilium.agent.realized import PolicyName
from playbooks.model.fact import Unreadable
from tests.model.agent.reading import answered, argv, columns, read, recorded

FAILING = "06-regeneration-failing"


def test_every_endpoint_of_a_healthy_node_is_ready() -> None:
    fact = recorded(AgentEndpoints)
    assert len(fact.items) == 16
    assert all(item.is_ready for item in fact.items)
    assert [item.id for item in fact.items if item.has_reserved("host")] == [2554]
    assert len([*fact.of_pods]) == 14


def test_an_endpoint_tells_where_it_hangs_and_what_it_may() -> None:
    endpoint = recorded(AgentEndpoints).get(31)
    assert endpoint is not None
    assert endpoint.identity == 65612
    assert (endpoint.namespace, endpoint.label("k8s:app")) == ("default", "intruder")
    assert endpoint.addresses == ("10.244.0.113",)
    assert endpoint.status.networking is not None
    assert endpoint.status.networking.interface_index == 91
    realized = endpoint.realized
    assert realized is not None
    assert realized.policy_enabled == "egress"
    assert (realized.holds_for("egress"), realized.holds_for("ingress")) == (True, False)
    assert realized.denied_egress_identities == (16777220,)
    assert realized.policies == (
        PolicyName("CiliumClusterwideNetworkPolicy", "", "deny-ads"),
        PolicyName("CiliumNetworkPolicy", "default", "intruder-cidr"),
    )
    assert [str(name) for name in realized.policies] == ["deny-ads", "default/intruder-cidr"]


def test_the_ports_of_a_policy_tell_who_may_use_them_and_what_a_proxy_looks_at() -> None:
    realized = recorded(AgentEndpoints).items[0].realized
    assert realized is not None
    assert realized.l4 is not None
    everything, *dns = [rule.port for rule in realized.l4.egress or ()]
    assert everything is not None
    assert everything.port == 0
    denied = [selector for selector, verdict in everything.selectors.items() if verdict.is_deny]
    assert denied == ["cidr:198.51.100.20/32"]
    assert {(port.port, port.protocol) for port in dns if port} == {(53, "TCP"), (53, "UDP"), (53, "SCTP")}
    assert all(verdict.is_redirect for port in dns if port for verdict in port.selectors.values())


def test_an_endpoint_that_cannot_be_built_says_so() -> None:
    endpoint = recorded(AgentEndpoints, cluster=FAILING).get(51)
    assert endpoint is not None
    assert (endpoint.state, endpoint.is_ready) == ("not-ready", False)
    assert endpoint.status.health is not None
    assert (endpoint.status.health.overall, endpoint.status.health.connected) == ("Warning", True)
    entry = endpoint.last_entry
    assert entry is not None
    assert entry.is_bad
    assert entry.message.endswith("failed to compile template program: exit status 1")
    failing = [c for c in endpoint.status.controllers or () if c.status.consecutive_failure_count]
    assert [controller.name for controller in failing] == ["endpoint-51-regeneration-recovery"]


def test_text_tells_the_same_and_leaves_the_rest_unknown() -> None:
    from_json, from_text = recorded(AgentEndpoints, 0, FAILING), recorded(AgentEndpoints, 1, FAILING)
    for one, other in zip(from_json.items, from_text.items, strict=True):
        assert (one.id, one.state, one.identity) == (other.id, other.state, other.identity)
        assert (set(one.labels), one.addresses) == (set(other.labels), other.addresses)
        assert one.realized is not None
        assert other.realized is not None
        assert one.realized.policy_enabled == other.realized.policy_enabled
        assert (other.status.health, other.status.log, other.realized.l4, other.wanted) == (None,) * 4


def test_audit_mode_shows_in_text() -> None:
    labels = "LABELS (source:key[=value])"
    body = columns(
        ("ENDPOINT", "POLICY (ingress)", "POLICY (egress)", "IDENTITY", labels, "IPv6", "IPv4", "STATUS"),
        ("", "ENFORCEMENT", "ENFORCEMENT", "", "", "", "", ""),
        (
            "7",
            "Disabled (Audit)",
            "Disabled",
            "<no label id>",
            "no labels",
            "fd00::7",
            "10.0.0.7",
            "restoring",
        ),
    )
    (endpoint,) = read(AgentEndpoints, body, 1).items
    assert endpoint.realized is not None
    assert (endpoint.realized.policy_enabled, endpoint.realized.is_audit) == ("audit-ingress", True)
    assert (endpoint.identity, endpoint.labels) == (None, ())
    assert endpoint.addresses == ("10.0.0.7", "fd00::7")


@pytest.mark.parametrize("body", [b"null", b"[]", b"[]\n"])
def test_a_node_without_endpoints_has_none(body: bytes) -> None:
    assert read(AgentEndpoints, body).items == ()


def test_null_lists_are_unknown_not_empty_and_not_fatal() -> None:
    body = json.dumps(
        [{"id": 4, "status": {"log": None, "identity": None, "controllers": None, "policy": None}}]
    )
    (endpoint,) = read(AgentEndpoints, body).items
    assert (endpoint.identity, endpoint.realized, endpoint.last_entry) == (None, None, None)


def test_an_endpoint_without_a_number_is_no_endpoint() -> None:
    with pytest.raises(Unreadable, match="id"):
        read(AgentEndpoints, b'[{"status":{"state":"ready"}}]')


def test_one_endpoint_is_a_fact_of_its_own() -> None:
    assert argv(endpoint_detail(51)) == ("cilium-dbg", "endpoint", "get", "51", "-o", "json")
    assert endpoint_detail(51) is endpoint_detail(51)
    assert recorded(endpoint_detail(51), cluster=FAILING).endpoint.state == "not-ready"


def test_an_endpoint_that_is_not_there_is_a_gap() -> None:
    gone = b"Error: Cannot get endpoint 7: [GET /endpoint/{id}][404] getEndpointIdNotFound\n"
    gap = answered(endpoint_detail(7), b"", code=1, stderr=gone)
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_FOUND
    empty = answered(endpoint_detail(7), b"[]")
    assert isinstance(empty, Gap)
    assert empty.kind is GapKind.NOT_FOUND


def test_the_log_of_an_endpoint_tells_each_try() -> None:
    log = recorded(endpoint_log(51), 1, FAILING)
    assert log.items[0] == LogEntry(
        "Failure",
        "Error regenerating endpoint: failed to compile template program: exit status 1",
        "ready",
        "2026-11-23T01:53:25Z",
    )
    assert log.items[0].time is not None
    assert [entry.is_bad for entry in log.items[:4]] == [True, True, False, False]


def test_json_and_text_of_a_log_are_alike() -> None:
    from_json, from_text = recorded(endpoint_log(31)), recorded(endpoint_log(31), 1)
    assert from_json.items == from_text.items


def test_a_log_that_quotes_a_missing_command_is_still_a_log() -> None:
    body = """
Timestamp              Status    State       Message
2026-11-23T01:53:25Z   Failure   not-ready   sh: clang: command not found, unknown flag: --target
"""
    assert read(endpoint_log(51), body, 1).items[0].is_bad


def test_the_health_of_an_endpoint_is_told_by_both_ways() -> None:
    from_json, from_text = recorded(endpoint_health(31)).health, recorded(endpoint_health(31), 1).health
    assert from_json == from_text
    assert (from_json.overall, from_json.connected) == ("OK", True)
    assert recorded(endpoint_health(51), 1, FAILING).health.bpf == "Warning"
    with pytest.raises(Unreadable):
        read(endpoint_health(31), b"{}")

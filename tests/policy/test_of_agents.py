"""What agents say of policies: logs of the DNS proxy, audit mode, revisions, lockdown, proxy ports."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.condition import ConditionKind
from playbooks.model.finding import Ongoing
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import changed, config, found, only, outcome
from tests.edited import Edit, answered, command, gap, in_look, log, log_lines
from tests.policy.built import known_proxy_port

ENDPOINTS = command("cilium-dbg", "endpoint", "list", "-o", "json")
IPTABLES = command("iptables-save")
WITH_LINES = [
    (rule.id, case.lines)
    for rule in catalogue().rules_of(("policy",))
    for case in rule.cases
    if case.proof == "V"
]
TIMEOUT = (
    'level=warn msg="Timeout waiting for response to forwarded proxied DNS lookup" subsys=fqdn/dnsproxy '
    'error="read udp 10.244.2.80:46270->{}:53: i/o timeout"'
)


@pytest.mark.parametrize(("id", "lines"), WITH_LINES)
def test_a_line_that_was_seen_is_recognised_and_its_absence_is_silent(
    id: str, lines: tuple[str, ...]
) -> None:
    only(id, log_lines(*lines))
    assert found(id) == []


def test_without_logs_nothing_is_said() -> None:
    assert found("POL008", gap(log("cilium-agent"))) == []
    assert outcome("POL008", gap(log("cilium-agent"))).kind is OutcomeKind.COULD_NOT_LOOK


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("10.244.0.33", "the cluster's DNS"),
        ("169.254.20.10", "a cache on the node"),
        ("9.9.9.9", "a server outside"),
    ],
)
def test_the_address_tells_whom_the_proxy_waited_for(server: str, told: str) -> None:
    assert told in only("POL008", log_lines(TIMEOUT.format(server))).summary.raw


def of_endpoint(number: int, **realized: object) -> Edit:
    def change(document: Any) -> None:
        for one in document:
            if one["id"] == number:
                one["status"]["policy"]["realized"].update(
                    {key.replace("_", "-"): value for key, value in realized.items()}
                )

    return changed(ENDPOINTS, change)


def test_an_endpoint_in_audit_mode_is_told() -> None:
    one = only("POL016", of_endpoint(811, policy_enabled="audit-ingress"))
    assert one.subject.kind == "Endpoint"
    everywhere = only(
        "POL016", of_endpoint(811, policy_enabled="audit-ingress"), config(policy_audit_mode="true")
    )
    assert str(everywhere.subject) == "ConfigMap kube-system/cilium-config"
    assert found("POL016") == []


def test_an_endpoint_that_stays_behind_in_both_looks_is_told() -> None:
    behind = of_endpoint(811, policy_revision=7)
    one = only("POL019", behind)
    assert "policy revision 7" in one.summary.raw
    assert found("POL019", in_look(1, behind)) == []
    assert found("POL019", in_look(1, behind), in_look(2, of_endpoint(811, policy_revision=8))) == []
    assert found("POL019", behind, looks=1) == []


def test_an_endpoint_that_was_locked_down_is_told_where_that_is_switched_on() -> None:
    line = 'level=warning msg="Endpoint locked down: policy map overflow" endpointID=811 subsys=endpoint'
    switched = config(enable_endpoint_lockdown_on_policy_overflow="true")
    one = only("POL015", log_lines(line), switched)
    assert one.subject.name.startswith("redis-")
    assert found("POL015", log_lines(line)) == []
    assert found("POL015", switched) == []
    assert found("POL015", log_lines(line.replace("811", "9999")), switched) == []


SAID = (
    'time=2026-11-23T01:39:00.123456789Z level=warn msg="The policy map exceeds the max entries limit, '
    'enable-endpoint-lockdown-on-policy-overflow is enabled, locking the endpoint down." '
    "module=agent.controlplane.endpoint-manager endpointID=811 k8sPodName=shop/redis"
)


def unregenerated(document: Any) -> None:
    for one in document:
        if one["id"] == 811:
            message = "Error regenerating endpoint: policy map max entries limit exceeded"
            entry = {"code": "Failure", "message": message, "timestamp": "2026-11-23T01:40:00Z"}
            one["status"] |= {"state": "not-ready", "log": [entry]}


def test_the_agents_own_words_count_as_long_as_the_endpoint_cannot_be_regenerated() -> None:
    switched = config(enable_endpoint_lockdown_on_policy_overflow="true")
    one = only("POL015", log_lines(SAID), switched)
    assert one.asserts[0].kind is ConditionKind.MAP_FULL
    assert "max entries limit" in one.evidence[0].excerpt.raw
    long_ago = log_lines(SAID.replace("T01:39", "T00:12"))
    assert found("POL015", long_ago, switched) == []
    assert only("POL015", long_ago, switched, changed(ENDPOINTS, unregenerated)).ongoing is Ongoing.YES


def mangle(port: int) -> bytes:
    rule = (
        '-A CILIUM_PRE_mangle -p udp -m mark --mark 0x53ae0200 -m comment --comment "cilium: TPROXY to host '
        f'cilium-dns-egress proxy" -j TPROXY --on-port {port} --on-ip 127.0.0.1 --tproxy-mark 0x200/0xff'
    )
    return f"# Generated by iptables-save v1.8.10\n*mangle\n{rule}\nCOMMIT\n".encode()


def test_rules_that_lead_to_a_port_where_nobody_listens_are_told() -> None:
    one = only("POL017", answered(IPTABLES, mangle(40001)))
    assert "40001" in one.summary.raw
    assert found("POL017", answered(IPTABLES, mangle(known_proxy_port()))) == []
    assert found("POL017", answered(IPTABLES, b"# Generated by iptables-save\n*mangle\nCOMMIT\n")) == []
    assert outcome("POL017", gap(IPTABLES)).kind is OutcomeKind.COULD_NOT_LOOK

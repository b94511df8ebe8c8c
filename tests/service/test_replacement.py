"""Kube-proxy and its replacement: what is served, what runs beside it, what it left behind."""

from __future__ import annotations

import json

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.finding import Severity
from tests.agent.judged import STATUS, Json, changed, config, excerpts, found, only
from tests.edited import Edit, added, body, command, each, gap, log_lines
from tests.service.telling import NODE, instead

CGROUPS = command("bpftool", "cgroup")
RULES = command("iptables-save")
SYSCTL = command("sysctl", "net.ipv4.conf.all.src_valid_mark")


def features(**parts: object) -> Edit:
    """Set features of kube-proxy replacement in the status."""
    mode = parts.pop("mode", "True")

    def change(document: Json) -> None:
        told = document["kube-proxy-replacement"]
        told["mode"] = mode
        told["features"].update(parts)

    return changed(STATUS, change)


def with_sidecar(document: Json) -> Json:
    if document["metadata"]["name"].startswith("frontend-"):
        document["spec"]["containers"].append({"name": "istio-proxy", "image": "istio/proxyv2"})
    return document


def test_sidecars_under_a_full_socket_balancer_are_told() -> None:
    one = only("SVC013", each("pods", with_sidecar))
    assert str(one.subject) == "ConfigMap kube-system/cilium-config"
    assert one.severity is Severity.WARN
    assert "istio-proxy" in excerpts(one)


def test_a_gateway_of_the_mesh_is_no_sidecar() -> None:
    def gateway(document: Json) -> Json:
        if document["metadata"]["name"].startswith("frontend-"):
            document["spec"]["containers"] = [{"name": "istio-proxy", "image": "istio/proxyv2"}]
        return document

    assert found("SVC013", each("pods", gateway)) == []


def test_for_the_host_only_sidecars_see_services() -> None:
    assert found("SVC013", each("pods", with_sidecar), features(bpfSocketLBHostnsOnly=True)) == []
    assert found("SVC013", each("pods", with_sidecar), features(socketLB={"enabled": False})) == []
    assert found("SVC013") == []
    assert found("SVC013", each("pods", with_sidecar), gap(command("cilium-dbg", "status"))) == []


def test_the_text_of_the_status_tells_the_same() -> None:
    one = only("SVC013", each("pods", with_sidecar), gap(STATUS))
    assert one.evidence[0].way == "agent text"
    full = body(
        command("cilium-dbg", "status", "--verbose"), lambda told: told.replace(b"Full", b"Hostns-only")
    )
    assert found("SVC013", each("pods", with_sidecar), gap(STATUS), full) == []


def without(*hooks: bytes) -> Edit:
    def change(told: bytes) -> bytes:
        trees = json.loads(told)
        for tree in trees:
            tree["programs"] = [
                one for one in tree["programs"] or () if one["attach_type"].encode() not in hooks
            ]
        return json.dumps(trees).encode()

    return body(CGROUPS, change)


def later(document: Json) -> Json:
    """Agents that have run for long enough to have attached everything."""
    for status in document["status"].get("containerStatuses", ()):
        if status["name"] == "cilium-agent":
            status["state"] = {"running": {"startedAt": "2026-11-22T01:00:00Z"}}
    return document


OLD = each("pods", later)


def test_hooks_that_lack_a_program_are_told() -> None:
    one = only("SVC015", OLD, without(b"cgroup_inet4_connect", b"cgroup_udp4_sendmsg"))
    assert one.severity is Severity.ERROR
    assert "connect4, sendmsg4" in one.summary.raw
    assert one.fixes[0].steps[0].is_capture


def test_with_all_hooks_or_without_socket_balancing_nothing_is_missing() -> None:
    assert found("SVC015", OLD) == []
    assert found("SVC015", OLD, without(b"cgroup_inet4_connect"), features(socketLB={})) == []
    assert found("SVC015", OLD, gap(CGROUPS)) == []


def proxy(node: str = NODE) -> Edit:
    labels = {"k8s-app": "kube-proxy"}
    meta = {"name": "kube-proxy-abcde", "namespace": "kube-system", "labels": labels}
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    spec = {"nodeName": node, "hostNetwork": True, "containers": [{"name": "kube-proxy"}]}
    return added("pods", {"metadata": meta, "spec": spec, "status": status})


def test_a_proxy_beside_the_replacement_is_worth_knowing() -> None:
    one = only("SVC025", proxy())
    assert str(one.subject) == "Pod kube-system/kube-proxy-abcde"
    assert one.severity is Severity.INFO
    assert found("SVC025") == []
    assert found("SVC025", proxy(), features(mode="False")) == []


def test_a_kind_in_use_that_nobody_serves_is_told() -> None:
    one = only("SVC026", features(nodePort={"enabled": False}))
    assert str(one.subject) == "ConfigMap kube-system/cilium-config"
    assert "NodePort" in one.summary.raw
    assert "Service shop/frontend" in excerpts(one)
    affine = only("SVC026", features(sessionAffinity={}))
    assert "Session Affinity" in affine.summary.raw


def test_served_unused_or_proxied_kinds_are_well() -> None:
    assert found("SVC026") == []
    assert found("SVC026", features(externalIPs={"enabled": False})) == []
    assert found("SVC026", features(nodePort={"enabled": False}), proxy()) == []
    assert found("SVC026", features(nodePort={"enabled": False}, mode="False")) == []


LEFT = (
    "# Generated by iptables-save\n*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]\nCOMMIT\n"
)


def test_rules_of_a_proxy_that_is_gone_are_told() -> None:
    one = only("SVC027", instead(RULES, LEFT))
    assert str(one.subject) == f"Node {NODE}"
    assert one.severity is Severity.INFO
    assert "KUBE-SVC-ERIFXISQEP7F7OF4" in excerpts(one)
    assert one.fixes[0].steps[0].is_capture


def test_rules_of_a_proxy_that_runs_and_of_the_kubelet_are_their_own() -> None:
    assert found("SVC027") == []
    assert found("SVC027", instead(RULES, LEFT), proxy()) == []
    assert found("SVC027", instead(RULES, LEFT), features(mode="False")) == []
    assert found("SVC027", instead(RULES, "no such thing\n")) == []


def maglev(size: str, algorithm: str = "maglev") -> Edit:
    return config(**{"bpf-lb-algorithm": algorithm, "bpf-lb-maglev-table-size": size})


def test_a_table_size_that_agents_refuse_is_told_with_the_nearest() -> None:
    one = only("SVC029", maglev("16384"))
    assert str(one.subject) == "ConfigMap kube-system/cilium-config"
    assert "Set the size to 16381" in one.fixes[0].title.raw
    assert found("SVC029", maglev("16381")) == []
    assert found("SVC029", maglev("16384", "random")) == []
    assert found("SVC029") == []


GATEWAY = config(**{"enable-gateway-api": "true"})


def test_a_node_that_validates_marks_hurts_its_gateway() -> None:
    line = next(rule for rule in catalogue().rules if rule.id == "SVC017").cases[0].lines[0]
    one = only("SVC017", GATEWAY, instead(SYSCTL, f"{line}\n"))
    assert str(one.subject) == f"Node {NODE}"
    assert line in excerpts(one)


def test_without_the_setting_or_a_gateway_nothing_is_validated() -> None:
    on, off = (f"net.ipv4.conf.all.src_valid_mark = {value}\n" for value in "10")
    assert found("SVC017", GATEWAY, instead(SYSCTL, off)) == []
    assert found("SVC017", instead(SYSCTL, on)) == []
    assert found("SVC017", GATEWAY, gap(SYSCTL)) == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_device_that_cannot_be_accelerated_is_told_in_the_agent_s_words(number: int) -> None:
    case = next(rule for rule in catalogue().rules if rule.id == "SVC014").cases[number]
    one = only("SVC014", log_lines(*case.lines))
    assert one.severity is (Severity.ERROR, Severity.INFO)[number]
    assert ("eth1", "bond0.184")[number] in one.summary.raw
    assert case.lines[0] in excerpts(one)


def test_agents_that_say_nothing_of_acceleration_have_it_or_need_none() -> None:
    assert found("SVC014") == []

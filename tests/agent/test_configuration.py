"""Whether agents run as they are asked to, on a cluster of six nodes."""

from __future__ import annotations

import json

import pytest

from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import (
    OPTIONS,
    Json,
    changed,
    config,
    excerpts,
    found,
    only,
    outcome,
    practice,
    status,
)
from tests.edited import Edit, added, answered, command, each, gap, of

CONFIG = Ref("ConfigMap", "cilium-config", "kube-system")
NODE = "orchard-worker-2"
STANDS_BESIDE = ("AGT062", "AGT063", "AGT064", "AGT065", "AGT066", "AGT067", "AGT068", "AGT069", "AGT070")


def rolling(item: Json) -> Json:
    if item["metadata"]["name"] == "cilium":
        item["status"]["updatedNumberScheduled"] = item["status"]["desiredNumberScheduled"] - 1
    return item


def annotated(key: str, value: str, node: str = NODE) -> Edit:
    def change(item: Json) -> Json:
        if item["metadata"]["name"] == node:
            item["metadata"].setdefault("annotations", {})[f"config.cilium.io/{key}"] = value
        return item

    return each("nodes", change)


def node_config(**defaults: str) -> Edit:
    """A CiliumNodeConfig for every Linux node."""
    item = {
        "metadata": {"name": "own", "namespace": "kube-system"},
        "spec": {
            "nodeSelector": {"matchLabels": {"kubernetes.io/os": "linux"}},
            "defaults": {key.replace("_", "-"): value for key, value in defaults.items()},
        },
    }
    return added("ciliumnodeconfigs", item)


def started(node: str, time: str) -> Edit:
    """When the agent of a node began to run."""

    def change(pod: Json) -> Json:
        is_agent = pod["metadata"].get("labels", {}).get("k8s-app") == "cilium"
        if is_agent and pod["spec"].get("nodeName") == node:
            for one in pod["status"]["containerStatuses"]:
                one["state"]["running"]["startedAt"] = time
        return pod

    return each("pods", change)


@pytest.mark.parametrize("id", STANDS_BESIDE)
def test_a_healthy_cluster_runs_as_asked(id: str) -> None:
    assert found(id, cluster=practice()) == []
    assert found(id) == []


def test_wireguard_is_asked_for_and_nobody_encrypts() -> None:
    one = only("AGT062", config(enable_wireguard="true"), cluster=practice())
    assert one.severity is Severity.WARN
    assert len(one.subjects) == 6
    assert "enable-wireguard: true" in excerpts(one)
    assert "encryption.mode: Disabled" in excerpts(one)


@pytest.mark.parametrize(
    "edits",
    [
        (config(enable_wireguard="true"), status(encryption={"mode": "Wireguard"})),
        (config(enable_ipsec="true"), status(encryption={"mode": "IPsec"})),
        (config(enable_wireguard="true"), status(encryption=None)),
        (config(enable_wireguard="true"), node_config(enable_wireguard="false")),
        (config(enable_wireguard="false"),),
    ],
)
def test_encryption_as_asked_or_unknown_is_no_fault(edits: tuple[Edit, ...]) -> None:
    assert found("AGT062", *edits, cluster=practice()) == []


def test_a_node_that_was_told_otherwise_is_left_out() -> None:
    edits = (config(enable_wireguard="true"), annotated("enable-wireguard", "false"))
    assert len(only("AGT062", *edits, cluster=practice()).subjects) == 5


@pytest.mark.parametrize("edit", [each("daemonsets", rolling), gap(of("ciliumnodeconfigs"))])
def test_during_a_rollout_or_where_overrides_are_not_known_it_is_only_noted(edit: Edit) -> None:
    one = only("AGT062", config(enable_wireguard="true"), edit, cluster=practice())
    assert one.severity is Severity.INFO


def test_kube_proxy_replacement_is_asked_for_and_off() -> None:
    off = status(kube_proxy_replacement={"mode": "False"})
    assert only("AGT064", off, cluster=practice()).severity is Severity.WARN
    assert found("AGT064", off, config(kube_proxy_replacement="false"), cluster=practice()) == []
    assert found("AGT064", status(kube_proxy_replacement={"mode": "Strict"}), cluster=practice()) == []


def test_the_host_firewall_is_asked_for_and_off() -> None:
    asked = config(enable_host_firewall="true")
    assert only("AGT065", asked, cluster=practice()).severity is Severity.WARN
    on = status(host_firewall={"mode": "Enabled", "devices": ["eth0"]})
    assert found("AGT065", asked, on, cluster=practice()) == []


def test_iptables_masquerades_although_bpf_was_asked_for() -> None:
    fell_back = status(masquerading={"enabled": True, "enabledProtocols": {"ipv4": True}, "mode": "iptables"})
    assert only("AGT063", fell_back, cluster=practice()).severity is Severity.INFO
    needs = config(enable_egress_gateway="true")
    assert only("AGT063", fell_back, needs, cluster=practice()).severity is Severity.WARN
    assert found("AGT063", fell_back, config(enable_bpf_masquerade="false"), cluster=practice()) == []
    off = status(masquerading={"enabled": False, "mode": "iptables"})
    assert found("AGT063", off, needs, cluster=practice()) == []


def test_a_change_that_all_agents_sleep_through_is_only_noted() -> None:
    one = only("AGT068", config(routing_mode="native"), cluster=practice())
    assert one.severity is Severity.INFO
    assert one.subject == CONFIG
    assert "6 of 6" in one.summary.shown


def half_restarted() -> tuple[Edit, ...]:
    """Two agents started again after the ConfigMap was changed."""
    new = [f"orchard-worker-{number}" for number in (4, 5)]
    runs = [
        changed(command("cilium-dbg", "config", "-a", node=node), lambda d: d.update(RoutingMode="native"))
        for node in new
    ]
    return (config(routing_mode="native"), *runs, *(started(node, "2026-11-23T07:30:00Z") for node in new))


def test_half_a_fleet_with_another_routing_mode_is_a_fault() -> None:
    one = only("AGT068", *half_restarted(), cluster=practice())
    assert one.severity is Severity.WARN
    assert "routing-mode is native" in one.summary.shown
    assert "4 of 6" in one.summary.shown


@pytest.mark.parametrize(
    "edit",
    [
        gap(of("daemonsets")),
        gap(of("ciliumnodeconfigs")),
        each("daemonsets", rolling),
        node_config(routing_mode="native"),
        started("orchard-worker-1", "2026-11-23T07:45:00Z"),
    ],
)
def test_half_a_fleet_may_have_a_reason(edit: Edit) -> None:
    every = found("AGT068", *half_restarted(), edit, cluster=practice())
    assert all(one.severity is Severity.INFO for one in every)


def test_a_key_on_which_nodes_need_not_agree_is_only_noted() -> None:
    edits = (
        config(enable_l7_proxy="false"),
        changed(command("cilium-dbg", "config", "-a", node=NODE), lambda d: d.update(EnableL7Proxy=False)),
        started(NODE, "2026-11-23T07:30:00Z"),
    )
    assert only("AGT068", *edits, cluster=practice()).severity is Severity.INFO


@pytest.mark.parametrize(
    "keys",
    [
        {"debug": "False"},
        {"cluster_id": "orchard"},
        {"bpf_ct_global_tcp_max": "524288"},
        {"enable_ipv6_masquerade": "true"},
        {"some_new_key": "x"},
    ],
)
def test_other_spellings_and_derived_values_are_no_drift(keys: dict[str, str]) -> None:
    every = found("AGT068", config(**keys), cluster=practice())
    assert [one.summary.shown for one in every if "cluster-id" not in one.summary.shown] == []


def test_options_that_were_not_seen_leave_the_rest_unjudged() -> None:
    told = outcome("AGT068", gap(OPTIONS), gap(command("cilium-dbg", "status")))
    assert told.kind is OutcomeKind.COULD_NOT_LOOK


def written(time: str) -> Edit:
    def change(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium-config":
            entry = {
                "manager": "kubectl-edit",
                "operation": "Update",
                "time": time,
                "fieldsV1": {"f:data": {}},
            }
            item["metadata"]["managedFields"] = [entry]
        return item

    return each("configmaps", change)


def test_a_config_that_is_younger_than_agents_is_noted() -> None:
    one = only("AGT069", written("2026-11-23T07:59:00Z"), cluster=practice())
    assert one.severity is Severity.INFO
    assert "6 of 6" in one.summary.shown
    assert "kubectl-edit" in one.changes[0].shown
    assert found("AGT069", written("2026-11-01T00:00:00Z"), cluster=practice()) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("tunnel_protocol", "vxlann"), ("routing_mode", "direct"), ("kube_proxy_replacement", "maybe")],
)
def test_a_value_with_which_no_agent_starts(key: str, value: str) -> None:
    one = only("AGT070", config(**{key: value}))
    assert one.severity is Severity.WARN
    assert one.subjects == (CONFIG,)
    assert f"{key.replace('_', '-')}: {value}" in excerpts(one)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tunnel_protocol", "geneve"),
        ("tunnel_protocol", "VXLAN"),
        ("tunnel_protocol", ""),
        ("kube_proxy_replacement", "strict"),
        ("datapath_mode", "netkit-l2"),
        ("bpf_lb_acceleration", "best-effort"),
    ],
)
def test_values_of_any_version_are_accepted(key: str, value: str) -> None:
    assert found("AGT070", config(**{key: value})) == []


def version(text: str, *nodes: str) -> tuple[Edit, ...]:
    cilium = {"state": "Ok", "msg": f"{text} (v{text}-abc)"}
    return tuple(status(node, cilium=cilium) for node in nodes)


def test_two_minor_versions_without_a_rollout() -> None:
    one = only("AGT066", *version("1.18.4", NODE), cluster=practice())
    assert one.severity is Severity.WARN
    assert one.subject.kind == "DaemonSet"
    assert f"{NODE}: 1.18.4" in excerpts(one)


@pytest.mark.parametrize(
    "edits",
    [
        (*version("1.20.1", NODE),),
        (*version("1.18.4", NODE), each("daemonsets", rolling)),
        (*version("1.18.4", NODE), gap(of("daemonsets"))),
    ],
)
def test_patch_versions_and_rollouts_are_only_noted(edits: tuple[Edit, ...]) -> None:
    every = found("AGT066", *edits, cluster=practice())
    assert all(one.severity is Severity.INFO for one in every)


def operator_of(tag: str) -> Edit:
    def change(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium-operator":
            for container in item["spec"]["template"]["spec"]["containers"]:
                container["image"] = f"registry.example/cilium/operator-generic:{tag}"
        return item

    return each("deployments", change)


@pytest.mark.parametrize(
    ("tag", "severities"),
    [
        ("v1.17.3", [Severity.WARN]),
        ("v1.19.0", [Severity.INFO]),
        ("v1.20.0", []),
        ("latest", []),
        ("v1.20.0@sha256:aa", []),
    ],
)
def test_an_operator_of_another_version(tag: str, severities: list[Severity]) -> None:
    assert [one.severity for one in found("AGT067", operator_of(tag), cluster=practice())] == severities


def test_an_operator_of_another_version_during_a_rollout() -> None:
    edits = (operator_of("v1.17.3"), each("daemonsets", rolling))
    assert only("AGT067", *edits, cluster=practice()).severity is Severity.INFO


@pytest.mark.parametrize("id", STANDS_BESIDE)
def test_without_the_config_map_nobody_compares(id: str) -> None:
    if id in ("AGT066", "AGT067"):
        return
    assert found(id, answered(of("configmaps"), json.dumps({}).encode()), cluster=practice()) == []
    assert found(id, gap(of("configmaps")), cluster=practice()) == []

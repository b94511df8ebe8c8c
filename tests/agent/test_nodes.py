"""What nodes say of their network: conditions, taints, ranges, pods that wait for the CNI plug-in."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from tests import recorded
from tests.agent.judged import Json, config, excerpts, found, only, outcome, practice, run
from tests.agent.kept import (
    NODE,
    condition,
    container,
    event,
    pod,
    stamp,
    taint,
    terminated,
    without,
)
from tests.edited import Edit, each, edited, gap, of

RULES = ("AGT030", "AGT031", "AGT032", "AGT033", "AGT034", "AGT035")
NO_CNI = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network "
    "plugin returns error: cni plugin not initialized"
)
CRASHING = container(last=terminated(1))
REF = Ref("Node", NODE, node=NODE)


def test_a_sound_node_says_nothing() -> None:
    for source in (recorded.source("healthy"), practice()):
        snapshot = run(source, *RULES)
        assert snapshot.ranked == ()
        assert all(ended.is_judged for ended in snapshot.outcomes.values())


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_a_node_without_a_cni_configuration(status: str) -> None:
    one = only("AGT030", condition("Ready", status, NO_CNI, "KubeletNotReady"))
    assert (one.severity, one.subject) == (Severity.ERROR, REF)
    assert one.asserts == (Condition(ConditionKind.NODE_NOT_READY, NODE),)
    assert "cni plugin not initialized" in excerpts(one)
    assert found("AGT031", condition("Ready", status, NO_CNI)) == []


def test_it_hangs_below_the_agent_that_is_down() -> None:
    source = edited(recorded.source("healthy"), CRASHING, condition("Ready", "False", NO_CNI))
    (root,) = run(source, "AGT002", *RULES).roots
    assert (root.rule.id, [one.rule.id for one in root.symptoms]) == ("AGT002", ["AGT030"])


@pytest.mark.parametrize("rule", ["AGT030", "AGT031", "AGT033"])
def test_a_condition_of_seconds_is_no_fault(rule: str) -> None:
    for kind, status, text, minutes in (
        ("Ready", "False", NO_CNI, 0.2),
        ("Ready", "False", "container runtime is down", 1),
        ("NetworkUnavailable", "True", "", 1),
    ):
        assert found(rule, condition(kind, status, text, minutes=minutes)) == []


def test_a_silent_node_was_waited_for_by_its_controller() -> None:
    silent = condition("Ready", "Unknown", "Kubelet stopped posting node status.", minutes=0.1)
    assert only("AGT031", silent).severity is Severity.ERROR


def test_a_sound_agent_makes_a_lost_configuration_known_at_once() -> None:
    lost = condition("Ready", "False", NO_CNI, minutes=0.5)
    assert only("AGT030", lost).subject.kind == "Node"
    assert found("AGT030", CRASHING, lost) == []


def test_a_node_that_stopped_reporting() -> None:
    one = only(
        "AGT031", condition("Ready", "Unknown", "Kubelet stopped posting node status.", "NodeStatusUnknown")
    )
    assert "has stopped reporting" in one.summary.shown
    assert Condition(ConditionKind.NODE_UNREACHABLE, NODE) in one.asserts


def test_a_node_that_is_not_ready_for_another_reason() -> None:
    one = only("AGT031", condition("Ready", "False", "container runtime is down", "KubeletNotReady"))
    assert one.asserts == (Condition(ConditionKind.NODE_NOT_READY, NODE),)


KEY = "node.cilium.io/agent-not-ready"


def test_a_taint_beside_an_agent_that_is_ready_is_a_fault() -> None:
    one = only("AGT032", taint(KEY))
    assert (one.severity, one.subject) == (Severity.ERROR, REF)
    assert one.because_of == (Condition(ConditionKind.OPERATOR_DOWN),)
    assert f"{KEY}:NoSchedule" in excerpts(one)


def test_a_taint_of_another_name_may_be_configured() -> None:
    other = config(**{"agent-not-ready-taint-key": "example.com/wait"})
    assert found("AGT032", taint(KEY), other) == []
    assert len(found("AGT032", taint("example.com/wait"), other)) == 1


def test_a_taint_beside_an_agent_that_is_down_is_its_symptom() -> None:
    source = edited(recorded.source("healthy"), CRASHING, taint(KEY))
    (root,) = run(source, "AGT002", "AGT032").roots
    assert [one.finding.severity for one in root.symptoms] == [Severity.INFO]


def test_a_taint_beside_an_agent_that_has_just_become_ready_is_normal() -> None:
    young = container(
        state={"running": {"startedAt": stamp(minutes=2)}}, ready=True, restarts=0, since=stamp(seconds=9)
    )
    assert found("AGT032", taint(KEY), young) == []


def test_a_network_that_is_unavailable() -> None:
    one = only("AGT033", condition("NetworkUnavailable", "True", "no route", "NoRouteCreated"))
    assert "NoRouteCreated" in one.summary.shown
    assert Condition(ConditionKind.AGENT_DOWN, NODE) in one.because_of


def cilium_node(*, cidrs: bool, error: str = "", age: str = "") -> Edit:
    def change(item: Json) -> Json:
        if not cidrs:
            item["spec"]["ipam"].pop("podCIDRs")
        item["status"]["ipam"]["operator-status"] = {"error": error} if error else {}
        item["metadata"]["creationTimestamp"] = age or item["metadata"]["creationTimestamp"]
        return item

    return each("ciliumnodes", change)


def test_a_node_without_a_range() -> None:
    one = only("AGT034", cilium_node(cidrs=False))
    assert one.subject == Ref("CiliumNode", NODE, node=NODE)
    assert one.asserts == (Condition(ConditionKind.IPAM_EXHAUSTED, NODE),)
    assert one.because_of == (Condition(ConditionKind.OPERATOR_DOWN),)


def test_a_pool_that_is_used_up_is_no_matter_of_who_leads() -> None:
    full = cilium_node(cidrs=False, error="allocator full")
    one = only("AGT034", full)
    assert "the pool is used up" in one.summary.shown
    snapshot = run(edited(recorded.source("11"), full), "AGT020", "AGT034")
    assert {root.rule.id for root in snapshot.roots} == {"AGT020", "AGT034"}


def test_a_range_that_nobody_hands_out_hangs_below_the_operator() -> None:
    snapshot = run(edited(recorded.source("11"), cilium_node(cidrs=False)), "AGT020", "AGT034")
    assert [root.rule.id for root in snapshot.roots] == ["AGT020"]


@pytest.mark.parametrize("mode", ["eni", "azure", "crd", "delegated-plugin", "multi-pool"])
def test_other_modes_have_no_ranges(mode: str) -> None:
    assert found("AGT034", cilium_node(cidrs=False), config(ipam=mode)) == []


def test_a_node_that_is_young_has_no_range_yet() -> None:
    assert found("AGT034", cilium_node(cidrs=False, age=stamp(minutes=1))) == []


def test_the_error_of_a_node_that_has_a_range_is_another_matter() -> None:
    assert found("AGT034", cilium_node(cidrs=True, error="allocator full")) == []


(PLUGIN,) = next(
    case.lines
    for rule in catalogue().rules
    if rule.id == "AGT035"
    for case in rule.cases
    if case.proof == "V"
)
WAITS = pod("coredns", lambda item: item.update(status={"phase": "Pending"}))
COREDNS = "coredns-b65577cbf-gzb4k"
CALLED = event("FailedCreatePodSandBox", f"Failed to create pod sandbox: {PLUGIN}", about=COREDNS)


def test_a_pod_for_which_the_plugin_finds_no_agent() -> None:
    one = only("AGT035", WAITS, CALLED)
    assert one.subject == Ref("Pod", COREDNS, "kube-system", NODE)
    assert "cilium.sock" in excerpts(one)
    source = edited(recorded.source("healthy"), WAITS, CALLED, CRASHING)
    (root,) = run(source, "AGT002", "AGT035").roots
    assert (root.rule.id, [one.rule.id for one in root.symptoms]) == ("AGT002", ["AGT035"])


def test_a_pod_that_runs_by_now_is_left_alone() -> None:
    assert found("AGT035", CALLED) == []


def test_events_from_before_the_agent_was_ready_are_left_alone() -> None:
    old = event("FailedCreatePodSandBox", PLUGIN, about=COREDNS, lastTimestamp=stamp(minutes=13))
    assert found("AGT035", WAITS, old) == []


def test_after_cilium_was_removed_its_file_is_what_is_left() -> None:
    gone = (without("pods", "cilium-"), without("daemonsets", "cilium"), WAITS, CALLED)
    one = only("AGT035", *gone)
    assert "CNI file" in one.fixes[0].title.shown


def test_without_events_there_is_no_telling() -> None:
    assert outcome("AGT035", gap(of("events"))).kind is OutcomeKind.COULD_NOT_LOOK
    assert found("AGT035", WAITS, gap(of("events"))) == []

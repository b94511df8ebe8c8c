"""What the agent's status says of its parts: each fault on its case, silence on its twin."""

from __future__ import annotations

from datetime import timedelta

import pytest

from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import STATUS, Json, changed, config, excerpts, found, only, outcome, status
from tests.edited import Edit, answered, command, each, gap, in_look

NO_STATUS = gap(command("cilium-dbg", "status"))
QUORUM = (
    "Err: quorum check failed 8 times in a row: 4m28.446600949s since last heartbeat update has been received"
)
EARLY = (
    "etcd: 3/3 connected, lease-ID=29c6732d5d580cb5, has-quorum=2m2.778966915s since last heartbeat update "
    "has been received, consecutive-errors=1: https://192.168.33.11:2379 - 3.4.9 (Leader)"
)
SOUND = "etcd: 3/3 connected, leases=0, lock leases=0, has-quorum=true: https://192.168.33.11:2379 - 3.5.9"
FAILING = {
    "state": "Failure",
    "msg": 'Get "https://10.96.0.1:443/version": dial tcp 10.96.0.1:443: i/o timeout',
}


def just_started() -> Edit:
    """The agent's container began to run moments before it was asked."""

    def change(pod: Json) -> Json:
        for container in pod["status"].get("containerStatuses", ()):
            if container["name"] == "cilium-agent":
                container["state"]["running"]["startedAt"] = "2026-11-23T01:40:30Z"
        return pod

    return each("pods", change)


def unready(pod: Json) -> Json:
    if pod["metadata"]["labels"].get("k8s-app") == "cilium":
        for condition in pod["status"]["conditions"]:
            if condition["type"] == "Ready":
                condition["status"] = "False"
    return pod


def test_a_lost_quorum_is_an_error_and_names_the_heartbeat() -> None:
    one = only("AGT052", status(kvstore={"state": "Failure", "msg": QUORUM}), looks=1)
    assert one.severity is Severity.ERROR
    assert QUORUM in excerpts(one)
    assert Condition(ConditionKind.KVSTORE_DOWN) in one.asserts
    assert one.stated_cause == QUORUM


def test_a_missing_heartbeat_shows_before_the_state_does() -> None:
    one = only("AGT052", status(kvstore={"state": "Ok", "msg": EARLY}), looks=1)
    assert one.severity is Severity.WARN


def test_any_other_failure_of_the_store_counts_once_the_agent_has_settled() -> None:
    edit = status(kvstore={"state": "Failure", "msg": "Err: not able to connect to any etcd endpoints"})
    assert only("AGT052", edit).severity is Severity.WARN
    assert found("AGT052", edit, just_started()) == []


@pytest.mark.parametrize("kvstore", [{"state": "Ok", "msg": SOUND}, {"state": "Disabled"}, None])
def test_a_store_with_quorum_or_none_at_all_is_no_fault(kvstore: Json | None) -> None:
    assert found("AGT052", status(kvstore=kvstore)) == []


def test_the_kubernetes_api_must_fail_in_both_looks() -> None:
    fails = status(kubernetes=FAILING)
    one = only("AGT051", fails)
    assert one.severity is Severity.WARN
    assert "i/o timeout" in excerpts(one)
    assert one.asserts == (Condition(ConditionKind.API_SERVER_UNREACHABLE, "lab-node-1"),)
    assert found("AGT051", in_look(1, fails)) == []
    assert found("AGT051", in_look(2, fails)) == []


def test_an_agent_that_turned_unready_over_it_is_worse() -> None:
    assert only("AGT051", status(kubernetes=FAILING), each("pods", unready)).severity is Severity.ERROR


def test_with_one_look_the_kubernetes_api_is_not_judged_but_only_if_there_is_a_sign() -> None:
    assert outcome("AGT051", status(kubernetes=FAILING), looks=1).is_one_look
    assert outcome("AGT051").kind is OutcomeKind.CLEAN


def test_hubble_that_did_not_start() -> None:
    broken = {"state": "Warning", "msg": "Server not initialized"}
    one = only("AGT056", status(hubble=broken))
    assert "Server not initialized" in excerpts(one)
    assert found("AGT056", status(hubble=broken), just_started()) == []
    assert found("AGT056", status(hubble={"state": "Disabled"})) == []


def test_metrics_of_hubble_are_a_part_of_their_own() -> None:
    one = only("AGT056", status(hubble_metrics={"state": "Failure", "msg": "address already in use"}))
    assert "metrics" in one.summary.shown


def test_a_cni_file_that_cannot_be_written() -> None:
    failed = {"state": "Failure", "msg": "failed to write CNI configuration file: read-only file system"}
    one = only("AGT058", status(cni_file=failed))
    assert one.stated_cause == failed["msg"]
    assert found("AGT058", status(cni_file=failed), just_started()) == []
    assert found("AGT058", status(cni_file={"state": "Disabled"})) == []


def test_a_probe_that_is_stale_for_a_minute() -> None:
    stale = {"kubernetes": "2026-11-23T01:38:00.000Z"}
    one = only("AGT059", status(stale=stale))
    assert one.severity is Severity.WARN
    assert one.because_of == (Condition(ConditionKind.API_SERVER_UNREACHABLE, "lab-node-1"),)
    assert one.first_seen is not None
    assert one.last_seen is not None
    assert one.last_seen - one.first_seen > timedelta(minutes=2)
    assert found("AGT059", status(stale={"kubernetes": "2026-11-23T01:40:30.000Z"}), looks=1) == []
    assert found("AGT059", status(stale={})) == []


def test_locks_that_are_held_for_ever_are_an_error() -> None:
    assert only("AGT059", status(stale={"check-locks": "2026-11-23T01:30:00Z"})).severity is Severity.ERROR


def test_a_part_that_no_other_fault_names() -> None:
    new = {"state": "Failure", "msg": "spire: no connection"}
    one = only("AGT060", status(auth_certificate_provider=new))
    assert "auth-certificate-provider" in one.summary.shown
    assert one.severity is Severity.WARN
    assert found("AGT060", in_look(2, status(auth_certificate_provider=new))) == []


@pytest.mark.parametrize(
    "parts",
    [
        {"kvstore": {"state": "Failure", "msg": QUORUM}},
        {"kubernetes": FAILING},
        {"hubble": {"state": "Warning", "msg": "x"}},
        {
            "kvstore": {"state": "Failure", "msg": QUORUM},
            "cilium": {"state": "Failure", "msg": "1.20.2 (v1.20.2-0)    Kvstore service is not ready"},
        },
        {
            "stale": {"ipam": "2026-11-23T01:00:00Z"},
            "cilium": {"state": "Warning", "msg": "Stale status data"},
        },
    ],
)
def test_what_another_fault_names_is_not_told_twice(parts: Json) -> None:
    assert found("AGT060", status(**parts)) == []


def test_an_overall_state_without_a_bad_part_is_told() -> None:
    bad = {"state": "Failure", "msg": "1.20.2 (v1.20.2-0)    Something new is not ready"}
    assert "Something new" in excerpts(only("AGT060", status(cilium=bad)))


def test_the_container_runtime_is_only_noted() -> None:
    assert (
        only("AGT060", status(container_runtime={"state": "Failure", "msg": "x"})).severity is Severity.INFO
    )


def test_lost_events_are_noted() -> None:
    one = only("AGT061", status(nodeMonitor={"cpus": 2, "npages": 64, "pagesize": 4096, "lost": 7}))
    assert one.severity is Severity.INFO
    assert "7 events" in one.summary.shown
    assert found("AGT061") == []


@pytest.mark.parametrize(
    ("said", "mode", "noted"),
    [
        ("IPv4: 254/254 allocated from 10.244.0.0/24, ", "cluster-pool", True),
        ("IPv4: 240/254 allocated from 10.244.0.0/24, ", "kubernetes", True),
        ("IPv4: 13/14 allocated, ", "eni", False),
        ("IPv4: 14/14 allocated, ", "eni", True),
        ("IPv4: 16/254 allocated from 10.244.0.0/24, ", "cluster-pool", False),
        ("IPv4: 2/254 allocated, IPv6: 254/254 allocated from fd00::/120", "cluster-pool", True),
        ("delegated to plug-in", "delegated-plugin", False),
        ("IPv4: 0/0 allocated", "cluster-pool", False),
    ],
)
def test_a_pool_that_is_nearly_used_up_is_noted(said: str, mode: str, noted: bool) -> None:
    every = found("AGT053", status(ipam={"status": said}), config(ipam=mode))
    assert [one.severity for one in every] == ([Severity.INFO] if noted else [])


STATUS_RULES = [f"AGT{number:03}" for number in (51, 52, 53, 54, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65)]


@pytest.mark.parametrize("id", STATUS_RULES)
@pytest.mark.parametrize(
    "edit",
    [NO_STATUS, answered(STATUS, b"{}"), answered(STATUS, b'{"cilium":{"state":"Ok"')],
    ids=["forbidden", "empty", "cut"],
)
def test_without_the_status_nobody_claims_anything(id: str, edit: Edit) -> None:
    assert found(id, edit) == []


@pytest.mark.parametrize("id", STATUS_RULES)
def test_a_status_with_nothing_in_it_is_no_fault(id: str) -> None:
    def bare(document: Json) -> None:
        cilium = document["cilium"]
        document.clear()
        document["cilium"] = cilium

    assert found(id, changed(STATUS, bare)) == []


@pytest.mark.parametrize("id", STATUS_RULES)
@pytest.mark.parametrize("value", [7, "x", [], {"state": []}, {"mode": 3}])
def test_other_types_than_expected_are_a_gap_at_most(id: str, value: object) -> None:
    def twist(document: Json) -> None:
        for name in ("kvstore", "controllers", "stale", "encryption", "ipam", "proxy"):
            document[name] = value

    assert found(id, changed(STATUS, twist)) == []

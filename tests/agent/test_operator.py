"""The operator: whether there is one, whether it runs, and whether it leads."""

from __future__ import annotations

import copy
import json

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from tests import recorded
from tests.agent.judged import Json, excerpts, found, only, outcome, practice, run
from tests.agent.kept import OPERATOR, container, event, pod, running, stamp, terminated, waiting, without
from tests.edited import Edit, answered, body, each, edited, gap, log, of

RULES = ("AGT020", "AGT021", "AGT022", "AGT023", "AGT024", "AGT025")
DEPLOYMENT = Ref("Deployment", "cilium-operator", "kube-system")
DOWN = Condition(ConditionKind.OPERATOR_DOWN)
LOCK = "cilium-operator-resource-lock"


def operator(state: Json | None = None, **more: object) -> Edit:
    return container(state=state, name="cilium-operator", start="cilium-operator", **more)  # type: ignore[arg-type]


def replicas(count: int) -> Edit:
    def change(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium-operator":
            item["spec"]["replicas"] = count
        return item

    return each("deployments", change)


def lease(**spec: object) -> Edit:
    def change(item: Json) -> Json:
        if item["metadata"]["name"] == LOCK:
            item["spec"].update(spec)
        return item

    return each("leases", change)


@pytest.mark.parametrize("cluster", ["healthy", "05", "16", "18"])
def test_a_sound_operator_says_nothing(cluster: str) -> None:
    snapshot = run(recorded.source(cluster), *RULES)
    assert snapshot.ranked == ()
    assert all(ended.is_judged for ended in snapshot.outcomes.values())


def test_the_practice_operator_says_nothing() -> None:
    assert run(practice(), *RULES).ranked == ()


def test_scaled_to_zero_is_the_root_and_the_missing_lease_its_symptom() -> None:
    (root,) = run(recorded.source("11"), *RULES).roots
    assert (root.rule.id, root.finding.subject) == ("AGT020", DEPLOYMENT)
    assert [one.rule.id for one in root.symptoms] == ["AGT024"]
    assert found("AGT020", replicas(1), cluster="11") == []


FATAL = b'level=fatal msg="Unable to start eni allocator" error="AccessDenied: not authorized"\n'


def test_a_crash_loop_of_the_only_operator() -> None:
    edits = (operator(last=terminated(1)), answered(log("cilium-operator"), FATAL))
    one = only("AGT021", *edits)
    assert one.subjects == (DEPLOYMENT, Ref("Pod", OPERATOR, "kube-system", "lab-node-1"))
    assert (one.severity, one.asserts) == (Severity.ERROR, (DOWN,))
    assert "AccessDenied" in excerpts(one)
    roots = run(edited(recorded.source("healthy"), *edits), *RULES).roots
    assert [root.rule.id for root in roots] == ["AGT021"]


def test_a_crash_loop_without_words_is_known_by_its_exit_code() -> None:
    one = only("AGT021", operator(last=terminated(2)), gap(log("cilium-operator")))
    assert "exit code 2" in one.summary.shown
    assert any("taken away" in text.shown for text in one.alternatives)


def test_an_operator_that_was_killed_for_memory_is_one_that_ends() -> None:
    assert "OOMKilled" in only("AGT021", operator(last=terminated(137, "OOMKilled"))).summary.shown


def test_restarts_of_an_operator_that_is_ready_are_tolerated() -> None:
    again = operator(running(minutes=5), last=terminated(1, minutes=6), restarts=7, ready=True)
    assert [found(rule, again) for rule in RULES] == [[]] * len(RULES)


def test_an_operator_that_runs_and_is_not_ready() -> None:
    one = only("AGT022", operator(running(minutes=30), restarts=0))
    assert (one.severity, one.asserts) == (Severity.WARN, (DOWN,))
    assert found("AGT022", operator(running(minutes=1), restarts=0)) == []


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CreateContainerConfigError"])
def test_an_operator_that_does_not_start(reason: str) -> None:
    one = only("AGT025", operator(waiting(reason, "manifest unknown"), restarts=0))
    assert one.asserts == (DOWN,)
    assert "manifest unknown" in excerpts(one)


NO_POD = without("pods", "cilium-operator")


def test_no_pod_at_all() -> None:
    one = only("AGT023", NO_POD)
    assert (one.subject, one.asserts) == (DEPLOYMENT, (DOWN,))
    assert "it has no pod" in one.summary.shown
    assert found("AGT023", NO_POD, replicas(0)) == []


def test_what_refuses_the_pod_is_quoted() -> None:
    of_set = {"about": "cilium-operator-5f5f45d967", "involved": {"kind": "ReplicaSet"}}
    said = event("FailedCreate", "exceeded quota: pods", **of_set)
    assert "exceeded quota" in excerpts(only("AGT023", NO_POD, said))


def unscheduled(item: Json) -> None:
    del item["spec"]["nodeName"]
    made = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1: taints"}
    item["status"] = {"phase": "Pending", "conditions": [made]}


def test_a_pod_that_no_node_takes() -> None:
    one = only("AGT023", pod("cilium-operator", unscheduled))
    assert "0/1: taints" in one.summary.shown
    assert (one.severity, one.asserts) == (Severity.ERROR, (DOWN,))


def test_a_second_replica_that_finds_no_node_harms_nobody() -> None:
    def doubled(bytes_: bytes) -> bytes:
        page = json.loads(bytes_)
        other = copy.deepcopy(next(one for one in page["items"] if one["metadata"]["name"] == OPERATOR))
        other["metadata"]["name"] = "cilium-operator-2"
        unscheduled(other)
        page["items"].append(other)
        return json.dumps(page).encode()

    one = only("AGT023", body(of("pods"), doubled))
    assert (one.severity, one.asserts) == (Severity.INFO, ())


DELETED = (NO_POD, without("deployments", "cilium-operator"))


def test_a_deployment_that_was_deleted() -> None:
    one = only("AGT023", *DELETED, without("leases", LOCK))
    assert one.subject == DEPLOYMENT
    assert one.asserts == (DOWN,)


def test_an_operator_elsewhere_renews_its_lease() -> None:
    assert found("AGT023", *DELETED) == []


@pytest.mark.parametrize("lost", [of("leases"), of("deployments")])
def test_absence_needs_the_whole_picture(lost: object) -> None:
    ended = outcome("AGT023", *DELETED, gap(lost))  # type: ignore[arg-type]
    assert ended.kind is OutcomeKind.COULD_NOT_LOOK


def test_a_lease_that_nobody_renews() -> None:
    one = only("AGT024", lease(renewTime=stamp(minutes=9)))
    assert (one.severity, one.subject) == (Severity.WARN, Ref("Lease", LOCK, "kube-system"))
    assert one.asserts == (DOWN,)


@pytest.mark.parametrize("change", [without("leases", LOCK), lease(holderIdentity="")])
def test_a_lease_without_a_holder(change: Edit) -> None:
    assert only("AGT024", change).subject == Ref("Lease", LOCK, "kube-system")


def test_a_wrong_clock_of_the_asker_is_no_silence() -> None:
    def old(item: Json) -> Json:
        item["spec"]["renewTime"] = stamp(minutes=9)
        return item

    assert found("AGT024", each("leases", old)) == []


def test_an_operator_that_has_just_started_may_not_lead_yet() -> None:
    young = pod("cilium-operator", lambda item: item["status"].update(startTime=stamp(seconds=30)))
    assert found("AGT024", without("leases", LOCK), young) == []


def test_without_the_leases_there_is_no_telling() -> None:
    assert outcome("AGT024", gap(of("leases"), GapKind.FORBIDDEN)).kind is OutcomeKind.COULD_NOT_LOOK

"""Agents that something keeps from starting, and nodes that have none."""

from __future__ import annotations

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from tests import recorded
from tests.agent.judged import Json, excerpts, found, only, outcome, practice, run
from tests.agent.kept import (
    AGENT,
    NODE,
    condition,
    container,
    daemon_set,
    event,
    init_stuck,
    pod,
    running,
    stamp,
    taint,
    terminated,
    waiting,
    without,
)
from tests.edited import Edit, answered, each, edited, gap, log, of

DOWN = Condition(ConditionKind.AGENT_DOWN, NODE)
RUNNING_RULES = ("AGT006", "AGT007", "AGT008", "AGT009", "AGT010", "AGT011", "AGT012", "AGT013")
PULL = waiting("ImagePullBackOff", 'Back-off pulling image "images.example/cilium/cilium:v9.9.9"')


def test_a_sound_agent_is_held_by_nothing() -> None:
    for source in (recorded.source("healthy"), practice()):
        snapshot = run(source, *RUNNING_RULES)
        assert snapshot.ranked == ()
        assert all(ended.is_judged for ended in snapshot.outcomes.values())


SAID = b'level=error msg="Failed to mount" error="permission denied"\n'


def test_an_init_container_that_does_not_end_is_named_with_its_words() -> None:
    one = only("AGT006", init_stuck("config", last=terminated(1)), answered(log("config"), SAID))
    assert "init container config" in one.summary.shown
    assert one.asserts == (DOWN,)
    assert "permission denied" in excerpts(one)
    assert "permission denied" in one.stated_cause


@pytest.mark.parametrize(
    ("state", "is_stuck"),
    [(running(seconds=20), False), (running(minutes=5), True), (waiting("PodInitializing", ""), False)],
)
def test_an_init_container_may_run_for_a_while(state: Json, is_stuck: bool) -> None:
    edits = (init_stuck("config", state=state), answered(log("config"), b""))
    assert bool(found("AGT006", *edits)) is is_stuck


def test_what_its_kubelet_kept_is_enough() -> None:
    end = terminated(1, message=SAID.decode())
    edits = (init_stuck("config", last=end), gap(log("config")))
    assert "permission denied" in only("AGT006", *edits).stated_cause


def image(reason: str, message: str) -> Edit:
    return container(state=waiting(reason, message), restarts=0)


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"]
)
def test_an_image_that_no_node_has_is_the_workloads_fault(reason: str) -> None:
    one = only("AGT007", image(reason, "manifest unknown"))
    assert one.subjects[0] == Ref("DaemonSet", "cilium", "kube-system")
    assert "there is no such image" in one.summary.shown
    assert one.asserts == (DOWN,)


def test_what_the_registry_said_is_quoted() -> None:
    said = event("Failed", 'Failed to pull image "lab.local/cilium:v1.20.2": 401 Unauthorized')
    one = only("AGT007", container(state=PULL, restarts=0), said)
    assert "401 Unauthorized" in excerpts(one)
    assert "access is denied" in one.summary.shown


def test_an_image_that_other_nodes_have_is_the_nodes_fault() -> None:
    def first(item: Json) -> Json:
        if item["metadata"].get("labels", {}).get("k8s-app") == "cilium" and item["spec"][
            "nodeName"
        ].endswith("-3"):
            item["status"]["containerStatuses"][0].update(state=PULL, ready=False)
            for one in item["status"]["conditions"]:
                one["status"] = "False" if one["type"] == "Ready" else one["status"]
        return item

    one = only("AGT007", each("pods", first), cluster=practice())
    assert one.subject.kind == "Pod"


def test_a_container_that_cannot_be_created() -> None:
    one = only("AGT008", image("CreateContainerError", "failed to mount /sys/fs/bpf: not a directory"))
    assert "CreateContainerError" in one.summary.shown
    assert one.asserts == (DOWN,)


KEYS = 'MountVolume.SetUp failed for volume "cilium-ipsec-secrets" : secret "cilium-ipsec-keys" not found'
CREATING = container(state=waiting("ContainerCreating", ""), restarts=0)


def test_a_secret_that_is_missing_is_the_root() -> None:
    one = only("AGT009", CREATING, event("FailedMount", KEYS))
    assert one.subject == Ref("Secret", "cilium-ipsec-keys", "kube-system")
    assert {DOWN, Condition(ConditionKind.SECRET_MISSING, NODE)} <= set(one.asserts)
    assert "rfc4106" in "".join(step.command.raw for step in one.fixes[0].steps if step.command)
    assert found("AGT013", CREATING, event("FailedMount", KEYS)) == []


@pytest.mark.parametrize(
    ("message", "ref"),
    [
        ('configmap "cilium-config" not found', Ref("ConfigMap", "cilium-config", "kube-system")),
        ('secret "cilium-ca" not found', Ref("Secret", "cilium-ca", "kube-system")),
        ("couldn't find key tls.crt in Secret kube-system/certs", Ref("Secret", "certs", "kube-system")),
    ],
)
def test_what_kubelet_says_of_the_container_names_it_too(message: str, ref: Ref) -> None:
    edit = image("CreateContainerConfigError", message)
    assert only("AGT009", edit).subject == ref
    assert found("AGT008", edit) == []


def test_a_mount_that_failed_before_the_agent_ran_is_over() -> None:
    assert found("AGT009", event("FailedMount", KEYS)) == []


@pytest.mark.parametrize(("minutes", "count"), [(1, 0), (9, 1)])
def test_an_agent_may_take_a_while_to_be_ready(minutes: int, count: int) -> None:
    assert len(found("AGT013", container(state=running(minutes=minutes), restarts=0))) == count


def test_an_agent_that_stays_unready_says_since_when() -> None:
    one = only("AGT013", container(state=running(minutes=9), restarts=0, since=stamp(minutes=9)))
    assert one.severity is Severity.WARN
    assert one.first_seen is not None
    assert one.asserts == (DOWN,)


def test_the_count_of_the_daemon_set_is_an_observation() -> None:
    snapshot = run(recorded.source("05"), "AGT002", "AGT011")
    (root,) = snapshot.roots
    (count,) = root.symptoms
    assert (count.rule.id, count.finding.severity) == ("AGT011", Severity.INFO)
    assert "0 of 1 agents are ready" in count.finding.summary.shown


NO_AGENT = without("pods", AGENT)
OLD = each(
    "nodes", lambda node: {**node, "metadata": {**node["metadata"], "creationTimestamp": stamp(days=9)}}
)


def tolerating(*tolerations: Json) -> Edit:
    return daemon_set(lambda item: item["spec"]["template"]["spec"].update(tolerations=list(tolerations)))


def test_a_taint_that_is_not_tolerated_any_more() -> None:
    one = only("AGT010", NO_AGENT, tolerating(), taint("dedicated", value="db"))
    assert one.subjects == (Ref("DaemonSet", "cilium", "kube-system"), Ref("Node", NODE, node=NODE))
    assert "dedicated=db:NoSchedule" in one.summary.shown
    assert one.asserts == (DOWN,)


def counted(**before: float) -> Edit:
    """The DaemonSet's status was written then."""
    entry = {"manager": "kube-controller-manager", "operation": "Update", "time": stamp(**before)}
    return daemon_set(lambda item: item["metadata"].update(managedFields=[entry]))


def test_a_taint_that_is_tolerated_keeps_nobody_away() -> None:
    every = {"operator": "Exists"}
    edits = (NO_AGENT, tolerating(every), taint("dedicated"))
    assert "was not made" in only("AGT010", *edits, counted(minutes=2)).summary.shown
    assert found("AGT010", *edits, counted(seconds=2)) == []


@pytest.mark.parametrize(
    ("desired", "current", "updated", "count"), [(1, 0, 0, 1), (1, 1, 1, 0), (3, 2, 1, 0)]
)
def test_a_recording_without_managed_fields_goes_by_the_controllers_count(
    desired: int, current: int, updated: int, count: int
) -> None:
    """The last one is in the middle of a rollout, which replaces pods."""
    status = {"desiredNumberScheduled": desired, "currentNumberScheduled": current}
    counts = daemon_set(lambda item: item["status"].update(status, updatedNumberScheduled=updated))
    assert len(found("AGT010", NO_AGENT, counts)) == count


def test_a_node_that_is_young_has_no_agent_yet() -> None:
    young = each(
        "nodes", lambda n: {**n, "metadata": {**n["metadata"], "creationTimestamp": stamp(minutes=1)}}
    )
    assert found("AGT010", NO_AGENT, young) == []


def test_a_node_that_the_controller_does_not_want_has_no_agent_by_design() -> None:
    none = daemon_set(lambda item: item["status"].update(desiredNumberScheduled=0))
    assert found("AGT010", NO_AGENT, none) == []


def test_what_refuses_the_pod_is_quoted() -> None:
    refused = event(
        "FailedCreate",
        "pods is forbidden: violates PodSecurity",
        about="cilium",
        involved={"kind": "DaemonSet"},
    )
    one = only("AGT010", NO_AGENT, refused)
    assert one.subject.kind == "DaemonSet"
    assert "violates PodSecurity" in excerpts(one)


def pending(message: str) -> Edit:
    fields = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [NODE]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": fields}}

    def change(item: Json) -> None:
        del item["spec"]["nodeName"]
        item["spec"]["affinity"] = {"nodeAffinity": required}
        made = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        item["status"] = {"phase": "Pending", "conditions": [made]}

    return pod("cilium-z", change)


def test_a_pod_that_cannot_be_scheduled_says_why() -> None:
    one = only("AGT010", pending("0/1 nodes are available: 1 Insufficient memory."))
    assert one.subject == Ref("Pod", AGENT, "kube-system")
    assert "Insufficient memory" in one.summary.shown


def test_an_evicted_agent() -> None:
    evicted = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    one = only("AGT010", pod("cilium-z", lambda item: item["status"].update(evicted)))
    assert "Evicted" in one.summary.shown
    assert "low on resource" in excerpts(one)


def test_a_selector_that_leaves_every_node_out() -> None:
    def change(item: Json) -> None:
        item["spec"]["template"]["spec"]["nodeSelector"] = {"role": "cilium"}
        item["status"].update(desiredNumberScheduled=0, numberReady=0)

    one = only("AGT010", NO_AGENT, daemon_set(change))
    assert one.subject == Ref("DaemonSet", "cilium", "kube-system")
    assert "role=cilium" in one.summary.shown


def test_a_selector_that_leaves_a_node_out_which_misses_it() -> None:
    selector = daemon_set(lambda item: item["spec"]["template"]["spec"].update(nodeSelector={"role": "x"}))
    no_cni = condition(
        "Ready", "False", "NetworkReady=false reason:NetworkPluginNotReady cni plugin not initialized"
    )
    assert only("AGT010", NO_AGENT, selector, no_cni).subject.kind == "DaemonSet"
    assert found("AGT010", NO_AGENT, selector) == []


def test_without_the_pods_nothing_is_missing() -> None:
    assert outcome("AGT010", gap(of("pods"))).kind is OutcomeKind.COULD_NOT_LOOK
    assert outcome("AGT010", gap(of("nodes"), GapKind.FORBIDDEN)).kind is OutcomeKind.COULD_NOT_LOOK


def test_a_rollout_that_stands_still_names_its_blocker() -> None:
    half = daemon_set(lambda item: item["status"].update(desiredNumberScheduled=3, updatedNumberScheduled=1))
    one = only("AGT012", half, container(last=terminated(1)))
    assert "1 of 3" in one.summary.shown
    assert NODE in one.summary.shown
    assert one.fixes[0].title.shown == "Undo the rollout."
    assert found("AGT012", half) == []


def test_a_rollout_and_its_crash_are_one_tree() -> None:
    half = daemon_set(lambda item: item["status"].update(desiredNumberScheduled=3, updatedNumberScheduled=1))
    source = edited(recorded.source("healthy"), half, container(last=terminated(1)))
    assert [one.rule.id for one in run(source, *RUNNING_RULES, "AGT002").roots] == ["AGT002"]

"""Whether agents reach each other, Relay and Envoy reach them, and pods are managed."""

from __future__ import annotations

import pytest

from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from tests import recorded
from tests.agent.judged import HEALTH, Json, changed, config, excerpts, found, only, outcome, practice, run
from tests.edited import Edit, added, command, each, edited, gap

WORKERS = [f"orchard-worker-{number}" for number in range(1, 6)]
NODES = ["orchard-control-1", *WORKERS]
TIMED_OUT = 'Get "http://10.0.0.61:4240/hello": dial tcp 10.0.0.61:4240: connect: connection timed out'
SICK = "orchard-worker-2"


def unreached(observer: str, *targets: str, where: str = "both", protocols: str = "icmp http") -> Edit:
    """One agent's probes of these nodes fail."""

    def change(document: Json) -> None:
        for node in document["nodes"]:
            if node["name"].rpartition("/")[2] in targets:
                for part in ("host", "health-endpoint"):
                    for protocol in protocols.split() if where in ("both", part) else ():
                        node[part]["primary-address"][protocol]["status"] = TIMED_OUT

    return changed(command("cilium-health", "status", node=observer), change)


def everybody_misses(target: str, **how: str) -> list[Edit]:
    return [unreached(node, target, **how) for node in NODES if node != target]


def test_nobody_reaches_a_node() -> None:
    one = only("AGT074", *everybody_misses(SICK), cluster=practice())
    assert one.severity is Severity.WARN
    assert one.subjects == (Ref("Node", SICK, "", SICK),)
    assert "Node orchard-worker-2 is not reached by 5 of 5" in one.summary.shown
    assert one.asserts == (Condition(ConditionKind.NODE_UNREACHABLE, SICK),)
    assert TIMED_OUT in excerpts(one)
    assert found("AGT075", *everybody_misses(SICK), cluster=practice()) == []


def test_the_node_answers_but_not_its_health_endpoint() -> None:
    one = only("AGT074", *everybody_misses(SICK, where="health-endpoint"), cluster=practice())
    assert "health endpoint on" in one.summary.shown
    assert one.asserts == ()


def test_a_blocked_overlay_is_one_finding_about_all_nodes() -> None:
    edits = [edit for node in NODES for edit in everybody_misses(node, where="health-endpoint")]
    one = only("AGT074", *edits, cluster=practice())
    assert len(one.subjects) == 6


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [unreached(NODES[0], SICK)],
        everybody_misses(SICK, protocols="icmp"),
        everybody_misses(SICK, protocols="http"),
    ],
    ids=["none", "one observer", "no ICMP", "no HTTP"],
)
def test_one_sign_alone_is_nothing(edits: list[Edit]) -> None:
    assert found("AGT074", *edits, cluster=practice()) == []
    assert found("AGT075", *edits, cluster=practice()) == []


def test_one_agent_that_misses_everybody_is_cut_off_itself() -> None:
    edits = [unreached(SICK, *(node for node in NODES if node != SICK)), *everybody_misses(SICK)]
    roots = run(edited(practice(), *edits), "AGT074", "AGT075").roots
    assert [one.rule.id for one in roots] == ["AGT075"]
    assert roots[0].finding.subjects == (Ref("Node", SICK, "", SICK),)
    assert [one.rule.id for one in roots[0].symptoms] == ["AGT074"]
    assert [one.finding.subject.name for one in roots[0].symptoms] == [SICK]


def test_an_observer_that_did_not_tell_counts_as_one_that_reached_it() -> None:
    two_of_five = [unreached(node, SICK) for node in NODES[:2]]
    silent = [gap(command("cilium-health", "status", node=node)) for node in WORKERS[2:]]
    assert found("AGT074", *two_of_five, cluster=practice()) == []
    assert found("AGT074", *two_of_five, *silent, cluster=practice()) == []


def test_old_probes_say_nothing_of_now() -> None:
    def old(document: Json) -> None:
        document["timestamp"] = "2026-11-23T06:00:00Z"
        for node in document["nodes"]:
            for part in ("host", "health-endpoint"):
                for protocol in ("icmp", "http"):
                    node[part]["primary-address"][protocol]["lastProbed"] = "2026-11-23T06:00:00Z"

    assert found("AGT074", *everybody_misses(SICK), changed(HEALTH, old), cluster=practice()) == []


def test_a_node_that_is_gone_lingers_in_the_list_without_a_fault() -> None:
    def gone(item: Json) -> Json | None:
        return None if item["metadata"]["name"] == SICK else item

    def no_agent(item: Json) -> Json | None:
        return None if item["spec"].get("nodeName") == SICK else item

    edits = [*everybody_misses(SICK), each("nodes", gone), each("pods", no_agent)]
    assert found("AGT074", *edits, cluster=practice()) == []


def test_an_agent_that_just_started_was_not_probed_yet() -> None:
    def young(pod: Json) -> Json:
        if pod["spec"].get("nodeName") == SICK:
            for one in pod["status"].get("containerStatuses", ()):
                one["state"] = {"running": {"startedAt": "2026-11-23T07:58:00Z"}}
        return pod

    assert found("AGT074", *everybody_misses(SICK), each("pods", young), cluster=practice()) == []


def test_where_health_checks_are_off_nobody_is_asked() -> None:
    off = config(enable_health_checking="false")
    for rule in ("AGT074", "AGT075", "AGT076"):
        assert outcome(rule, off).kind is OutcomeKind.NOT_APPLICABLE


def test_an_agent_that_did_not_tell_leaves_it_unjudged() -> None:
    told = outcome("AGT074", gap(HEALTH), gap(command("cilium-health", "status", "--verbose")))
    assert told.kind is OutcomeKind.COULD_NOT_LOOK


def test_the_own_health_endpoint_is_silent() -> None:
    lost = unreached("lab-node-1", "lab-node-1", where="health-endpoint")
    one = only("AGT076", lost)
    assert one.subjects == (Ref("Node", "lab-node-1", "", "lab-node-1"),)
    assert "health endpoint of lab-node-1" in one.summary.shown
    half = unreached("lab-node-1", "lab-node-1", where="health-endpoint", protocols="http")
    assert found("AGT076", half) == []
    assert found("AGT076") == []
    # Before the first round nobody was probed.
    assert found("AGT076", cluster="11") == []


@pytest.mark.parametrize("looks", [1, 2])
def test_the_recorded_relay_is_down_with_its_agent(looks: int) -> None:
    one = only("AGT072", cluster="05", looks=looks)
    assert one.subjects == (Ref("Deployment", "hubble-relay", "kube-system"),)
    assert Condition(ConditionKind.AGENT_DOWN, "lab-node-1") in one.because_of
    assert one.stated_cause == ""
    assert found("AGT072", cluster="11", looks=looks) == []


def relay(
    since: str, ready: int = 0, replicas: int = 1, waiting: str = "", message: str = ""
) -> tuple[Edit, Edit]:
    """Relay is not ready since a time."""

    def deployment(item: Json) -> Json:
        if item["metadata"]["name"] == "hubble-relay":
            item["spec"]["replicas"] = replicas
            item["status"]["readyReplicas"] = ready
        return item

    def pod(item: Json) -> Json:
        if item["metadata"].get("labels", {}).get("k8s-app") == "hubble-relay":
            for condition in item["status"]["conditions"]:
                if condition["type"] == "Ready":
                    condition.update(status="False", lastTransitionTime=since)
            if waiting:
                item["status"]["containerStatuses"][0]["state"] = {
                    "waiting": {"reason": waiting, "message": message}
                }
        return item

    return each("deployments", deployment), each("pods", pod)


def test_relay_alone_is_down() -> None:
    one = only("AGT072", *relay("2026-11-23T01:30:00Z"))
    assert one.severity is Severity.WARN
    assert one.asserts == (Condition(ConditionKind.RELAY_DOWN),)
    assert one.first_seen is not None


def test_relay_tells_why_it_does_not_start() -> None:
    one = only("AGT072", *relay("2026-11-23T01:30:00Z", waiting="ImagePullBackOff", message="no such tag"))
    assert one.stated_cause == "ImagePullBackOff: no such tag"


@pytest.mark.parametrize(
    "end", [None, {"reason": "Completed", "exitCode": 0}, {"reason": "Error", "exitCode": 1}]
)
def test_a_back_off_of_relay_is_no_cause_of_its_own(end: Json | None) -> None:
    """Relay ends and starts again and again while its agent is down: it still follows from the agent."""

    def ended(item: Json) -> Json:
        if item["metadata"].get("labels", {}).get("k8s-app") == "hubble-relay":
            item["status"]["containerStatuses"][0]["lastState"] = {"terminated": end} if end else {}
        return item

    looping = relay("2026-11-23T01:30:00Z", waiting="CrashLoopBackOff", message="back-off 5m0s restarting")
    assert only("AGT072", *looping, each("pods", ended)).stated_cause == ""
    snapshot = run(edited(recorded.source("05"), *looping, each("pods", ended)))
    assert [one.rule.id for one in snapshot.roots if one.finding.severity > Severity.INFO] == ["AGT001"]


@pytest.mark.parametrize(
    ("came", "severity"), [("2026-11-23T01:38:00Z", Severity.INFO), ("2026-11-23T01:33:00Z", Severity.WARN)]
)
def test_relay_in_back_off_may_wait_for_kubelet_after_its_agent_came_back(
    came: str, severity: Severity
) -> None:
    def agent(item: Json) -> Json:
        if item["metadata"].get("labels", {}).get("k8s-app") == "cilium":
            for condition in item["status"]["conditions"]:
                if condition["type"] == "Ready":
                    condition["lastTransitionTime"] = came
        return item

    looping = relay("2026-11-23T01:30:00Z", waiting="CrashLoopBackOff", message="back-off 5m0s restarting")
    assert only("AGT072", *looping, each("pods", agent)).severity is severity


def test_relay_that_tells_why_it_loops_is_believed() -> None:
    def ended(item: Json) -> Json:
        if item["metadata"].get("labels", {}).get("k8s-app") == "hubble-relay":
            end = {"reason": "OOMKilled", "exitCode": 137}
            item["status"]["containerStatuses"][0]["lastState"] = {"terminated": end}
        return item

    looping = relay("2026-11-23T01:30:00Z", waiting="CrashLoopBackOff", message="back-off 5m0s restarting")
    assert only("AGT072", *looping, each("pods", ended)).stated_cause == "CrashLoopBackOff: OOMKilled"


def test_relay_may_be_unready_for_seconds() -> None:
    assert found("AGT072", *relay("2026-11-23T01:40:30Z")) == []
    assert "scaled to zero" in only("AGT072", *relay("2026-11-23T01:30:00Z", replicas=0)).summary.shown
    assert only("AGT072", *relay("2026-11-23T01:30:00Z", ready=1, replicas=2)).severity is Severity.INFO


def test_without_relay_the_question_does_not_arise() -> None:
    without = each("deployments", lambda item: None if item["metadata"]["name"] == "hubble-relay" else item)
    assert outcome("AGT072", without).kind is OutcomeKind.NOT_APPLICABLE


ENVOY = {
    "metadata": {"name": "cilium-envoy", "namespace": "kube-system"},
    "spec": {"template": {"metadata": {"labels": {"k8s-app": "cilium-envoy"}}}},
}


def envoy_pod(ready: str, since: str) -> Json:
    return {
        "metadata": {
            "name": "cilium-envoy-x",
            "namespace": "kube-system",
            "labels": {"k8s-app": "cilium-envoy"},
        },
        "spec": {"nodeName": "lab-node-1"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": since}],
            "containerStatuses": [{"name": "cilium-envoy", "ready": False, "restartCount": 4}],
        },
    }


def test_envoy_is_not_ready_on_a_node() -> None:
    pod = envoy_pod("False", "2026-11-23T01:00:00Z")
    one = only("AGT073", added("daemonsets", ENVOY), added("pods", pod))
    assert one.subjects == (Ref("Pod", "cilium-envoy-x", "kube-system", "lab-node-1"),)
    assert one.asserts == (Condition(ConditionKind.ENVOY_DOWN, "lab-node-1"),)


@pytest.mark.parametrize(
    "pod", [envoy_pod("True", "2026-11-23T01:00:00Z"), envoy_pod("False", "2026-11-23T01:40:00Z")]
)
def test_envoy_that_is_ready_or_just_started_is_no_fault(pod: Json) -> None:
    assert found("AGT073", added("daemonsets", ENVOY), added("pods", pod)) == []


def test_without_envoy_the_question_does_not_arise() -> None:
    assert outcome("AGT073").kind is OutcomeKind.NOT_APPLICABLE

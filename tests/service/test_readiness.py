"""Services whose pods are not ready, not there, or have no port of the name."""

from __future__ import annotations

from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, excerpts, found, only, outcome
from tests.edited import Edit, added, each, gap, of
from tests.service.telling import flow, seen, service, stamp, unready


def named(target: str) -> tuple[Edit, Edit]:
    """Cart's port by name, and slices as Kubernetes writes them for it."""
    ports = [{"name": "p80", "port": 80, "protocol": "TCP", "targetPort": target}]

    def slices(document: Json) -> Json:
        if document["metadata"]["labels"].get("kubernetes.io/service-name") == "cart":
            document["ports"] = [{"name": "p80", "port": 8080, "protocol": "TCP"}] if target == "http" else []
        return document

    def pods(document: Json) -> Json:
        if document["metadata"].get("labels", {}).get("app") == "cart":
            document["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
        return document

    both = (each("endpointslices", slices), each("pods", pods))
    return service("cart", ports=ports), lambda r, n, told: both[1](r, n, both[0](r, n, told))


def test_a_name_that_no_container_has_is_told_with_the_one_that_was_meant() -> None:
    one = only("SVC003", *named("htttp"))
    assert str(one.subject) == "Service shop/cart"
    assert one.severity is Severity.ERROR
    assert "named htttp" in one.summary.raw
    assert '"value":"http"' in (one.fixes[0].steps[0].command or one.summary).raw


def test_a_name_that_containers_have_is_right() -> None:
    assert found("SVC003", *named("http")) == []


def test_without_slices_nothing_is_said_of_names() -> None:
    assert outcome("SVC003", *named("htttp"), gap(of("endpointslices"))).kind is OutcomeKind.COULD_NOT_LOOK


def test_healthy_services_name_no_lost_port() -> None:
    assert found("SVC003") == []


def test_a_service_without_a_ready_pod_is_told_with_the_reason() -> None:
    one = only("SVC004", *unready("cart", 600))
    assert str(one.subject) == "Service shop/cart"
    assert one.severity is Severity.ERROR
    assert "none of its 2 pods is ready" in one.summary.raw
    assert one.first_seen is not None


def test_a_failing_probe_is_the_reason_where_an_event_tells_of_it() -> None:
    def event(pod: Json) -> Json:
        return {
            "metadata": {"name": "x", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod["name"]},
            "type": "Warning",
            "reason": "Unhealthy",
            "message": "Readiness probe failed: HTTP probe failed with statuscode: 500",
            "count": 9,
            "lastTimestamp": stamp(5),
        }

    names = [str(proof.excerpt) for proof in only("SVC004", *unready("redis", 600)).evidence]
    pod = names[0].partition("Pod shop/")[2].partition(" ")[0].rstrip(":")
    one = only("SVC004", *unready("redis", 600), added("events", event({"name": pod})))
    assert "its readiness probe fails" in one.summary.raw
    assert "statuscode: 500" in excerpts(one)


def test_cilium_s_own_components_are_told_of_themselves() -> None:
    def own(document: Json) -> Json:
        if document["metadata"].get("labels", {}).get("app") == "cart":
            document["metadata"]["labels"]["app.kubernetes.io/part-of"] = "cilium"
        return document

    one = only("SVC004", *unready("cart", 600), each("pods", own))
    assert one.severity is Severity.INFO


def test_pods_that_only_start_are_given_time() -> None:
    assert found("SVC004", *unready("cart", 30)) == []


def test_ready_pods_are_backends() -> None:
    assert found("SVC004") == []


def test_publishing_pods_before_they_are_ready_is_a_choice() -> None:
    edits = (*unready("cart", 600), service("cart", publishNotReadyAddresses=True))
    assert found("SVC004", *edits) == []


def asleep(replicas: int) -> Edit:
    """A Deployment for the service that has no pod."""
    labels = {"app": "does-not-exist"}
    template = {"metadata": {"labels": labels}, "spec": {}}
    meta = {"name": "sleeper", "namespace": "shop"}
    return added("deployments", {"metadata": meta, "spec": {"replicas": replicas, "template": template}})


def cluster_ip() -> str:
    return "10.96.152.115"


def test_a_workload_that_sleeps_is_worth_knowing() -> None:
    one = only("SVC005", asleep(0))
    assert [str(ref) for ref in one.subjects] == ["Deployment shop/sleeper", "Service shop/noback"]
    assert one.severity is Severity.INFO


def test_it_is_a_fault_where_somebody_calls_the_service() -> None:
    called = seen(flow(158, "10.244.0.9", cluster_ip(), 80, pod="shop/caller-1"))
    one = only("SVC005", asleep(0), called)
    assert one.severity is Severity.WARN
    assert "shop/caller-1" in one.impact.raw


def test_a_workload_that_is_asked_to_run_does_not_sleep() -> None:
    assert found("SVC005", asleep(1)) == []
    assert found("SVC005") == []


def test_a_service_for_nobody_is_told_and_no_fault_in_itself() -> None:
    one = only("SVC006")
    assert str(one.subject) == "Service shop/noback"
    assert one.severity is Severity.INFO


def test_a_service_for_nobody_that_is_called_hurts() -> None:
    one = only("SVC006", seen(flow(158, "10.244.0.9", cluster_ip(), 80, pod="shop/caller-1")))
    assert one.severity is Severity.WARN


def test_a_sleeping_workload_and_a_wrong_letter_are_told_elsewhere() -> None:
    assert found("SVC006", asleep(0)) == []
    assert all("checkout" not in str(one.subject) for one in found("SVC006", cluster="02-service"))


def test_without_pods_nothing_is_said_of_labels() -> None:
    assert outcome("SVC006", gap(of("pods"))).kind is OutcomeKind.COULD_NOT_LOOK

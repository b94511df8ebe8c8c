"""Controllers that keep failing, modules that are degraded, redirects to nobody."""

from __future__ import annotations

import json

import pytest

from playbooks.model.finding import Ref, Severity
from tests.agent.judged import MODULES, Json, changed, excerpts, found, only, run, status
from tests.agent.judged import STATUS as STATUS_JSON
from tests.edited import Edit, added, answered, body, command, edited, gap, in_look
from tests.recorded import source

CART = Ref("Endpoint", "cart-9c97f5f45-xtldl", "shop", "lab-node-1")
AGENT = Ref("Pod", "cilium-zhqmw", "kube-system", "lab-node-1")


def controller(name: str, failures: int, message: str, **counts: object) -> Edit:
    """Add a controller to the agent's status."""
    one = {
        "name": name,
        "configuration": {"error-retry": True, "interval": "10s"},
        "status": {
            "consecutive-failure-count": failures,
            "failure-count": failures,
            "last-failure-msg": message,
            "last-failure-timestamp": "2026-11-23T01:40:40.000Z",
            "last-success-timestamp": "0001-01-01T00:00:00.000Z",
            **counts,
        },
    }
    return changed(STATUS_JSON, lambda document: document["controllers"].append(one))


def row(module: str, component: str, error: str, count: int) -> Edit:
    """Add a degraded row to the table health."""
    made = {
        "ID": {"Module": module.split("."), "Component": [component]},
        "Level": "Degraded",
        "Message": "Reconciling failed",
        "Error": error,
        "Updated": "2026-11-23T01:40:40Z",
        "Count": count,
    }
    return body(MODULES, lambda bytes_: bytes_ + json.dumps(made).encode())


@pytest.mark.parametrize("looks", [1, 2])
def test_the_recorded_endpoint_that_cannot_be_compiled(looks: int) -> None:
    one = only("AGT054", cluster="06", looks=looks)
    assert one.subjects == (CART,)
    assert one.severity is Severity.ERROR
    assert one.stated_cause == "failed to compile template program: exit status 1"
    assert "endpoint-51-regeneration-recovery failed 5 times in a row" in excerpts(one)
    assert "failed to compile template program" in excerpts(one)
    assert found("AGT055", cluster="06", looks=looks) == []


def test_the_endpoints_pod_is_known_from_kubernetes_too() -> None:
    assert only("AGT054", gap(MODULES), cluster="06").subjects == (CART,)
    nobody = only("AGT054", gap(MODULES), gap(lambda r: "ciliumendpoints" in r.command()), cluster="06")
    assert nobody.subjects == (Ref("Endpoint", "51", "", "lab-node-1"),)


def test_once_it_succeeded_the_old_failures_do_not_count() -> None:
    # 08 is the same agent a minute later: eight failures, then a success.
    assert found("AGT054", cluster="08") == []


def test_the_recorded_controller_without_its_failures_is_silent() -> None:
    def mend(document: Json) -> None:
        for one in document["controllers"]:
            one["status"].pop("consecutive-failure-count", None)

    assert found("AGT054", changed(STATUS_JSON, mend), cluster="06") == []


@pytest.mark.parametrize("failures", [1, 2, 5])
def test_a_few_failures_are_normal(failures: int) -> None:
    assert found("AGT054", controller("sync-to-k8s-ciliumendpoint (51)", failures, "timeout")) == []


def test_a_controller_of_the_agent_itself() -> None:
    one = only("AGT054", controller("cilium-health-ep", 12, "context deadline exceeded"))
    assert one.subjects == (AGENT,)
    assert one.severity is Severity.WARN


def test_two_controllers_of_one_endpoint_are_one_finding() -> None:
    edits = (controller("sync-policymap-51", 9, "x"), controller("sync-to-k8s-ciliumendpoint (51)", 8, "y"))
    one = only("AGT054", *edits)
    assert one.subjects == (CART,)
    assert "sync-policymap-51" in excerpts(one)
    assert "sync-to-k8s-ciliumendpoint (51)" in excerpts(one)


def test_the_same_failure_of_many_endpoints_is_one_finding() -> None:
    edits = [controller(f"sync-policymap-{id_}", 9, f"map {id_} is full") for id_ in (51, 410, 811)]
    one = only("AGT054", *edits)
    assert [subject.kind for subject in one.subjects] == ["Endpoint"] * 3


def test_a_pod_in_the_controllers_name_is_the_subject() -> None:
    one = only("AGT054", controller("resolve-labels-shop/cart-9c97f5f45-jj7v6", 9, "no identity"))
    assert one.subjects == (Ref("Endpoint", "cart-9c97f5f45-jj7v6", "shop", "lab-node-1"),)


def test_what_upstream_tolerates_is_only_noted() -> None:
    said = (
        "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest"
    )
    assert only("AGT054", controller("sync-node-with-ciliumnode (n)", 30, said)).severity is Severity.INFO


def test_the_cni_file_has_a_fault_of_its_own() -> None:
    edit = controller("write-cni-file", 20, "read-only file system")
    assert found("AGT054", edit) == []
    assert only("AGT058", edit).stated_cause == "read-only file system"


def test_a_controller_that_fails_over_etcd_nests_below_it() -> None:
    edits = (
        controller("kvstore-locks-gc", 9, "etcd client timeout exceeded"),
        status(kvstore={"state": "Failure", "msg": "Err: quorum check failed 8 times in a row: 4m"}),
    )
    roots = run(edited(source("healthy"), *edits), "AGT052", "AGT054").roots
    assert [one.rule.id for one in roots] == ["AGT052"]
    assert [one.rule.id for one in roots[0].symptoms] == ["AGT054"]
    other = (controller("dns-garbage-collector-job", 9, "disk full"), edits[1])
    roots = run(edited(source("healthy"), *other), "AGT052", "AGT054").roots
    assert {one.rule.id for one in roots} == {"AGT052", "AGT054"}


def test_a_missing_envoy_is_no_fault() -> None:
    assert found("AGT055") == []


def test_a_missing_answer_of_an_envoy_that_is_installed_is_noted() -> None:
    envoy = {
        "metadata": {"name": "cilium-envoy", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {"labels": {"k8s-app": "cilium-envoy"}}}},
    }
    one = only("AGT055", added("daemonsets", envoy))
    assert one.severity is Severity.INFO
    assert "admin.sock" in excerpts(one)


def test_the_same_error_again_and_again_is_a_fault() -> None:
    one = only("AGT055", row("agent.datapath.sysctl", "job-reconcile", "permission denied", 9))
    assert one.severity is Severity.WARN
    assert one.subjects == (AGENT,)
    assert one.stated_cause == "permission denied"


def test_one_error_is_only_noted() -> None:
    assert only("AGT055", row("agent.datapath.sysctl", "job-reconcile", "x", 1)).severity is Severity.INFO


def test_a_degraded_endpoint_is_named_by_its_pod() -> None:
    component = "cilium-endpoint-51 (shop/cart-9c97f5f45-xtldl)"
    one = only("AGT055", row("agent.controlplane.endpoint-manager", component, "x", 5))
    assert one.subjects == (CART,)


def test_without_the_status_a_module_is_only_noted() -> None:
    edits = (row("agent.datapath.sysctl", "job-reconcile", "x", 9), gap(command("cilium-dbg", "status")))
    assert only("AGT055", *edits).severity is Severity.INFO


@pytest.mark.parametrize("edit", [gap(MODULES), answered(MODULES, b""), answered(MODULES, b'{"ID": {')])
def test_without_the_table_nobody_claims_anything(edit: Edit) -> None:
    assert found("AGT055", edit) == []


def deaf(document: Json) -> None:
    for redirect in document["proxy"]["redirects"]:
        if redirect["name"] == "31:egress:UDP:53:":
            redirect["proxy-port"] = 0


def test_a_redirect_to_nobody_in_both_looks() -> None:
    one = only("AGT057", changed(STATUS_JSON, deaf))
    assert one.severity is Severity.WARN
    assert one.subject.kind == "Endpoint"
    assert one.subject.name.startswith("intruder-")
    assert found("AGT057", in_look(1, changed(STATUS_JSON, deaf))) == []
    assert found("AGT057", in_look(2, changed(STATUS_JSON, deaf))) == []
    assert found("AGT057") == []

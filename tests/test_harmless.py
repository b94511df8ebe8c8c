"""What sound clusters look like and print, of all kinds and versions: nothing above INFO comes of it."""

from __future__ import annotations

import json
from functools import cache

import pytest

from playbooks.model.finding import Severity
from tests import recorded
from tests.agent.judged import Json, config, found, only, practice, run, status
from tests.edited import Edit, added, body, each, edited, gap
from tests.policy.built import DROPS
from tests.service.telling import RESETS

OLD = "2026-11-20T00:00:00Z"
NODE = "lab-node-1"


def loud(*edits: Edit) -> frozenset[str]:
    """What is above INFO on the healthy cluster with these edits, and is not without them."""
    return _told(edits) - _before()


@cache
def _before() -> frozenset[str]:
    return _told(())


def _told(edits: tuple[Edit, ...]) -> frozenset[str]:
    snapshot = run(edited(recorded.source("healthy"), *edits))
    assert [o.traceback for o in snapshot.outcomes.values() if o.traceback] == []
    every = (one for one in snapshot.every() if one.finding.severity > Severity.INFO)
    return frozenset(f"{one.rule.id} {one.finding.summary.shown}" for one in every)


def pod(name: str, labels: Json, *, node: str = NODE, phase: str = "Running", **spec: object) -> Json:
    """A pod on the network of its node, so that Cilium has nothing to do with it."""
    ready = {"type": "Ready", "status": "True" if phase == "Running" else "False", "lastTransitionTime": OLD}
    meta = {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": OLD, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"nodeName": node, "hostNetwork": True, "containers": [{"name": "c"}], **spec},
        "status": {"phase": phase, "podIP": "192.168.49.2", "startTime": OLD, "conditions": [ready]},
    }


def service(name: str, selector: Json) -> Json:
    meta = {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": OLD}
    ports = [{"port": 80, "targetPort": 80, "protocol": "TCP"}]
    # Headless, so that no agent is expected to know a frontend of it.
    spec = {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"], "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {**spec, "selector": selector}}


def node(name: str, *, labels: Json | None = None, taint: str = "", **ready: str) -> Json:
    told = {"type": "Ready", "status": "True", "lastTransitionTime": OLD, **ready}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": name,
            "creationTimestamp": OLD,
            "labels": {"kubernetes.io/os": "linux", **(labels or {})},
        },
        "spec": {"taints": [{"key": taint, "value": "x", "effect": "NoSchedule"}] if taint else []},
        "status": {"conditions": [told], "nodeInfo": {"operatingSystem": "linux"}},
    }


# Services and pods


def test_a_service_for_each_member_of_a_set_that_was_made_smaller() -> None:
    def labels(number: int) -> Json:
        return {"app": "mongo", "statefulset.kubernetes.io/pod-name": f"mongo-{number}"}

    members = added("pods", *(pod(f"mongo-{number}", labels(number)) for number in range(2)))
    assert (
        loud(members, added("services", *(service(f"mongo-{n}", labels(n)) for n in range(3)))) == frozenset()
    )


def test_a_service_for_a_release_that_is_gone() -> None:
    there = added("pods", pod("web", {"app": "web", "version": "release-2024-01"}))
    gone = added("services", service("web-old", {"app": "web", "version": "release-2023-12"}))
    assert loud(there, gone) == frozenset()


def test_a_service_whose_own_pods_are_not_there_beside_one_with_a_similar_name() -> None:
    there = added("pods", pod("web-internal-1", {"app": "web-internal"}))
    both = [service(name, {"app": name}) for name in ("web-internal", "web-external")]
    assert loud(there, added("services", *both)) == frozenset()
    # Without a service of its own the similar label is a mistake on the pods.
    assert only("SVC001", there, added("services", both[1])).severity is Severity.ERROR


def test_a_service_of_a_workload_that_is_scaled_to_zero_beside_a_similar_label() -> None:
    def scaled(item: Json) -> Json:
        if item["metadata"]["name"] == "cart":
            item["spec"]["replicas"] = 0
            item["spec"]["template"]["metadata"]["labels"]["app"] = "carts"
        return item

    waits = added("services", service("basket", {"app": "carts"}))
    assert found("SVC001", waits, each("deployments", scaled)) == []
    assert len(found("SVC001", waits)) == 1


# Nodes


def pending(node_name: str) -> Json:
    """What the DaemonSet controller makes for a virtual node, where it never starts."""
    one = pod("cilium-virtual", {"k8s-app": "cilium"}, node=node_name, phase="Pending")
    one["metadata"]["namespace"] = "kube-system"
    return one


@pytest.mark.parametrize(
    "virtual",
    [
        node("virtual-node-aci-linux", labels={"type": "virtual-kubelet"}),
        node("eci", taint="virtual-kubelet.io/provider"),
        node("fargate-ip-10-0-0-1", labels={"eks.amazonaws.com/compute-type": "fargate"}),
        node("kwok-0", taint="kwok.x-k8s.io/node"),
    ],
    ids=lambda one: str(one["metadata"]["name"]),
)
def test_an_agent_that_cannot_start_on_a_virtual_node(virtual: Json) -> None:
    name = virtual["metadata"]["name"]
    assert loud(added("nodes", virtual), added("pods", pending(name))) == frozenset()


def test_a_node_that_is_being_shut_down() -> None:
    words = {"status": "False", "reason": "KubeletNotReady", "message": "node is shutting down"}
    assert loud(added("nodes", node("leaving", **words))) == frozenset()
    words["message"] = "container runtime is down"
    assert only("AGT031", added("nodes", node("leaving", **words))).severity is Severity.ERROR


@pytest.mark.parametrize(("since", "is_told"), [("2026-11-23T01:35:00Z", False), (OLD, True)])
def test_a_range_that_was_given_on_before_its_node_is_forgotten(since: str, is_told: bool) -> None:
    def is_old(item: Json) -> Json:
        item["metadata"]["creationTimestamp"] = OLD
        return item

    gone = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": "gone", "uid": "gone", "creationTimestamp": since},
        "spec": {"ipam": {"podCIDRs": ["10.244.0.0/24"]}},
    }
    told = found("END016", each("ciliumnodes", is_old), added("ciliumnodes", gone))
    assert bool(told) is is_told


def test_a_node_between_two_agents_of_a_rollout() -> None:
    status = {"desiredNumberScheduled": 6, "currentNumberScheduled": 5, "updatedNumberScheduled": 1}

    def rolling(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium":
            item["status"].update(status, numberReady=5)
        return item

    left: list[str] = []

    def without_one(item: Json) -> Json | None:
        is_agent = item["metadata"].get("labels", {}).get("k8s-app") == "cilium"
        name = item["metadata"]["name"]
        if is_agent and not left:
            left.append(name)
        return None if name in left else item

    edits = each("pods", without_one), each("daemonsets", rolling)
    assert found("AGT010", *edits, cluster=practice()) == []
    # Without a rollout nobody makes the pod.
    status["updatedNumberScheduled"] = 5
    assert len(found("AGT010", *edits, cluster=practice())) == 1


def test_resets_of_connections_that_were_open_refuse_nobody() -> None:
    def open_ones(told: bytes) -> bytes:
        flows = [json.loads(line) for line in told.splitlines()]
        for flow in flows:
            flow.get("flow", {}).get("l4", {}).get("TCP", {}).get("flags", {}).pop("ACK", None)
        return b"".join(json.dumps(flow).encode() + b"\n" for flow in flows)

    every = found("SVC002", body(RESETS, open_ones), gap(DROPS), cluster="03-service-wrong-targetport")
    assert {one.severity for one in every} == {Severity.INFO}


def test_a_cluster_of_two_families_with_agents_of_one() -> None:
    def dual(item: Json) -> Json:
        spec = item["spec"]
        if spec.get("clusterIP", "None") != "None":
            spec["clusterIPs"] = [spec["clusterIP"], f"fd00:10:96::{len(item['metadata']['name']):x}"]
        return item

    def both(item: Json) -> Json:
        if ips := item["status"].get("podIPs"):
            item["status"]["podIPs"] = [*ips, {"ip": "fd00:10:244::1"}]
        return item

    assert loud(each("services", dual), each("pods", both)) == frozenset()


def test_a_port_of_sctp_where_agents_leave_it_to_others() -> None:
    def port(item: Json) -> Json:
        if item["metadata"]["name"] == "cart":
            item["spec"]["ports"].append({"name": "s", "port": 9999, "protocol": "SCTP", "targetPort": 9})
        return item

    told = loud(each("services", port))
    assert [one for one in told if one.startswith("SVC019")] == []


def test_a_key_value_store_that_misses_a_member_and_has_its_quorum() -> None:
    said = "etcd: 2/3 connected, leases=1, lock leases=0, has-quorum=true: https://a:2379 - 3.5.9 (Leader)"
    assert loud(status(kvstore={"state": "Warning", "msg": said})) == frozenset()


def test_rules_on_names_where_nothing_is_enforced() -> None:
    spec = {
        "endpointSelector": {"matchLabels": {"app": "checkout"}},
        "egress": [{"toFQDNs": [{"matchName": "example.com"}]}],
    }
    meta = {"name": "names", "namespace": "shop", "uid": "names", "creationTimestamp": OLD}
    policy = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": meta, "spec": spec}
    put = added("ciliumnetworkpolicies", policy)
    assert len(found("POL007", put)) == 1
    assert found("POL007", put, config(enable_policy="never")) == []


def test_a_node_that_the_agents_affinity_leaves_out() -> None:
    def choosy(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium":
            match = {"key": "cilium.io/no-schedule", "operator": "NotIn", "values": ["true"]}
            terms = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
            affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
            item["spec"]["template"]["spec"]["affinity"] = affinity
        return item

    bare = node("edge", labels={"cilium.io/no-schedule": "true"})
    assert loud(each("daemonsets", choosy), added("nodes", bare)) == frozenset()

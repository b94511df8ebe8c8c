"""Where Cilium is found, and which nodes should have an agent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation, version_of
from playbooks.model.cilium.lone_agent import LoneAgent, LoneOptions
from playbooks.model.fact import Choice, Fact, Provenance, Scene
from playbooks.model.kube.crds import CiliumKinds
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.request import Request

AT = datetime(2026, 1, 1, tzinfo=UTC)
F = TypeVar("F", bound=Fact)
NOBODY_ALONE: dict[type[Fact], Fact | Gap] = {
    kind: Gap(GapKind.NOT_RECORDED, "pods tell") for kind in (LoneAgent, LoneOptions)
}
NO_KINDS = Gap(GapKind.NOT_FOUND, "the server could not find the requested resource")


def listed(kind: type[F], items: list[dict[str, Any]]) -> F:
    way = kind.ways[0]
    reader = way.reader()
    request = way.ask(Scene({}))
    assert isinstance(request, Request)
    reader.feed(json.dumps({"kind": "List", "items": items}).encode())
    fact = reader.finish(request, End("kubectl get", "api", AT, 0.0))
    assert isinstance(fact, kind)
    return fact


def daemon_set(
    name: str = "cilium",
    namespace: str = "kube-system",
    labels: dict[str, str] | None = None,
    container: str = "cilium-agent",
    image: str = "quay.example/cilium/cilium:v1.18.3",
    command: list[str] | None = None,
    node_selector: dict[str, str] | None = None,
) -> dict[str, Any]:
    labels = labels or {"k8s-app": "cilium"}
    made: dict[str, Any] = {"name": container, "image": image}
    if command:
        made["command"] = command
    spec: dict[str, Any] = {"containers": [made]}
    if node_selector:
        spec["nodeSelector"] = node_selector
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def pod(node: str, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"agent-{node}",
            "namespace": "kube-system",
            "labels": labels or {"k8s-app": "cilium"},
        },
        "spec": {"nodeName": node, "containers": [{"name": "cilium-agent", "image": "c:v1.18.3"}]},
        "status": {"containerStatuses": [{"name": "cilium-agent", "state": {"running": {}}}]},
        **more,
    }


def node(name: str, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {key.replace("__", "/"): value for key, value in labels.items()}}
    }


def found(
    daemon_sets: list[dict[str, Any]],
    pods: list[dict[str, Any]] | None = None,
    choice: Choice | None = None,
    kinds: CiliumKinds | Gap = NO_KINDS,
) -> Installation | Gap:
    known: dict[type[Fact], Fact | Gap] = {
        DaemonSets: listed(DaemonSets, daemon_sets),
        Pods: listed(Pods, pods or []),
        CiliumKinds: kinds,
        **NOBODY_ALONE,
    }
    return Installation.derive(Scene(known, choice=choice or Choice()))


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (daemon_set(), "cilium"),
        (daemon_set(name="anetd", labels={"k8s-app": "anetd"}), "anetd"),
        (daemon_set(name="my-cilium", labels={"app": "net"}, namespace="net"), "my-cilium"),
        (
            daemon_set(name="odd", labels={"a": "b"}, container="main", command=["/usr/bin/cilium-agent"]),
            "odd",
        ),
    ],
)
def test_the_agents_are_found(made: dict[str, Any], name: str) -> None:
    other = daemon_set(name="cilium-envoy", labels={"k8s-app": "cilium-envoy"}, container="cilium-envoy")
    installation = found([other, made])
    assert isinstance(installation, Installation)
    assert installation.workload is not None
    assert (installation.workload.name, installation.version) == (name, "1.18.3")
    assert installation.minor == (1, 18)


def test_a_label_beats_what_a_container_runs() -> None:
    canary = daemon_set(name="canary", labels={"app": "canary"})
    installation = found([canary, daemon_set()])
    assert isinstance(installation, Installation)
    assert installation.workload is not None
    assert installation.workload.name == "cilium"


def test_a_container_named_otherwise_can_be_told() -> None:
    made = [daemon_set(container="agent", labels={"x": "y"})]
    assert isinstance(found(made), Gap)
    told = found(made, choice=Choice(agent_selector="x=y", agent_container="agent"))
    assert isinstance(told, Installation)
    assert (told.container, told.selector) == ("agent", {"x": "y"})


def test_a_wrong_name_is_not_made_good_in_silence() -> None:
    made = [daemon_set(command=["cilium-agent"])]
    gap = found(made, [pod("n1")], choice=Choice(agent_container="nope"))
    assert isinstance(gap, Gap)
    assert "in a container named nope" in gap.detail
    gap = found(made, [pod("n1")], choice=Choice(cilium_namespace="elsewhere", agent_selector="a=b"))
    assert isinstance(gap, Gap)
    assert "in namespace elsewhere with labels a=b:" in gap.detail


def test_kinds_alone_tell_that_cilium_is_or_was_here() -> None:
    provenance = Provenance("kubectl get --raw /apis/cilium.io/v2", "API server", AT)
    gap = found([], kinds=CiliumKinds(provenance=provenance, plurals=frozenset({"ciliumnodes"})))
    assert isinstance(gap, Gap)
    assert gap.detail.startswith("Cilium's CRDs (group cilium.io) are here, but no agent workload is visible")
    gap = found([], kinds=CiliumKinds(provenance=provenance, plurals=frozenset()))
    assert isinstance(gap, Gap)
    assert "Cilium is not installed" in gap.detail


def test_pods_alone_are_enough() -> None:
    installation = found([], [pod("n1")])
    assert isinstance(installation, Installation)
    assert installation.workload is None
    assert installation.namespace == "kube-system"


def test_no_cilium_is_a_gap_that_says_what_to_do() -> None:
    gap = found([daemon_set(name="flannel", labels={"app": "flannel"}, container="flannel")])
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_FOUND
    assert "--agent-selector" in gap.remedy


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("quay.example/cilium/cilium:v1.20.2", "1.20.2"),
        ("quay.example:5000/cilium/cilium:v1.16.0-rc.1@sha256:00", "1.16.0-rc.1"),
        ("quay.example:5000/cilium/cilium", ""),
        ("cilium@sha256:1234567812345678", ""),
        ("cilium:latest", ""),
        ("registry/anetd:1.14.4-gke.21", "1.14.4-gke.21"),
    ],
)
def test_the_version_in_an_image(image: str, version: str) -> None:
    assert version_of(image) == version


def agents(pods: list[dict[str, Any]], nodes: list[dict[str, Any]] | Gap, made: dict[str, Any]) -> Agents:
    known: dict[type[Fact], Fact | Gap] = {
        DaemonSets: listed(DaemonSets, [made]),
        Pods: listed(Pods, pods),
        Nodes: nodes if isinstance(nodes, Gap) else listed(Nodes, nodes),
        **NOBODY_ALONE,
    }
    known[Installation] = Installation.derive(Scene({**known, CiliumKinds: NO_KINDS}))
    fact = Agents.derive(Scene(known))
    assert isinstance(fact, Agents)
    return fact


def test_nodes_where_no_agent_belongs_are_none_by_design() -> None:
    nodes = [
        node("linux-1", kubernetes__io="x", **{"kubernetes.io__os": "linux"}),
        node("linux-2", **{"kubernetes.io__os": "linux"}),
        node("win", **{"kubernetes.io__os": "windows"}),
        node("virtual", type="virtual-kubelet"),
        node("fargate", **{"eks.amazonaws.com__compute-type": "fargate"}),
    ]
    fact = agents([pod("linux-1")], nodes, daemon_set())
    assert [lacking.name for lacking in fact.lacking] == ["linux-2"]
    assert set(fact.by_design) == {"win", "virtual", "fargate"}
    missing = fact.on("win")
    assert isinstance(missing, Gap)
    assert missing.kind is GapKind.NO_AGENT_BY_DESIGN


def test_a_node_selector_leaves_nodes_out() -> None:
    nodes = [node("a", pool="x"), node("b", pool="y")]
    fact = agents([pod("a")], nodes, daemon_set(node_selector={"pool": "x"}))
    assert fact.lacking == ()
    assert fact.by_design == ("b",)


def test_without_the_list_of_nodes_nothing_is_lacking_for_sure() -> None:
    fact = agents([pod("a")], Gap(GapKind.FORBIDDEN, "no"), daemon_set())
    assert not fact.nodes_known
    assert fact.nodes == ("a",)


def test_the_pod_that_stays_is_the_agent_while_another_goes() -> None:
    going = pod("a")
    going["metadata"] = {**going["metadata"], "name": "old", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    for order in ([going, pod("a")], [pod("a"), going]):
        fact = agents(order, [node("a")], daemon_set())
        assert fact.by_node["a"].pod.metadata.name == "agent-a"


def test_no_command_is_sent_to_a_container_that_does_not_run() -> None:
    waiting = pod(
        "a",
        status={
            "containerStatuses": [
                {"name": "cilium-agent", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
            ]
        },
    )
    gap = agents([waiting], [node("a")], daemon_set()).on("a")
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_RUNNING
    assert "CrashLoopBackOff" in gap.detail

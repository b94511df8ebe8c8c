"""The recorded clusters open, answer everything that they were asked, and hold nothing secret."""

from __future__ import annotations

import json
import re
import zlib

import pytest

from playbooks.model.answer import Answer, Gap, GapKind, answer
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request, Resource
from tests.recorded import CLUSTERS, Subject, clusters, source, symptoms, truth

PODS = Objects(Resource("", "v1", "pods", "Pod"))
DAEMON_SETS = Objects(Resource("apps", "v1", "daemonsets", "DaemonSet"))
WARNINGS = Objects(Resource("", "v1", "events", "Event"), fields="type=Warning")
LEASE = Resource("coordination.k8s.io", "v1", "leases", "Lease")
OPERATOR_LEASE = Objects(LEASE, namespace="kube-system", name="cilium-operator-resource-lock")
CONFIG = Objects(Resource("", "v1", "configmaps", "ConfigMap"), namespace="kube-system", name="cilium-config")
CRDS = Objects(
    Resource(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        is_namespaced=False,
    )
)
SECRET = re.compile(
    rb"BEGIN [A-Z ]*PRIVATE KEY|BEGIN CERTIFICATE|eyJhbGciOi|(?i:authorization: *(?:bearer|basic))"
)
LIMIT = 25 * 1024 * 1024


async def body(name: str, request: Request, look: int = 1) -> bytes:
    told = await answer(source(name), request, look)
    assert isinstance(told, Answer), told
    return told.body


def test_there_are_eleven_and_they_stay_small() -> None:
    assert len(clusters()) == 11
    assert sum(path.stat().st_size for path in CLUSTERS.rglob("*") if path.is_file()) < LIMIT


@pytest.mark.parametrize("name", clusters())
async def test_every_cluster_answers_what_it_was_asked(name: str) -> None:
    replay = source(name)
    assert (replay.looks, replay.problems, len(replay.runs)) == (2, (), 1)
    for look, request in replay.asked:
        told = await answer(replay, request, look)
        if isinstance(told, Gap):
            kinds = (GapKind.NOT_RUNNING, GapKind.NOT_FOUND, GapKind.NOT_IN_THIS_VERSION)
            assert told.kind in kinds, told
        else:
            assert told.end.taken_at <= replay.now
            if isinstance(request, Objects):
                assert isinstance(json.loads(told.body), dict)


@pytest.mark.parametrize("name", clusters())
def test_nothing_secret_is_in_it(name: str) -> None:
    rest = (CLUSTERS / name / "journal/bodies.bin").read_bytes()
    assert rest
    while rest:
        stream = zlib.decompressobj()
        text, rest = stream.decompress(rest), stream.unused_data
        assert not SECRET.search(text)
        for name_and_value in re.findall(rb'last-applied-configuration":"([^"]*)', text):
            assert name_and_value == b"<redacted>"


@pytest.mark.parametrize("name", clusters())
async def test_no_value_of_an_environment_variable_is_in_it(name: str) -> None:
    for request in (PODS, DAEMON_SETS):
        values = re.findall(rb'"name":"[A-Z_0-9]+","value":"([^"]*)"', await body(name, request))
        assert values
        assert set(values) == {b"<redacted>"}


@pytest.mark.parametrize("name", clusters())
def test_every_cluster_says_what_is_wrong_in_it(name: str) -> None:
    told = truth(name)
    assert told.case.startswith("LAB-")
    assert bool(told.roots) == (name != "healthy")
    assert all(statement.subject.kind and statement.what for statement in (*told.roots, *told.allowed))
    assert all(re.fullmatch(r"[A-Z]{3}\d{3}", symptom.fault) for symptom in symptoms(name))


async def test_lists_look_as_the_api_server_gives_them() -> None:
    page = json.loads(await body("healthy", PODS))
    assert (page["kind"], page["apiVersion"]) == ("PodList", "v1")
    assert not any("kind" in item for item in page["items"])
    endpoints = Resource("cilium.io", "v2", "ciliumendpoints", "CiliumEndpoint")
    assert all(
        item["kind"] == "CiliumEndpoint"
        for item in json.loads(await body("healthy", Objects(endpoints)))["items"]
    )
    assert (await body("healthy", PODS)).count(b"\n") == 1


async def test_what_was_derived_is_there_and_says_so() -> None:
    told = await answer(source("11"), DAEMON_SETS, 1)
    assert isinstance(told, Answer)
    assert [item["metadata"]["name"] for item in json.loads(told.body)["items"]] == ["cilium"]
    assert "no pod elsewhere belongs to one" in told.end.where
    assert told.end.command == "kubectl get deployments,daemonsets -n kube-system -o json"
    assert {item["type"] for item in json.loads(await body("05", WARNINGS))["items"]} == {"Warning"}
    assert json.loads(await body("healthy", OPERATOR_LEASE))["spec"]["holderIdentity"]


async def test_the_faults_are_in_the_recordings() -> None:
    assert json.loads(await body("05", CONFIG))["data"]["tunnel-protocol"] == "vxlann"
    log = ContainerLog("kube-system", "cilium-cpgc6", "cilium-agent", is_previous=True)
    assert b"vxlann" in await body("05", log)
    deployments = Objects(Resource("apps", "v1", "deployments", "Deployment"))
    items = json.loads(await body("11", deployments))["items"]
    assert [item["spec"]["replicas"] for item in items if item["metadata"]["name"] == "cilium-operator"] == [
        0
    ]


async def test_commands_in_a_container_that_does_not_run_are_gaps() -> None:
    status = AgentCommand(
        "lab-node-1", "kube-system", "cilium-cpgc6", "cilium-agent", ("cilium-dbg", "status")
    )
    gap = await answer(source("05"), status, 1)
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_RUNNING
    assert gap.node == "lab-node-1"


async def test_a_log_is_marked_as_cut_where_lines_are_missing() -> None:
    cluster = source("05")
    previous = ContainerLog("kube-system", "cilium-cpgc6", "cilium-agent", is_previous=True)
    config = ContainerLog("kube-system", "cilium-cpgc6", "config")
    client = next(
        request
        for look, request in cluster.asked
        if isinstance(request, ContainerLog) and request.container == "cart-client"
    )
    marks = []
    for request in (previous, config, client):
        told = await answer(cluster, request, 1)
        assert isinstance(told, Answer)
        marks.append((told.body.count(b"\n"), told.end.is_truncated))
    assert marks[0][1] == (marks[0][0] >= 200)
    assert marks[1][1] is False
    assert marks[2] == (60, True)


async def test_what_could_not_be_converted_faithfully_is_not_recorded() -> None:
    for request in (CRDS, ApiPath("/apis/cilium.io/v2")):
        gap = await answer(source("healthy"), request, 1)
        assert isinstance(gap, Gap)
        assert gap.kind is GapKind.NOT_RECORDED


def test_a_cluster_is_named_by_any_unique_beginning() -> None:
    assert truth("16").case == "LAB-17"
    with pytest.raises(LookupError):
        truth("1")


def test_a_subject_covers_pods_of_its_workload_and_nothing_else() -> None:
    subject = Subject("Pod", "kube-system", "cilium")
    assert subject.covers("Pod", "kube-system", "cilium-cpgc6")
    assert subject.covers("Pod", "kube-system", "cilium")
    assert not subject.covers("Pod", "kube-system", "ciliumx")
    assert not subject.covers("Pod", "default", "cilium-cpgc6")
    assert Subject("CiliumNode", None, "a").covers("CiliumNode", "", "a")

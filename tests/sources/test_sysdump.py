"""A sysdump answers what a live cluster answers, from its own files; what it lacks it says it lacks."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import End, Gap, GapKind, Source, answer
from playbooks.model.finding import Severity
from playbooks.model.kube import resources
from playbooks.model.request import ApiPath, ContainerLog, Objects, Resource
from playbooks.sources.scrubber import Scrubber
from playbooks.sources.sysdump import SysdumpSource
from tests.recorded import is_true
from tests.sources.archives import (
    BUGTOOL,
    HEALTHY,
    NODE,
    OPERATOR_DOWN,
    POD,
    PODS,
    answered,
    command,
    contents,
    missed,
    packed,
    sysdump,
    tarred,
    unzipped,
    zipped,
)

SECRETS = Resource("", "v1", "secrets", "Secret")
OPERATOR = "cilium-operator-5f5f45d967-z4l7c"
PREVIOUS = ContainerLog("kube-system", POD, "cilium-agent", is_previous=True)
APPLIED = b"""      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"v1","kind":"Pod"}
"""
STATUS = command("cilium-dbg", "status", "--verbose")


async def items(source: Source, request: Objects) -> list[dict[str, Any]]:
    lines = (await answered(source, request)).body.splitlines()
    return [item for line in lines for item in json.loads(line)["items"]]


async def names(source: Source, request: Objects) -> list[str]:
    return [item["metadata"]["name"] for item in await items(source, request)]


async def checked(source: Source) -> Snapshot:
    return await Run(Scrubber(source), Order(catalogue().rules)).start()


async def test_it_knows_which_cluster_it_is_of_and_when() -> None:
    source = SysdumpSource(HEALTHY)
    assert (source.name, source.looks, source.problems) == ("lab", 1, ())
    assert source.now == datetime(2026, 11, 23, 1, 42, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("resource", "count"),
    [
        (resources.PODS, 16),
        (resources.NODES, 1),
        (resources.NAMESPACES, 7),
        (resources.EVENTS, 9),
        (resources.SERVICES, 12),
        (resources.ENDPOINT_SLICES, 12),
        (resources.NETWORK_POLICIES, 2),
        (resources.LEASES, 5),
        (resources.CILIUM_NODES, 1),
        (resources.CILIUM_ENDPOINTS, 14),
        (resources.CILIUM_NETWORK_POLICIES, 6),
        (resources.CILIUM_CLUSTERWIDE_NETWORK_POLICIES, 1),
        (resources.CILIUM_IDENTITIES, 12),
        (resources.POD_IP_POOLS, 0),
    ],
    ids=lambda value: getattr(value, "plural", ""),
)
async def test_it_lists_what_the_collector_collected(resource: Resource, count: int) -> None:
    got = await answered(SysdumpSource(HEALTHY), Objects(resource))
    pages = [json.loads(line) for line in got.body.splitlines()]
    assert {page["kind"] for page in pages} == {f"{resource.kind}List"}
    assert sum(len(page["items"]) for page in pages) == count
    assert got.end.where.startswith("sysdump.zip: cilium-sysdump/")
    assert not got.end.is_truncated
    assert got.end.command == Objects(resource).command()


async def test_kinds_of_which_only_ciliums_own_are_collected_are_marked_as_incomplete() -> None:
    got = await answered(SysdumpSource(HEALTHY), Objects(resources.DEPLOYMENTS))
    found = [item["metadata"]["name"] for line in got.body.splitlines() for item in json.loads(line)["items"]]
    assert found == ["cilium-operator", "hubble-relay"]
    assert got.end.is_truncated
    assert got.end.where.count(".yaml") == 2


async def test_objects_are_what_the_yaml_says_and_times_stay_text() -> None:
    got = await items(SysdumpSource(HEALTHY), Objects(resources.PODS))
    text = contents(HEALTHY)["cilium-sysdump/k8s-pods-20261123-014229.yaml"]
    meant = json.loads(json.dumps(yaml.load(text, yaml.CSafeLoader)["items"]))
    assert isinstance(got[0]["metadata"]["creationTimestamp"], str)
    for item in (*got, *meant):
        for entry in item["metadata"].get("managedFields", ()):
            entry.pop("fieldsV1", None)
    assert got == meant


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (Objects(resources.PODS, labels="k8s-app=cilium"), [POD]),
        (
            Objects(resources.PODS, namespace="kube-system", labels="io.cilium/app in (operator, x)"),
            ["cilium-operator-5f5f45d967-z4l7c"],
        ),
        (Objects(resources.PODS, "kube-system", labels="!k8s-app,io.cilium/app!=operator"), []),
        (Objects(resources.PODS, fields="metadata.name=" + POD), [POD]),
        (Objects(resources.PODS, namespace="nowhere"), []),
        (Objects(resources.EVENTS, fields="type=Warning"), []),
        (Objects(resources.NODES, fields="metadata.name!=" + NODE), []),
        (Objects(resources.NODES, fields="spec.unschedulable!=true"), [NODE]),
    ],
)
async def test_it_selects_as_an_api_server_does(request_: Objects, found: list[str]) -> None:
    assert await names(SysdumpSource(HEALTHY), request_) == found


async def test_one_object_comes_alone_with_its_type() -> None:
    source = SysdumpSource(HEALTHY)
    pod = json.loads((await answered(source, Objects(resources.PODS, "kube-system", POD))).body)
    assert (pod["kind"], pod["apiVersion"], pod["metadata"]["name"]) == ("Pod", "v1", POD)
    config = await answered(source, Objects(resources.CONFIG_MAPS, "kube-system", "cilium-config"))
    assert json.loads(config.body)["data"]["cluster-name"] == "lab"


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        (Objects(resources.PODS, "kube-system", "nobody"), GapKind.NOT_FOUND, "no Pod kube-system/nobody"),
        (
            Objects(resources.CONFIG_MAPS, "kube-system", "x"),
            GapKind.NOT_RECORDED,
            "looked in cilium-configmap-*",
        ),
        (Objects(resources.CIDR_GROUPS), GapKind.NOT_RECORDED, "with 0 bytes"),
        (Objects(resources.L2_POLICIES), GapKind.NOT_RECORDED, "no ciliuml2announcementpolicies-*.yaml"),
        (
            Objects(resources.CILIUM_ENDPOINT_SLICES),
            GapKind.NOT_FOUND,
            "could not find the requested",
        ),
        (Objects(resources.CRDS), GapKind.NOT_RECORDED, "does not collect"),
        (Objects(SECRETS), GapKind.NOT_RECORDED, "Secrets"),
        (Objects(resources.PODS, labels="a=(b"), GapKind.FAILED, "no label selector"),
        (ApiPath("/apis"), GapKind.NOT_RECORDED, "/apis"),
        (
            ContainerLog("kube-system", POD, "cilium-agent", is_previous=True),
            GapKind.NOT_RECORDED,
            "cilium-agent-*-prev.log",
        ),
        (command("cilium-dbg", "fqdn", "names"), GapKind.NOT_RECORDED, "cilium-dbg-fqdn-names.md"),
        (
            command("cilium-dbg", "status", pod="cilium-other"),
            GapKind.NOT_RECORDED,
            "cilium-bugtool-cilium-other-*",
        ),
    ],
)
async def test_what_it_lacks_is_a_gap_that_says_what_was_looked_for(
    request_: Objects, kind: GapKind, words: str
) -> None:
    gap = await missed(SysdumpSource(HEALTHY), request_)
    assert gap.kind is kind, gap
    assert words in gap.detail
    assert gap.command == request_.command()


async def test_the_version_is_what_the_api_server_would_say() -> None:
    got = json.loads((await answered(SysdumpSource(HEALTHY), ApiPath("/version"))).body)
    assert (got["gitVersion"], got["major"], got["platform"]) == ("v1.34.4", "1", "linux/amd64")


async def test_a_second_look_was_never_taken() -> None:
    source = SysdumpSource(HEALTHY)
    gap = await answer(source, STATUS, 2)
    assert isinstance(gap, Gap)
    assert (gap.kind, gap.detail) == (GapKind.NOT_RECORDED, "one look")
    await source.pause(3600)


async def test_a_healthy_cluster_is_quiet() -> None:
    snapshot = await checked(SysdumpSource(HEALTHY))
    loud = [one for one in snapshot.ranked if one.finding.severity > Severity.INFO]
    assert [one for one in loud if not is_true("healthy", one.rule.id, one.finding)] == []
    assert snapshot.installation
    assert snapshot.installation.version == "1.20.2"
    crashed = [rule for rule, outcome in snapshot.outcomes.items() if outcome.kind.value == "crashed"]
    assert crashed == []


async def test_a_fault_is_found_in_the_archive_as_in_the_cluster() -> None:
    snapshot = await checked(SysdumpSource(OPERATOR_DOWN))
    first = snapshot.ranked[0]
    assert first.rule.id == "AGT020"
    assert "sysdump.zip: cilium-sysdump/cilium-operator-deployment" in first.finding.evidence[0].where


async def test_a_folder_a_tar_and_a_zip_of_the_same_say_the_same(tmp_path: Path) -> None:
    files = contents(HEALTHY)
    (tmp_path / "again.tar").write_bytes(tarred(files))
    (tmp_path / "again.tgz").write_bytes(packed(files))
    paths = [unzipped(HEALTHY, tmp_path / "folder"), tmp_path / "again.tar", tmp_path / "again.tgz"]
    whole = SysdumpSource(HEALTHY)
    log = ContainerLog("kube-system", POD, "cilium-agent", tail=50)
    for path in paths:
        other = SysdumpSource(path)
        assert (other.name, sorted(other.files)) == (whole.name, sorted(whole.files))
        for request in (Objects(resources.PODS), STATUS, log, ApiPath("/version")):
            assert (await answered(other, request)).body == (await answered(whole, request)).body
    assert other.now == whole.now


async def test_the_folder_within_the_unpacked_one_will_do(tmp_path: Path) -> None:
    source = SysdumpSource(unzipped(HEALTHY, tmp_path) / "cilium-sysdump")
    assert len(await names(source, Objects(resources.PODS))) == 16
    assert (await answered(source, STATUS)).body


async def test_an_agents_output_that_was_left_packed_is_read_where_it_is(tmp_path: Path) -> None:
    files = contents(HEALTHY)
    folder = f"cilium-sysdump/cilium-bugtool-{POD}-20261123-014229/"
    inner = {
        f"cilium-bugtool-x/{path[len(folder) :]}": data for path, data in files.items() if folder in path
    }
    outer = {path: data for path, data in files.items() if folder not in path}
    outer[f"{folder.rstrip('/')}.tar.gz"] = packed(inner)
    path = tmp_path / "packed.tar.gz"
    path.write_bytes(packed(outer))
    source, whole = SysdumpSource(path), SysdumpSource(HEALTHY)
    for argv in (
        ("cilium-dbg", "status", "--verbose"),
        ("cilium-dbg", "statedb"),
        ("cilium-dbg", "endpoint", "list"),
    ):
        got = await answered(source, command(*argv))
        assert got.body == (await answered(whole, command(*argv))).body
        assert "tar.gz: cilium-bugtool-x/cmd/" in got.end.where


async def test_the_output_of_bugtool_alone_answers_for_its_agent() -> None:
    source = SysdumpSource(BUGTOOL)
    assert source.name == "lab"
    assert source.now == datetime(2026, 11, 23, 1, 41, 19, tzinfo=UTC)
    got = await answered(source, command("cilium-health", "status", "-o", "json", pod="any"))
    assert json.loads(got.body)["nodes"]
    gap = await missed(source, Objects(resources.PODS))
    assert gap.kind is GapKind.NOT_RECORDED
    assert "no Kubernetes objects" in gap.detail


async def test_secrets_in_objects_do_not_pass_the_scrubber(tmp_path: Path) -> None:
    applied = PODS.replace(b"    labels:\n", b"    annotations:\n" + APPLIED + b"    labels:\n", 1)
    source = SysdumpSource(zipped(tmp_path / "a.zip", sysdump(k8s_pods_yaml=applied)))
    bare = json.dumps(await items(source, Objects(resources.PODS)))
    clean = json.dumps(await items(Scrubber(source), Objects(resources.PODS)))
    assert '{\\"apiVersion\\"' in bare
    assert '{\\"apiVersion\\"' not in clean


async def test_a_reader_may_stop_early_and_ask_again() -> None:
    source = SysdumpSource(HEALTHY)
    async with asyncio.timeout(20):
        for request in (Objects(resources.PODS), command("cilium-dbg", "map", "list", "--verbose")):
            stream = source.open(request, 1)
            assert isinstance(await anext(stream), bytes)
            await stream.aclose()
            reading = asyncio.create_task(answer(source, request, 1))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert isinstance((await answered(source, request)).end, End)


async def test_a_closed_archive_gives_gaps() -> None:
    source = SysdumpSource(HEALTHY)
    await source.close()
    for request in (Objects(resources.PODS), STATUS, ApiPath("/version")):
        assert (await missed(source, request)).kind is GapKind.UNREADABLE

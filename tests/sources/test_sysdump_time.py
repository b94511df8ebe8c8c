"""When a sysdump was taken is told in UTC, wherever the collector sat: else all would look hours old."""

from __future__ import annotations

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbooks.model.kube import resources
from playbooks.model.request import Objects
from playbooks.sources.sysdump import SysdumpSource
from tests.sources.archives import (
    POD,
    PODS,
    ROOT,
    STAMP,
    agent_files,
    answered,
    packed,
    sysdump,
    unzipped,
    zipped,
)

LEASES = b"""items:
- metadata:
    name: node-a
  spec:
    renewTime: "%s.123456Z"
kind: LeaseList
"""


def utc(hour: int, minute: int, second: int, day: int = 2) -> datetime:
    return datetime(2026, 1, day, hour, minute, second, tzinfo=UTC)


def debuginfo(stamp: str) -> dict[str, bytes]:
    return agent_files(POD, {f"cilium-debuginfo-{stamp}.123+0000-UTC.json": b"{}"})


@pytest.mark.parametrize(
    ("agent_said", "began"),
    [
        ("20260102-030409", utc(3, 4, 5)),
        ("20260102-010409", utc(1, 4, 5)),
        ("20260102-083409", utc(8, 34, 5)),
        ("20260101-211702", utc(21, 4, 5, day=1)),
        ("20260102-030335", utc(3, 4, 5)),
    ],
    ids=[
        "UTC",
        "two hours east",
        "five and a half west",
        "six east and 13 minutes later",
        "a clock that is behind",
    ],
)
def test_the_agents_clock_tells_the_collectors_zone(agent_said: str, began: datetime, tmp_path: Path) -> None:
    files = {**sysdump(), **debuginfo(agent_said)}
    assert SysdumpSource(zipped(tmp_path / "a.zip", files)).now == began


def test_without_an_agent_the_leases_tell(tmp_path: Path) -> None:
    files = sysdump(k8s_leases_yaml=LEASES % b"2026-01-01T19:04:03")
    assert SysdumpSource(zipped(tmp_path / "a.zip", files)).now == utc(19, 4, 5, day=1)


def test_a_first_agent_that_took_long_does_not_make_everything_older(tmp_path: Path) -> None:
    files = {**sysdump(k8s_leases_yaml=LEASES % b"2026-01-02T01:04:03"), **debuginfo("20260102-015409")}
    assert SysdumpSource(zipped(tmp_path / "a.zip", files)).now == utc(1, 4, 5)


def test_leases_that_nobody_renews_do_not_move_the_time_by_days(tmp_path: Path) -> None:
    files = {**sysdump(k8s_leases_yaml=LEASES % b"2025-12-24T01:04:03"), **debuginfo("20260102-010409")}
    assert SysdumpSource(zipped(tmp_path / "a.zip", files)).now == utc(1, 4, 5)


def written_at(seconds: int, name: str = f"{ROOT}/k8s-pods-{STAMP}.yaml") -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.extra = b"UT\x05\x00\x01" + (int(utc(3, 4, 5).timestamp()) + seconds).to_bytes(4, "little")
    return info


def test_times_of_files_tell_the_zone_unless_they_are_those_of_a_copy(tmp_path: Path) -> None:
    slow = debuginfo("20260102-015409").items()
    true = zipped(tmp_path / "true.zip", [(written_at(-7190), PODS), *slow])
    copied = zipped(
        tmp_path / "copied.zip", [(written_at(4000), PODS), *debuginfo("20260102-010409").items()]
    )
    assert SysdumpSource(true).now == utc(1, 4, 5)
    assert SysdumpSource(copied).now == utc(1, 4, 5)


def test_a_folder_unpacked_days_later_keeps_its_time(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {**sysdump(), **debuginfo("20260102-010409")})
    folder = unzipped(path, tmp_path / "folder")
    os.utime(folder / ROOT / f"k8s-pods-{STAMP}.yaml", (1e9, 1e9))
    assert SysdumpSource(folder).now == utc(1, 4, 5)


def test_where_nothing_tells_the_stamp_is_taken_as_it_is(tmp_path: Path) -> None:
    assert SysdumpSource(zipped(tmp_path / "a.zip", sysdump())).now == utc(3, 4, 5)


@pytest.mark.parametrize(("written", "taken_at"), [(12, utc(3, 4, 17)), (86400, utc(3, 4, 5))])
async def test_an_answer_is_as_old_as_its_file_if_that_can_be(
    written: int, taken_at: datetime, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "a.zip", [*debuginfo("20260102-030406").items(), (written_at(written), PODS)])
    assert (await answered(SysdumpSource(path), Objects(resources.PODS))).end.taken_at == taken_at


def test_a_bugtool_archive_says_its_time_in_utc(tmp_path: Path) -> None:
    path = tmp_path / "bugtool.tar.gz"
    path.write_bytes(packed({"cilium-bugtool-20260102-030405.6+0000-UTC-1/cmd/hostname.md": b"a\n"}))
    assert SysdumpSource(path).now == utc(3, 4, 5)


@pytest.mark.parametrize(
    ("name", "shown"), [(b"prod-eu", "prod-eu"), (b'"12"', "12"), (b"default", "a.zip"), (b"", "a.zip")]
)
def test_a_cluster_that_nobody_named_goes_by_the_archives_name(
    name: bytes, shown: str, tmp_path: Path
) -> None:
    config = b"apiVersion: v1\ndata:\n  cluster-name: " + name + b"\nkind: ConfigMap\n"
    path = zipped(tmp_path / "a.zip", sysdump(cilium_configmap_yaml=config))
    assert SysdumpSource(path).name == shown

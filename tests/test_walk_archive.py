"""Every file of every archive is a fact with the expected count, or not used for a reason; nothing else."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from playbooks.sources.sysdump import SysdumpSource
from tests.recorded import CLUSTERS, archive_of, archives
from tests.sources.archives import contents
from tests.walk import NO_REASON, Unused, summary
from tests.walk_archive import TABLE, UNUSED, Outcome, said, table, title, walk

AGAIN = "look at the difference, then write the table anew with `python -m tests.walk_archive`"
LAB = TABLE.with_name("walk_archive_lab.tsv")


@cache
def walked(path: Path) -> tuple[Outcome, ...]:
    return tuple(walk(path))


def test_every_file_is_accounted_for_with_the_expected_count() -> None:
    now = table({title(path): walked(path) for path in archives()}, Unused.read(UNUSED)).splitlines()
    expected = TABLE.read_text("utf-8").splitlines()
    new = [line for line in now if line not in expected]
    gone = [line for line in expected if line not in now]
    assert (new, gone) == ([], []), AGAIN


@pytest.mark.parametrize("path", archives(), ids=title)
def test_no_file_is_left_out_of_the_table(path: Path) -> None:
    files = {said(file) for file in SysdumpSource(path).files}
    assert files == {one.file for one in walked(path)}


@pytest.mark.parametrize("path", [TABLE, LAB], ids=lambda path: path.stem)
def test_nothing_is_unreadable_or_without_a_reason(path: Path) -> None:
    expected = path.read_text("utf-8")
    assert "everything accounted for" in summary(expected)
    assert NO_REASON not in expected
    assert "unreadable" not in expected


def test_every_reason_is_about_a_file_that_is_there_and_not_used() -> None:
    rows = [line.split("\t") for line in LAB.read_text("utf-8").splitlines()[1:]]
    unused = {row[0] for row in rows if row[1].startswith("not used: ")}
    unused |= {one.file for path in archives() for one in walked(path) if not one.fact}
    idle = [pattern for pattern, _ in Unused.read(UNUSED).reasons if not _fits_any(pattern, unused)]
    assert idle == [], "take the reason out: these files are read now, or were never recorded"


def _fits_any(pattern: str, files: set[str]) -> bool:
    return any(fnmatchcase(file, pattern) for file in files)


@pytest.mark.parametrize("case", ["healthy", "11-operator-down", "18-stale-endpoint"])
def test_lists_become_as_many_things_as_their_files_hold(case: str) -> None:
    path = archive_of(case)
    counts: dict[str, int] = {}
    for one in walked(path):
        if one.fact and isinstance(one.count, int):
            counts[one.file] = max(one.count, counts.get(one.file, 0))
    lengths = {}
    for name, data in contents(path).items():
        if name.endswith(".yaml") and b"\nitems:\n- " in data:
            lengths[said(name)] = len(re.findall(rb"(?m)^- ", data))
        elif name.endswith("--o-json.md") and data.startswith(b"["):
            lengths[said(name)] = len(json.loads(data))
    listed = {file: length for file, length in lengths.items() if file in counts}
    for part in (
        "cilium-operator-deployment.yaml",
        "hubble-relay-deployment.yaml",
        "k8s-events.yaml",
        "k8s-leases.yaml",
    ):
        listed.pop(part, None)  # parts of one list, and lists of which only some are wanted
    assert len(listed) >= 15
    assert listed == {file: counts[file] for file in listed}


def test_tables_within_a_dump_become_as_many_things_as_they_have_rows() -> None:
    path = archive_of("healthy")
    data = next(data for name, data in contents(path).items() if name.endswith("cilium-dbg-statedb.md"))
    rows = {name: len(table) for name, table in json.loads(data).items()}
    found = {
        one.fact.rpartition(" table ")[2]: one.count
        for one in walked(path)
        if one.file.endswith("statedb.md") and "as text" not in one.fact and "command" not in one.fact
    }
    assert len(found) >= 12
    assert found == {name: rows[name] for name in found}


def test_archives_are_kept_of_every_cluster_that_has_one() -> None:
    without = {"05-agent-crashloop-bad-config"}  # the collector ended without one
    kept = {path.parent.name for path in archives()}
    assert kept == {folder.name for folder in CLUSTERS.iterdir() if folder.is_dir()} - without
    assert sum(path.stat().st_size for path in archives()) < 8 * 1024 * 1024

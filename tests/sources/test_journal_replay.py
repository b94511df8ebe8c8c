"""A run over a recording finds what the recorded run found, whatever the cluster was like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import GapKind, Source
from playbooks.sources.journal import About, Journal, JournalSource, Recording
from tests.edited import Edit, body, command, each, edited, gap, of
from tests.recorded import source


async def run(cluster: Source, looks: int = 2) -> Snapshot:
    return await Run(cluster, Order(catalogue().rules_of(("agent",)), looks=looks)).start()


def scaled_up(deployment: dict[str, Any]) -> dict[str, Any]:
    deployment["spec"]["replicas"] = 1
    return deployment


CLUSTERS: dict[str, tuple[str, tuple[Edit, ...]]] = {
    "healthy": ("healthy", ()),
    "crash loop": ("05", ()),
    "operator down": ("11", ()),
    "operator scaled up again": ("11", (each("deployments", scaled_up),)),
    "objects forbidden": ("11", (gap(of("deployments")), gap(of("nodes")))),
    "no agent answers": ("healthy", (gap(command(), GapKind.TIMED_OUT),)),
    "garbage": ("healthy", (body(command("cilium-dbg", "status"), lambda told: b"\x1b[31m" + told[:999]),)),
    "lists cut in the middle": ("11", (body(of("pods"), lambda told: told[:5000]),)),
}


@pytest.mark.parametrize("name", CLUSTERS)
async def test_replay_finds_what_the_recorded_run_found(tmp_path: Path, name: str) -> None:
    recorded, edits = CLUSTERS[name]
    journal = Journal.open(tmp_path / "j", About("lab", "0.1.0", "ada"))
    journal.begin_run("check agent")
    live = await run(Recording(edited(source(recorded), *edits), journal))
    await journal.close()
    again = await run(JournalSource(tmp_path / "j"))
    assert again.outcomes == live.outcomes
    assert again.ranked == live.ranked
    assert set(again.gaps) == set(live.gaps)
    assert (again.cluster, again.nodes, again.installation) == (live.cluster, live.nodes, live.installation)


async def test_the_recorded_faults_are_found_from_the_recording(tmp_path: Path) -> None:
    assert [one.rule.id for one in (await run(source("11"))).roots][:1] == ["AGT020"]
    assert (await run(edited(source("11"), each("deployments", scaled_up)))).ranked != (
        await run(source("11"))
    ).ranked

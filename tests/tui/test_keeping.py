"""What a run found stays in its recording, crashes of rules too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from playbooks.engine.run import Order, Run
from playbooks.model.fact import OnNode
from playbooks.model.finding import Verdict
from playbooks.sources.journal import About, Journal, JournalSource, Recording
from tests.engine.toy import Count, ToyCluster, rule, warn
from tui.commands.keeping import keep


def too_high(count: OnNode[Count]) -> Iterator[Verdict]:
    yield warn(count.fact, count.node)


def crashes(count: OnNode[Count]) -> Iterator[Verdict]:
    raise RuntimeError("boom")
    yield


async def test_findings_and_tracebacks_are_kept(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "session", About("toy", "0", "me", "kubectl"))
    journal.begin_run("check")
    rules = (rule(too_high), rule(crashes, "TOY002"))
    snapshot = await Run(Recording(ToyCluster(), journal), Order(rules)).start()
    keep(journal, snapshot)
    await journal.end_run()
    await journal.close()
    replayed = JournalSource(tmp_path / "session")
    assert replayed.report is not None
    assert [root["id"] for root in json.loads(replayed.report)["roots"]].count("TOY001") == 3
    assert any("TOY002" in note.text and "boom" in note.text for note in replayed.notes)

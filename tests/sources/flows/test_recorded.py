from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from playbooks.model.hubble.aggregation import By, Totals
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.seen import Reader, Seen
from playbooks.model.request import AgentCommand
from playbooks.sources.journal.archive import FlowArchive
from playbooks.sources.journal.bodies import pieces
from playbooks.sources.journal.contents import read_contents
from playbooks.sources.journal.flows import FlowStore
from playbooks.sources.journal.record import BODIES, Answered
from tests.recorded import CLUSTERS

MOST = 150
"""Flows of a recorded cluster that are read; they are alike."""
LAST = ("hubble", "observe", "--last", "400", "-o", "jsonpb")


def flows(cluster: Path) -> list[bytes]:
    """The last flows that the hubble command printed in a recorded cluster."""
    contents = read_contents(cluster / "journal")
    with (cluster / "journal" / BODIES).open("rb") as file:
        for (look, request), told in contents.told.items():
            if (
                look == 1
                and isinstance(request, AgentCommand)
                and request.argv == LAST
                and isinstance(told, Answered)
                and told.body
            ):
                text = b"".join(
                    piece for piece in pieces(file, contents.bodies[told.body]) if isinstance(piece, bytes)
                )
                return [wire(line) for line in text.splitlines()[:MOST]]
    return []


def wire(line: bytes) -> bytes:
    return json_format.ParseDict(
        json.loads(line), ExportEvent(), ignore_unknown_fields=True
    ).SerializeToString()


WITHOUT = ("05-agent-crashloop-bad-config",)
RECORDED = sorted(path.parent for path in CLUSTERS.glob("*/journal"))


@pytest.mark.parametrize("cluster", [pytest.param(path, id=path.name) for path in RECORDED])
def test_a_recorded_clusters_flows_are_read_counted_and_kept(cluster: Path, tmp_path: Path) -> None:
    raws = flows(cluster)
    # Where the agent crashes all the time, Hubble answered nothing.
    assert raws or cluster.name in WITHOUT
    events = Reader().read_all(raws)
    assert all(isinstance(event, Seen) and event.time and event.uuid and event.node for event in events)
    store, totals = FlowStore.in_journal(tmp_path), Totals()
    for at in range(0, len(raws), 64):
        store.add(raws[at : at + 64], events[at : at + 64])
        totals.add(events[at : at + 64])
    store.close()
    assert list(store.ring) == events
    assert list(FlowArchive(tmp_path).between()) == list(zip(raws, events, strict=True))
    rows = totals.traffic.rows(By.VERDICT)
    assert sum(row.events for row in rows) == len(events)
    assert all(0 < row.attempts <= row.events for row in rows if row.key in (1, 2, 5))

"""What one rule says of a recorded cluster with chosen changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from playbooks.engine.discovery import catalogue
from playbooks.engine.ranking import Ranked
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Source
from playbooks.model.finding import Finding
from playbooks.model.outcome import Outcome
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.edited import Edit, Which, body, command, each, edited

Json = dict[str, Any]

STATUS = command("cilium-dbg", "status", "-o", "json")
MODULES = command("cilium-dbg", "shell", "--", "db/show", "health")
HEALTH = command("cilium-health", "status", "-o", "json")
OPTIONS = command("cilium-dbg", "config", "-a")


def run(source: Source, *ids: str, looks: int = 2) -> Snapshot:
    """A run of these rules; of all of them without any."""
    rules = tuple(rule for rule in catalogue().rules if not ids or rule.id in ids)
    return asyncio.run(Run(source, Order(rules, looks=looks)).start())


def outcome(id: str, *edits: Edit, cluster: str = "healthy", looks: int = 2) -> Outcome:
    """How one rule ends on a recorded cluster with these edits."""
    return run(edited(recorded.source(cluster), *edits), id, looks=looks).outcomes[id]


@cache
def practice(scenario: str = "healthy", seed: int = 0) -> Source:
    """The practice cluster, which has several nodes; nobody changes it, so one is enough."""
    return WorldSource(load(scenario).world(seed))


def found(id: str, *edits: Edit, cluster: str | Source = "healthy", looks: int = 2) -> list[Finding]:
    """What one rule finds on a cluster with these edits; equal findings as one."""
    source = recorded.source(cluster) if isinstance(cluster, str) else cluster
    snapshot = run(edited(source, *edits), id, looks=looks)
    assert not snapshot.outcomes[id].traceback, snapshot.outcomes[id].traceback
    return [one.finding for one in snapshot.every()]


def only(id: str, *edits: Edit, cluster: str | Source = "healthy", looks: int = 2) -> Finding:
    """The one finding of a rule."""
    every = found(id, *edits, cluster=cluster, looks=looks)
    assert len(every) == 1, every
    return every[0]


def changed(which: Which, change: Callable[[Json], object]) -> Edit:
    """Change a JSON answer in place."""

    def edit(bytes_: bytes) -> bytes:
        document = json.loads(bytes_)
        change(document)
        return json.dumps(document).encode()

    return body(which, edit)


def status(node: str = "", **parts: object) -> Edit:
    """Put parts into the status of agents; underscores stand for dashes, None takes a part out."""

    def change(document: Json) -> None:
        for name, value in parts.items():
            key = name.replace("_", "-") if name != "nodeMonitor" else name
            document.pop(key, None)
            if value is not None:
                document[key] = value

    which = command("cilium-dbg", "status", "-o", "json", node=node)
    return changed(which, change)


def config(**keys: str) -> Edit:
    """Put keys into cilium-config; underscores stand for dashes."""

    def change(document: Json) -> Json:
        if document["metadata"]["name"] == "cilium-config":
            document["data"].update({key.replace("_", "-"): value for key, value in keys.items()})
        return document

    return each("configmaps", change)


def excerpts(one: Finding | Ranked) -> str:
    """Everything that proves a finding, in one text."""
    finding = one.finding if isinstance(one, Ranked) else one
    return "\n".join(proof.excerpt.shown for proof in finding.evidence)

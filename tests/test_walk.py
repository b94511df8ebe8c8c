"""Every recorded command is a fact with the expected count, or not used for a reason; nothing else."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from functools import cache

from playbooks.model.answer import Answer, answer
from playbooks.model.request import AgentCommand
from tests.recorded import clusters, source
from tests.walk import NO_REASON, TABLE, UNUSED, Outcome, Unused, said, summary, table, walk

AGAIN = "look at the difference, then write the table anew with `python -m tests.walk`"


@cache
def walked(name: str) -> tuple[Outcome, ...]:
    return tuple(walk(source(name)))


def test_every_command_is_accounted_for_with_the_expected_count() -> None:
    now = table({name: walked(name) for name in clusters()}, Unused.read()).splitlines()
    expected = TABLE.read_text("utf-8").splitlines()
    new = [line for line in now if line not in expected]
    gone = [line for line in expected if line not in now]
    assert (new, gone) == ([], []), AGAIN


def test_nothing_recorded_is_unreadable_or_without_a_reason() -> None:
    expected = TABLE.read_text("utf-8")
    assert "everything accounted for" in summary(expected)
    assert NO_REASON not in expected
    unreadable = [one for name in clusters() for one in walked(name) if "unreadable" in str(one.count)]
    assert unreadable == []


def test_every_reason_is_about_a_command_that_was_recorded_and_is_not_used() -> None:
    every = {one for name in clusters() for one in walked(name)}
    used = {one.command for one in every if one.fact}
    lab = UNUSED.with_name("walk_lab.tsv").read_text("utf-8").splitlines()
    recorded = {one.command for one in every} | {line.partition("\t")[0] for line in lab}
    reasons = Unused.read().reasons
    idle = [
        pattern for pattern, _ in reasons if not any(fnmatchcase(one, pattern) for one in recorded - used)
    ]
    assert idle == [], "take the reason out: these commands are asked now, or were never recorded"
    assert all(why.strip() for _, why in reasons)


async def test_lists_in_json_become_as_many_things_as_they_have() -> None:
    cluster = source("healthy")
    counts = {one.command: one.count for one in walked("healthy") if one.fact and one.look == 1}
    lengths = {}
    for look, request in cluster.asked:
        told = await answer(cluster, request, look) if look == 1 else None
        if isinstance(request, AgentCommand) and isinstance(told, Answer) and "json" in request.argv:
            document = json.loads(told.body) if told.body.startswith(b"[{") else None
            lengths[said(request)] = len(document) if document else None
    listed = {command: length for command, length in lengths.items() if length and command in counts}
    listed["cilium-dbg metrics list -o json"] -= 1  # a summary, of which JSON leaves out the values
    del listed["cilium-dbg endpoint get N -o json"]  # one each, of many endpoints
    assert len(listed) >= 10
    assert listed == {command: counts[command] for command in listed}

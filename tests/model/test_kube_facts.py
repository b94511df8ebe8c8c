"""Events, leases, CiliumNodes and kinds: what is read of them, and that garbage is a gap."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.ciliumnodes import CiliumNodes
from playbooks.model.fact import Choice, F, Fact
from playbooks.model.kube.crds import CiliumKinds
from playbooks.model.kube.events import Event, Warnings
from playbooks.model.kube.leases import Leases
from playbooks.model.kube.pods import Pod
from playbooks.model.kube.resources import EVENTS
from playbooks.model.request import ApiPath, Objects, Request
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.edited import Which, answered, edited, gap, of

AT = datetime(2026, 11, 23, 1, 50, tzinfo=UTC)


def known(kind: type[F], source: Source) -> F | Gap:
    async def ask() -> F | Gap:
        return await Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now).know(kind)

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", [Warnings, Leases, CiliumNodes, CiliumKinds])
@pytest.mark.parametrize("cluster", recorded.clusters())
def test_every_recording_can_be_read(kind: type[Fact], cluster: str) -> None:
    assert isinstance(known(kind, recorded.source(cluster)), kind)


@pytest.mark.parametrize("kind", [Warnings, Leases, CiliumNodes, CiliumKinds])
def test_the_practice_world_can_be_read(kind: type[Fact]) -> None:
    assert isinstance(known(kind, WorldSource(load("healthy").world(0))), kind)


def _paths(request: Request) -> bool:
    return request == ApiPath("/apis")


def _warnings(request: Request) -> bool:
    return request == Objects(EVENTS, fields="type=Warning")


GARBAGE = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b'{"kind":"EventList","items":[{"metadata":3}]}',
    b"null",
    b"<html>",
]
READ: list[tuple[type[Fact], Which]] = [
    (Warnings, _warnings),
    (Leases, of("leases")),
    (CiliumNodes, of("ciliumnodes")),
    (CiliumKinds, _paths),
]


@pytest.mark.parametrize(("kind", "which"), READ)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_a_gap(kind: type[Fact], which: Which, garbage: bytes) -> None:
    found = known(kind, edited(recorded.source("healthy"), answered(which, garbage)))
    assert isinstance(found, Gap)
    assert "not a list" in found.detail or "is empty" in found.detail


def event(**fields: object) -> Event:
    about = {"kind": "Pod", "namespace": "a", "name": "b", "uid": "1"}
    return msgspec.convert(
        {"metadata": {"name": "e"}, "involvedObject": about, **fields}, Event, strict=False
    )


def test_an_event_of_either_kind_tells_when_and_how_often() -> None:
    end = (AT + timedelta(minutes=2)).isoformat()
    older = event(count=4, firstTimestamp=AT.isoformat(), lastTimestamp=end)
    newer = event(eventTime=AT.isoformat(), series={"count": 4, "lastObservedTime": end})
    for one in (older, newer):
        assert (one.times, one.first, one.last) == (4, AT, AT + timedelta(minutes=2))
    single = event(eventTime=AT.isoformat(), firstTimestamp=None, lastTimestamp=None, series=None, count=None)
    assert (single.times, single.first, single.last) == (1, AT, AT)
    assert event().last is None


@pytest.mark.parametrize(("uid", "is_same"), [("1", True), ("", True), ("2", False)])
def test_an_event_is_about_one_pod_not_its_successor(uid: str, is_same: bool) -> None:
    pod = msgspec.convert({"metadata": {"name": "b", "namespace": "a", "uid": uid}}, Pod)
    assert event().is_about(pod) is is_same


def test_the_silence_of_a_lease_does_not_believe_a_wrong_clock() -> None:
    leases = known(Leases, recorded.source("healthy"))
    assert isinstance(leases, Leases)
    lock = leases.get("cilium-operator-resource-lock")
    assert lock is not None
    assert leases.silence(lock) < timedelta(seconds=30)
    ahead = replace(leases.provenance, taken_at=leases.taken_at + timedelta(hours=3))
    assert replace(leases, provenance=ahead).silence(lock) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("body", "plurals"),
    [
        ({"kind": "APIGroupList", "groups": [{"name": "apps"}]}, frozenset()),
        ({"kind": "APIGroupList", "groups": None}, frozenset()),
        ({"kind": "APIGroupList", "groups": [{"name": "cilium.io"}]}, None),
    ],
)
def test_groups_tell_whether_there_is_any_kind(body: object, plurals: frozenset[str] | None) -> None:
    source = edited(recorded.source("healthy"), answered(_paths, json.dumps(body).encode()))
    kinds = known(CiliumKinds, source)
    assert isinstance(kinds, CiliumKinds)
    assert kinds.plurals == plurals
    assert bool(kinds.lacks("ciliumnodes")) is (plurals is not None)


def test_discovery_names_the_kinds_without_their_parts() -> None:
    kinds = known(CiliumKinds, WorldSource(load("healthy").world(0)))
    assert isinstance(kinds, CiliumKinds)
    assert kinds.plurals is not None
    assert "ciliumnodes" in kinds.plurals
    assert not any("/" in plural for plural in kinds.plurals)


def test_where_only_ciliums_namespace_may_be_read_its_events_are_known() -> None:
    narrow = gap(_warnings)
    found = known(Warnings, edited(WorldSource(load("healthy").world(0)), narrow))
    assert isinstance(found, Warnings)
    assert found.provenance.namespace == "kube-system"

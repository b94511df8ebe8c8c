"""What changed is told by the objects as they are now, newest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, GapKind, Source
from playbooks.model.changes import changes as module
from playbooks.model.changes.changes import Changes, NodeChanges
from playbooks.model.changes.record import ChangeKind, ChangeRecord
from playbooks.model.fact import Choice
from playbooks.model.finding import Ref
from playbooks.practice import scenarios
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.edited import Edit, Object, answered, command, each, edited, gap, of

NODE = "lab-node-1"
CONFIG = Ref("ConfigMap", "cilium-config", "kube-system")
AT = "2026-11-23T01:35:00Z"


def knowing(source: Source) -> Knowing:
    return Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)


async def changes(source: Source) -> Changes:
    known = await knowing(source).know(Changes)
    assert isinstance(known, Changes)
    return known


def wrote(
    name: str, manager: str, at: str, fields: Object | None = None, **more: str
) -> Callable[..., Object]:
    """Puts a write into the managedFields of one object."""

    def change(item: Object) -> Object:
        if item["metadata"]["name"] != name:
            return item
        entry = {"manager": manager, "operation": "Update", "time": at, "fieldsV1": fields or {}, **more}
        meta = item["metadata"]
        return {**item, "metadata": {**meta, "managedFields": [*meta.get("managedFields", ()), entry]}}

    return change


def healthy(*edits: Edit) -> Source:
    return edited(recorded.source("healthy"), *edits)


def told(found: Changes, what: Ref, kind: ChangeKind = ChangeKind.WRITTEN) -> list[ChangeRecord]:
    return [one for one in found.of(what) if one.kind is kind]


async def test_a_recording_tells_when_things_were_made_nodes_joined_and_agents_started() -> None:
    found = await changes(recorded.source("healthy"))
    kinds = {one.kind for one in found.items}
    assert kinds >= {ChangeKind.CREATED, ChangeKind.JOINED, ChangeKind.STARTED}
    times = [one.when for one in found.items if one.when]
    assert times == sorted(times, reverse=True)
    (start,) = [one for one in found.items if one.kind is ChangeKind.STARTED]
    assert (start.what.node, start.words) == (NODE, f"the agent on {NODE} started")


async def test_what_was_not_recorded_is_missing_not_unchanged() -> None:
    found = await changes(recorded.source("healthy"))
    assert {one.kind for one in found.missing} == {GapKind.NOT_RECORDED}
    assert any("replicasets" in one.command for one in found.missing)
    less = await changes(healthy(gap(of("services"))))
    assert any("services" in one.command for one in less.missing) or less.missing != found.missing
    assert not any(one.what.kind == "Service" for one in less.items)


async def test_an_agent_that_crashed_is_a_change() -> None:
    (end,) = [one for one in (await changes(recorded.source("05"))).items if one.kind is ChangeKind.ENDED]
    assert "exit code 255 (Error)" in end.words


async def test_a_write_of_the_configmap_names_keys_and_writer() -> None:
    fields = {"f:data": {".": {}, "f:tunnel-protocol": {}, "f:debug": {}}}
    found = await changes(healthy(each("configmaps", wrote("cilium-config", "kubectl-edit", AT, fields))))
    (write,) = told(found, CONFIG)
    assert (write.who, write.words) == (
        "kubectl-edit",
        "ConfigMap kube-system/cilium-config was written: debug, tunnel-protocol",
    )
    assert write.when == datetime(2026, 11, 23, 1, 35, tzinfo=UTC)


async def test_agents_that_started_before_the_write_have_not_read_it() -> None:
    fields = {"f:data": {"f:debug": {}}}
    found = await changes(healthy(each("configmaps", wrote("cilium-config", "helm", AT, fields))))
    (unread,) = told(found, CONFIG, ChangeKind.NOT_APPLIED)
    assert unread.words.startswith("1 of 1 agents started before")
    early = "2026-11-23T01:00:00Z"
    found = await changes(healthy(each("configmaps", wrote("cilium-config", "helm", early, fields))))
    assert told(found, CONFIG, ChangeKind.NOT_APPLIED) == []


async def test_status_and_routine_writes_are_no_changes() -> None:
    cart = Ref("Deployment", "cart", "shop")
    routine = [
        each("deployments", wrote("cart", "kubectl-edit", AT, subresource="status")),
        each("deployments", wrote("cart", "kube-controller-manager", AT)),
    ]
    assert [one for one in told(await changes(healthy(*routine)), cart) if one.when] == []
    found = await changes(healthy(each("deployments", wrote("cart", "kubectl-set", AT))))
    (write,) = told(found, cart)
    assert (write.who, write.words.partition(" (")[0]) == ("kubectl-set", "Deployment shop/cart was written")


async def test_helm_is_named_with_release_and_chart() -> None:
    def labelled(item: Object) -> Object:
        meta = item["metadata"]
        labels = {**(meta.get("labels") or {}), "helm.sh/chart": "cilium-1.20.2"}
        notes = {**(meta.get("annotations") or {}), "meta.helm.sh/release-name": "cilium"}
        return {**item, "metadata": {**meta, "labels": labels, "annotations": notes}}

    source = healthy(each("daemonsets", labelled), each("daemonsets", wrote("cilium", "helm", AT)))
    (write,) = told(await changes(source), Ref("DaemonSet", "cilium", "kube-system"))
    assert write.who == "helm (release cilium, chart cilium-1.20.2)"


async def test_a_generation_tells_of_a_change_whose_time_is_not_told() -> None:
    def raised(item: Object) -> Object:
        return {**item, "metadata": {**item["metadata"], "generation": 7}}

    (write,) = told(
        await changes(healthy(each("daemonsets", raised))), Ref("DaemonSet", "cilium", "kube-system")
    )
    assert write.when is None
    assert write.words.endswith("was written (generation 7 now), when is not told")


async def test_rollouts_are_told_by_revisions_and_replicasets() -> None:
    found = await changes(WorldSource(scenarios.load("healthy").world(nodes=3)))
    rollouts = {one.what.kind for one in found.items if one.kind is ChangeKind.ROLLED_OUT}
    assert rollouts == {"DaemonSet", "Deployment"}
    (relay,) = [
        one for one in found.items if one.what.name == "hubble-relay" and one.kind is ChangeKind.ROLLED_OUT
    ]
    assert relay.words.startswith("revision 1 of Deployment kube-system/hubble-relay was made with ")


async def test_changes_before_a_moment_can_be_asked_for() -> None:
    source = healthy(each("deployments", wrote("cart", "kubectl-set", AT)))
    found = await changes(source)
    moment = datetime(2026, 11, 23, 1, 36, tzinfo=UTC)
    assert {one.what.name for one in found.within(moment, timedelta(minutes=5))} == {"cart"}
    assert found.within(moment - timedelta(minutes=2), timedelta(minutes=1)) == ()


async def test_only_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    every = await changes(recorded.source("healthy"))
    monkeypatch.setattr(module, "LIMIT", 5)
    few = await changes(recorded.source("healthy"))
    assert few.items == every.items[:5]
    assert few.left_out == len(every.items) - 5


async def test_a_node_tells_what_its_agent_has_not_taken_over() -> None:
    def debug(item: Object) -> Object:
        return {**item, "data": {**item["data"], "enable-policy": "always"}}

    fields = {"f:data": {"f:enable-policy": {}}}
    source = healthy(
        each("configmaps", debug), each("configmaps", wrote("cilium-config", "kubectl-edit", AT, fields))
    )
    known = await knowing(source).know(NodeChanges, NODE)
    assert isinstance(known, NodeChanges)
    (newest, start) = known.items
    assert (newest.kind, newest.who, start.kind) == (
        ChangeKind.NOT_APPLIED,
        "kubectl-edit",
        ChangeKind.STARTED,
    )
    assert newest.words == "enable-policy is to be 'always' and the agent runs with 'default'"


async def test_without_cilium_there_is_nothing_to_tell() -> None:
    known = await knowing(healthy(gap(of("daemonsets")), gap(of("pods")))).know(Changes)
    assert isinstance(known, Gap)


async def test_a_silent_agent_hides_no_other_change() -> None:
    source = healthy(answered(command("cilium-dbg"), b"", exit_code=1))
    known = await knowing(source).know(NodeChanges, NODE)
    assert isinstance(known, NodeChanges)
    assert [one.kind for one in known.items] == [ChangeKind.STARTED]

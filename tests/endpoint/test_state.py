from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from playbooks.model.finding import Severity
from tests.agent.judged import Json, excerpts, found, only, run
from tests.edited import Edit, body, command, each, gap, in_look, of
from tests.recorded import source

LAB = "06-regeneration-failing"
TEXT = ("cilium-dbg", "endpoint", "list")
LIST = command(*TEXT, "-o", "json")


def ready() -> Edit:
    def change(answer: bytes) -> bytes:
        every = json.loads(answer)
        for one in every:
            one["status"]["state"] = "ready"
        return json.dumps(every).encode()

    return body(LIST, change)


def test_an_endpoint_that_fails_in_both_looks_is_told_with_what_its_log_says() -> None:
    one = only("END002", cluster=LAB)
    assert (one.subject.kind, one.subject.namespace) == ("Endpoint", "shop")
    assert one.subject.name.startswith("cart-")
    assert "failed to compile template program" in one.summary.raw


def test_an_endpoint_that_is_ready_again_is_no_fault() -> None:
    assert found("END002", in_look(2, ready()), cluster=LAB) == []
    assert found("END002", in_look(1, ready()), cluster=LAB) == []
    assert found("END002") == []


def test_the_failing_controller_is_a_symptom_of_it() -> None:
    (root,) = run(source(LAB), "END002", "AGT054").roots
    assert root.rule.id == "END002"
    assert [one.rule.id for one in root.symptoms] == ["AGT054"]


CART = 51


def each_endpoint(change: Callable[[Json], object]) -> Edit:
    """Change one endpoint in the agent's list."""

    def edit(answer: bytes) -> bytes:
        every = json.loads(answer)
        for one in every:
            if one["id"] == CART:
                change(one)
        return json.dumps(every).encode()

    return body(LIST, edit)


def in_state(state: str, at: str = "2026-11-23T01:35:00Z", message: str = "Regenerating endpoint") -> Edit:
    def change(one: Json) -> None:
        one["status"]["state"] = state
        one["status"]["log"] = [{"code": "OK", "message": message, "state": state, "timestamp": at}]

    return each_endpoint(change)


@pytest.mark.parametrize("state", ["waiting-to-regenerate", "regenerating", "not-ready", "disconnecting"])
def test_an_endpoint_that_stands_still_is_told_with_how_long(state: str) -> None:
    one = only("END010", in_state(state))
    assert one.severity is Severity.ERROR
    assert (one.subject.kind, one.subject.namespace) == ("Endpoint", "shop")
    assert f"{state} for 6 minutes" in one.summary.raw
    assert "Regenerating endpoint" in excerpts(one)


def test_an_endpoint_that_moves_on_is_no_fault() -> None:
    moved = in_look(2, in_state("regenerating", "2026-11-23T01:41:30Z"))
    young = in_state("regenerating", "2026-11-23T01:40:30Z")
    for edits in ((in_state("regenerating"), moved), (young,), (in_look(1, in_state("regenerating")),)):
        assert found("END010", *edits) == []
    assert found("END010", in_state("regenerating"), looks=1) == []
    assert found("END010", in_state("ready")) == []


def test_a_failed_regeneration_is_not_told_twice() -> None:
    assert found("END010", cluster=LAB) == []


def test_right_after_an_agents_start_nothing_stands_still() -> None:
    def started(item: Json) -> Json:
        for one in item["status"].get("containerStatuses") or ():
            if one["name"] == "cilium-agent":
                one["state"]["running"]["startedAt"] = "2026-11-23T01:40:00Z"
        return item

    assert found("END010", in_state("restoring"), each("pods", started)) == []


def test_an_endpoint_without_an_identity_is_told() -> None:
    one = only("END009", in_state("waiting-for-identity", message="Waiting for identity"))
    assert (one.subject.kind, one.subject.namespace) == ("Endpoint", "shop")
    assert one.asserts
    assert found("END010", in_state("waiting-for-identity")) == []


def test_waiting_for_an_identity_for_a_moment_is_normal() -> None:
    waits = in_state("waiting-for-identity")
    for edits in ((in_look(1, waits),), (in_look(2, waits),)):
        assert found("END009", *edits) == []
    assert found("END009", in_state("waiting-for-identity", "2026-11-23T01:41:30Z")) == []
    assert found("END009", waits, gap(LIST)) == []


def as_init(one: Json) -> None:
    one["status"]["identity"] = {"id": 5, "labels": ["reserved:init"]}


def test_a_pod_that_keeps_the_identity_init_is_told() -> None:
    one = only("END011", each_endpoint(as_init))
    assert (one.subject.kind, one.subject.namespace) == ("Pod", "shop")
    assert "reserved:init" in excerpts(one)


def test_a_pod_that_gets_its_identity_is_no_fault() -> None:
    def young(item: Json) -> Json:
        item["status"]["startTime"] = "2026-11-23T01:41:00Z"
        return item

    assert found("END011", in_look(1, each_endpoint(as_init))) == []
    assert found("END011", in_look(2, each_endpoint(as_init))) == []
    assert found("END011", each_endpoint(as_init), each("pods", young)) == []
    assert found("END011", each_endpoint(as_init), gap(of("pods"))) == []


def test_text_without_a_log_proves_no_duration() -> None:
    def change(answer: bytes) -> bytes:
        return answer.replace(b"   ready   ", b"   regenerating   ", 1)

    text = body(lambda request: LIST(request) is False and command(*TEXT)(request), change)
    assert found("END010", gap(LIST), text) == []


@pytest.mark.parametrize(("at", "count"), [("2026-11-23T01:53:55Z", 0), ("2026-11-23T01:53:25Z", 1)])
def test_one_attempt_that_failed_seconds_ago_is_made_again(at: str, count: int) -> None:
    def change(answer: bytes) -> bytes:
        every = json.loads(answer)
        for one in every:
            for entry in one["status"].get("log") or ():
                entry["timestamp"] = at
        return json.dumps(every).encode()

    assert len(found("END002", body(LIST, change), cluster=LAB)) == count

from __future__ import annotations

import json

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, found, only, outcome
from tests.edited import Edit, answered, body, command, each, gap, in_look, of

LIST = command("cilium-dbg", "endpoint", "list", "-o", "json")
REDIS = "10.244.0.68"


def drop_published(item: Json) -> Json | None:
    return None if item["metadata"]["name"].startswith("redis-") else item


def unknown_to_agent() -> Edit:
    def change(answer: bytes) -> bytes:
        every = json.loads(answer)
        kept = [
            one
            for one in every
            if all(pair.get("ipv4") != REDIS for pair in one["status"]["networking"]["addressing"])
        ]
        return json.dumps(kept).encode()

    return body(LIST, change)


LOST = (each("ciliumendpoints", drop_published), unknown_to_agent())


def test_the_recorded_pod_without_an_endpoint_is_told() -> None:
    one = only("END001", cluster="18-stale-endpoint")
    assert one.severity is Severity.ERROR
    assert one.subjects == (Ref("Pod", "legacy-5bd6d56859-pbm5g", "default", "lab-node-1"),)


@pytest.mark.parametrize("cluster", ["healthy", "01-policy-wrong-label", "06-regeneration-failing"])
def test_every_other_recorded_pod_is_managed(cluster: str) -> None:
    assert found("END001", cluster=cluster) == []


def test_an_endpoint_that_only_is_not_published_is_another_matter() -> None:
    assert found("END001", *LOST) != []
    assert found("END001", LOST[0]) == []


def test_one_look_proves_nothing() -> None:
    assert found("END001", in_look(2, LOST[0]), LOST[1]) == []
    assert found("END001", *LOST, looks=1) == []


def test_pods_without_need_of_an_endpoint_are_left_out() -> None:
    def own_network(item: Json) -> Json:
        item["spec"]["hostNetwork"] = True
        return item

    def young(item: Json) -> Json:
        item["status"]["startTime"] = "2026-11-23T01:42:00Z"
        return item

    def done(item: Json) -> Json:
        item["status"]["phase"] = "Succeeded"
        return item

    for change in (own_network, young, done):
        assert found("END001", *LOST, each("pods", change)) == []


@pytest.mark.parametrize(
    "edit",
    [
        gap(of("ciliumendpoints")),
        gap(of("ciliumendpoints"), GapKind.NOT_FOUND),
        answered(of("ciliumendpoints"), b'{"kind":"CiliumEndpointList","items":null}\n'),
    ],
)
def test_without_the_list_of_endpoints_nothing_is_missing(edit: Edit) -> None:
    assert found("END001", edit) == []
    assert outcome("END001", edit).kind is OutcomeKind.COULD_NOT_LOOK

"""What Kubernetes, the agent and the endpoint map know of an endpoint, and where they differ."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from playbooks.model.request import Request
from tests.agent.judged import Json, config, excerpts, found, only, outcome
from tests.edited import Edit, answered, body, command, each, gap, in_look, of

LIST = command("cilium-dbg", "endpoint", "list", "-o", "json")
MAP = command("cilium-dbg", "bpf", "endpoint", "list")
IPCACHE = command("cilium-dbg", "bpf", "ipcache", "list")
REDIS = "redis-75c57dcdd-vgv8d"
ADDRESS = "10.244.0.68"
NODE = "lab-node-1"
POD = Ref("Pod", REDIS, "shop", NODE)


def without(name: str) -> Callable[[Json], Json | None]:
    return lambda item: None if item["metadata"]["name"] == name else item


def unknown_to_agent() -> Edit:
    def change(answer: bytes) -> bytes:
        every = json.loads(answer)
        kept = [
            one
            for one in every
            if all(pair.get("ipv4") != ADDRESS for pair in one["status"]["networking"]["addressing"])
        ]
        return json.dumps(kept).encode()

    return body(LIST, change)


def rows(change: Callable[[str], str | None], of_map: Callable[[Request], bool] = MAP) -> Edit:
    """Change the rows of a map, in both of its forms."""

    def edit(answer: bytes) -> bytes:
        if answer.lstrip().startswith(b"{"):
            made: dict[str, list[str]] = {}
            for key, values in json.loads(answer).items():
                line = change(f"{key} {values[0]}")
                if line is not None:
                    name, _, value = line.partition(" ")
                    made[name] = [value]
            return json.dumps(made).encode()
        kept = [changed for line in answer.decode().splitlines() if (changed := change(line)) is not None]
        return "\n".join(kept).encode() + b"\n"

    return body(of_map, edit)


NO_CEP = each("ciliumendpoints", without(REDIS))


def test_an_endpoint_that_is_not_published_is_told() -> None:
    one = only("END012", NO_CEP)
    assert one.severity is Severity.WARN, "there is one node: nobody else has to know"
    assert one.subject == POD
    assert found("END001", NO_CEP) == []


@pytest.mark.parametrize("look", [1, 2])
def test_publishing_may_take_a_moment(look: int) -> None:
    assert found("END012", in_look(look, NO_CEP)) == []


def test_where_endpoints_are_not_published_none_is_missing() -> None:
    assert found("END012", NO_CEP, config(disable_endpoint_crd="true")) == []
    ended = outcome("END012", NO_CEP, config(disable_endpoint_crd="true"))
    assert ended.kind is OutcomeKind.NOT_APPLICABLE


@pytest.mark.parametrize(
    "edit",
    [
        gap(of("ciliumendpoints")),
        gap(of("ciliumendpoints"), GapKind.NOT_FOUND),
        answered(of("ciliumendpoints"), b'{"kind":"CiliumEndpointList","items":null}\n'),
    ],
)
def test_without_the_list_nothing_is_unpublished(edit: Edit) -> None:
    assert found("END012", edit) == []
    assert outcome("END012", edit).kind is OutcomeKind.COULD_NOT_LOOK


def test_a_published_endpoint_that_its_agent_lacks_is_told() -> None:
    one = only("END013", unknown_to_agent())
    assert one.subject == POD
    assert one.severity is Severity.ERROR
    assert found("END001", unknown_to_agent()) == []


def test_an_agent_that_just_started_may_lack_endpoints() -> None:
    def started(item: Json) -> Json:
        for one in item["status"].get("containerStatuses") or ():
            if one["name"] == "cilium-agent":
                one["state"]["running"]["startedAt"] = "2026-11-23T01:39:30Z"
        return item

    assert found("END013", unknown_to_agent(), each("pods", started)) == []
    assert found("END013", in_look(1, unknown_to_agent())) == []
    assert found("END013", gap(LIST), gap(command("cilium-dbg", "endpoint", "list"))) == []


GONE = each("pods", without(REDIS))


def test_an_endpoint_without_a_pod_is_told() -> None:
    one = only("END014", GONE)
    assert (one.subject.kind, one.subject.name, one.subject.namespace) == ("Endpoint", "811", "shop")
    assert ADDRESS in one.summary.raw
    assert one.severity is Severity.WARN


def test_a_pod_that_just_went_or_comes_is_no_fault() -> None:
    def begins(item: Json) -> Json:
        if item["metadata"]["name"] == REDIS:
            item["status"] = {"phase": "Pending"}
        return item

    assert found("END014", in_look(2, GONE)) == []
    assert found("END014", GONE, looks=1) == []
    assert found("END014", each("pods", begins)) == []


def test_a_list_of_one_namespace_proves_no_pod_gone() -> None:
    def whole(request: object) -> bool:
        return of("pods")(request) and not getattr(request, "namespace", "")  # type: ignore[arg-type]

    assert found("END014", gap(whole)) == []


def test_an_address_that_the_map_lacks_is_told() -> None:
    one = only("END015", rows(lambda line: None if line.startswith(f"{ADDRESS}:") else line))
    assert one.severity is Severity.ERROR
    assert one.subject == Ref("Endpoint", REDIS, "shop", NODE)
    assert f"lacks {ADDRESS}" in one.summary.raw
    assert "missing" in excerpts(one)


def test_an_address_that_leads_to_another_endpoint_is_told() -> None:
    def other(line: str) -> str:
        if not line.startswith(f"{ADDRESS}:"):
            return line
        name, _, value = line.partition(" ")
        words = ["id=9" if word.startswith("id=") else word for word in value.split()]
        return f"{name} {' '.join(words)}"

    one = only("END015", rows(other))
    assert one.severity is Severity.ERROR
    assert "endpoint 9 instead of 811" in one.summary.raw


def test_a_row_too_many_is_only_told() -> None:
    def more(answer: bytes) -> bytes:
        every = json.loads(answer)
        key = next(key for key in every if key.startswith(f"{ADDRESS}:"))
        return json.dumps({**every, key.replace(ADDRESS, "10.244.0.69"): every[key]}).encode()

    one = only("END015", body(MAP, more))
    assert one.severity is Severity.INFO


def test_a_map_that_follows_is_no_fault() -> None:
    lost = rows(lambda line: None if line.startswith(f"{ADDRESS}:") else line)
    assert found("END015") == []
    assert found("END015", in_look(1, lost)) == []
    assert found("END015", in_look(2, lost)) == []
    assert found("END015", lost, looks=1) == []
    assert found("END015", gap(MAP)) == []


def no_identity(line: str) -> str | None:
    return None if line.startswith(f"{ADDRESS}/32 ") else line


def test_an_address_without_its_identity_in_the_ipcache_is_told() -> None:
    one = only("END023", rows(no_identity, IPCACHE))
    assert one.severity is Severity.ERROR
    assert one.subject == Ref("Endpoint", REDIS, "shop")
    assert f"lacks {ADDRESS}/32" in one.summary.raw
    assert "missing" in excerpts(one)
    assert all(fix.steps[0].is_capture for fix in one.fixes)


def test_an_address_with_the_identity_of_another_is_told() -> None:
    def other(line: str) -> str:
        return line.replace("identity=", "identity=9") if line.startswith(f"{ADDRESS}/32 ") else line

    one = only("END023", rows(other, IPCACHE))
    assert one.severity is Severity.ERROR
    assert one.subject.name == REDIS
    assert "another identity" in one.summary.raw


def test_an_ipcache_that_follows_or_was_cut_is_no_fault() -> None:
    lost = rows(no_identity, IPCACHE)
    assert found("END023") == []
    assert found("END023", in_look(1, lost)) == []
    assert found("END023", in_look(2, lost)) == []
    assert found("END023", lost, looks=1) == []
    assert found("END023", gap(IPCACHE)) == []


def test_an_ipcache_that_lost_all_is_one_finding_about_its_node() -> None:
    one = only("END023", rows(lambda line: line if line.startswith("0.0.0.0/0") else None, IPCACHE))
    assert one.subject.kind == "Node"
    assert "more addresses" in one.summary.raw

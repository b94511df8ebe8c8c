from __future__ import annotations

import json

import pytest

from playbooks.model.answer import Answer, Gap, GapKind, answer
from playbooks.model.request import AgentCommand, ContainerLog, Objects, Request, Resource
from tests.edited import added, answered, body, command, each, edited, gap, in_look, log, log_lines, of
from tests.recorded import source

PODS = Objects(Resource("", "v1", "pods", "Pod"))
NODES = Objects(Resource("", "v1", "nodes", "Node", is_namespaced=False))
AGENT = "cilium-zhqmw"
LOG = ContainerLog("kube-system", AGENT, "cilium-agent", "lab-node-1")
PREVIOUS = ContainerLog("kube-system", AGENT, "cilium-agent", "lab-node-1", is_previous=True)
STATUS = AgentCommand(
    "lab-node-1", "kube-system", AGENT, "cilium-agent", ("cilium-dbg", "status", "-o", "json")
)
LINE = 'time=2026-11-23T01:41:00Z level=fatal msg="failed to start: it is broken"'


async def ask(cluster: object, request: Request, look: int = 1) -> Answer | Gap:
    return await answer(cluster, request, look)  # type: ignore[arg-type]


async def text(cluster: object, request: Request, look: int = 1) -> str:
    told = await ask(cluster, request, look)
    assert isinstance(told, Answer), told
    return told.body.decode()


async def test_without_edits_the_answer_is_the_recorded_one() -> None:
    recorded = source("healthy")
    for request in (PODS, LOG, STATUS, PREVIOUS):
        assert await ask(edited(recorded), request) == await ask(recorded, request)


async def test_lines_are_put_verbatim_at_the_end_of_a_log() -> None:
    before = await text(source("healthy"), LOG)
    assert await text(edited(source("healthy"), log_lines(LINE)), LOG) == before + LINE + "\n"


async def test_lines_can_be_put_at_the_beginning() -> None:
    cluster = edited(source("healthy"), log_lines(LINE, at_end=False))
    assert (await text(cluster, LOG)).startswith(LINE + "\n")


async def test_a_previous_log_that_was_not_there_comes_to_be() -> None:
    cluster = edited(source("healthy"), log_lines(LINE, previous=True))
    assert await text(cluster, PREVIOUS) == LINE + "\n"
    assert LINE not in await text(cluster, LOG)


async def test_lines_of_another_container_change_nothing() -> None:
    cluster = edited(source("healthy"), log_lines(LINE, container="config"))
    assert LINE not in await text(cluster, LOG)


async def test_objects_are_changed_one_by_one_and_taken_out() -> None:
    def only_agent(pod: dict[str, dict[str, str]]) -> dict[str, dict[str, str]] | None:
        pod["metadata"]["uid"] = "changed"
        return pod if pod["metadata"]["name"] == AGENT else None

    items = json.loads(await text(edited(source("healthy"), each("pods", only_agent)), PODS))["items"]
    assert [(item["metadata"]["name"], item["metadata"]["uid"]) for item in items] == [(AGENT, "changed")]


async def test_an_object_that_is_taken_out_is_not_found_by_name() -> None:
    config = Objects(
        Resource("", "v1", "configmaps", "ConfigMap"), namespace="kube-system", name="cilium-config"
    )
    told = await ask(edited(source("healthy"), each("configmaps", lambda item: None)), config)
    assert isinstance(told, Gap)
    assert told.kind is GapKind.NOT_FOUND


async def test_objects_are_added_to_a_list() -> None:
    node = {"metadata": {"name": "second"}}
    items = json.loads(await text(edited(source("healthy"), added("nodes", node)), NODES))["items"]
    assert [item["metadata"]["name"] for item in items] == ["lab-node-1", "second"]


async def test_bytes_are_changed_by_a_function() -> None:
    cluster = edited(source("healthy"), body(command("cilium-dbg", "status"), bytes.upper))
    assert await text(cluster, STATUS) == (await text(source("healthy"), STATUS)).upper()


async def test_an_answer_is_replaced_with_its_exit_code() -> None:
    cluster = edited(source("healthy"), answered(command(), b"", 1, b"Error: no\n"))
    told = await ask(cluster, STATUS)
    assert isinstance(told, Answer)
    assert (told.body, told.end.exit_code, told.end.stderr) == (b"", 1, b"Error: no\n")


async def test_an_answer_cannot_be_made_up_for_what_was_never_asked() -> None:
    request = AgentCommand("lab-node-1", "kube-system", AGENT, "cilium-agent", ("never",))
    with pytest.raises(LookupError, match="not recorded"):
        await ask(edited(source("healthy"), answered(command("never"), b"")), request)


@pytest.mark.parametrize(
    ("which", "request_"),
    [(of("pods"), PODS), (command(), STATUS), (log("cilium-agent"), LOG), (log(previous=True), PREVIOUS)],
)
async def test_evidence_is_taken_away(which: object, request_: Request) -> None:
    cluster = edited(source("healthy"), gap(which, GapKind.TIMED_OUT))  # type: ignore[arg-type]
    told = await ask(cluster, request_)
    assert isinstance(told, Gap)
    assert told.kind is GapKind.TIMED_OUT
    assert isinstance(await ask(cluster, NODES), Answer)


async def test_an_edit_of_one_look_leaves_the_other() -> None:
    cluster = edited(source("healthy"), in_look(2, gap(of("pods"))))
    assert isinstance(await ask(cluster, PODS, 1), Answer)
    assert isinstance(await ask(cluster, PODS, 2), Gap)

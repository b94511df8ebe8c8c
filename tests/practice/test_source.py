"""The world as a source of answers and gaps."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from playbooks.model.answer import Answer, Gap, GapKind, answer
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request, Resource
from playbooks.practice.access import Access, Permission
from playbooks.practice.source import WorldSource
from playbooks.practice.world import START, World, build
from tests.practice.worlds import seen

PODS = Resource("", "v1", "pods", "Pod")
NODES = Resource("", "v1", "nodes", "Node", False)
CILIUM_NODES = Resource("cilium.io", "v2", "ciliumnodes", "CiliumNode", False)


async def got(world: World, request: Request) -> Answer:
    result = await answer(WorldSource(world), request, 0)
    assert isinstance(result, Answer), result
    return result


async def missed(world: World, request: Request) -> Gap:
    result = await answer(WorldSource(world), request, 0)
    assert isinstance(result, Gap), result
    return result


def ask(world: World, *argv: str, node: str = "", container: str = "cilium-agent") -> AgentCommand:
    run = world.agents[node or next(iter(world.agents))]
    return AgentCommand(run.node, run.namespace, run.name, container, argv)


def broken(world: World) -> AgentCommand:
    node = next(node for node, run in world.agents.items() if not run.is_ready)
    return ask(world, "cilium-dbg", "status", node=node)


async def test_a_list_comes_in_pages_of_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playbooks.practice.source.PAGE", 4)
    world = build()
    result = await got(world, Objects(NODES))
    pages = [json.loads(line) for line in result.body.splitlines()]
    assert [len(page["items"]) for page in pages] == [4, 2]
    assert "continue" in pages[0]["metadata"]
    assert "continue" not in pages[1]["metadata"]
    names = [item["metadata"]["name"] for page in pages for item in page["items"]]
    assert names == sorted(names)


async def test_lists_are_narrowed_by_labels_fields_and_namespace() -> None:
    world = seen()
    node = list(world.agents)[1]
    request = Objects(PODS, namespace="kube-system", labels="k8s-app=cilium", fields=f"spec.nodeName={node}")
    items = json.loads((await got(world, request)).body)["items"]
    assert [item["spec"]["nodeName"] for item in items] == [node]


async def test_one_object_is_one_line() -> None:
    world = seen()
    name = next(iter(world.agents))
    item = json.loads((await got(world, Objects(CILIUM_NODES, name=name))).body)
    assert (item["kind"], item["metadata"]["name"]) == ("CiliumNode", name)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (Objects(PODS, namespace="shop", name="nosuch"), GapKind.NOT_FOUND),
        (Objects(Resource("cilium.io", "v2", "ciliumegressgatewaypolicies", "X", False)), GapKind.NOT_FOUND),
        (Objects(PODS, fields="nosuch=1"), GapKind.FAILED),
        (ContainerLog("shop", "nosuch", "x"), GapKind.NOT_FOUND),
        (ApiPath("/apis/nosuch.io/v1"), GapKind.NOT_FOUND),
    ],
)
async def test_what_is_not_there_is_a_gap(request_: Request, kind: GapKind) -> None:
    gap = await missed(seen(), request_)
    assert gap.kind is kind
    assert gap.command == request_.command()


async def test_a_command_that_fails_is_an_answer_with_its_exit_code() -> None:
    world = seen()
    result = await got(world, ask(world, "cilium-dbg", "nosuch"))
    assert result.end.exit_code == 1
    assert result.end.stderr.startswith(b'Error: unknown command "nosuch" for "cilium-dbg"\n')
    assert result.end.where == f"{result.request.node}/kube-system/{world.agents[result.request.node].name}"


async def test_a_program_that_the_image_lacks_is_a_gap() -> None:
    world = seen()
    assert (await missed(world, ask(world, "tcpdump", "-i", "any"))).kind is GapKind.NOT_FOUND


async def test_a_crashing_agent_does_not_run() -> None:
    world = seen("agent-crashloop")
    gap = await missed(world, broken(world))
    assert gap.kind is GapKind.NOT_RUNNING
    assert 'container not found ("cilium-agent")' in gap.detail


async def test_an_agent_that_hangs_times_out_whatever_it_is_asked() -> None:
    world = seen("agent-hangs")
    node = next(iter(world.silent_nodes))
    for argv in (("cilium-dbg", "status"), ("timeout", "-k", "2", "5", "true")):
        assert (await missed(world, ask(world, *argv, node=node))).kind is GapKind.TIMED_OUT
    others = [other for other in world.agents if other != node]
    for other in others:
        await got(world, ask(world, "cilium-dbg", "status", node=other))


async def test_a_time_limit_around_a_command_changes_nothing() -> None:
    world = seen()
    plain = await got(world, ask(world, "cilium-dbg", "status"))
    limited = await got(world, ask(world, "timeout", "-k", "2", "30", "cilium-dbg", "status"))
    assert plain.body == limited.body


async def test_forbidden_names_verb_and_resource() -> None:
    world = build()
    world.access = Access("jane", (Permission(("",), ("pods",), ("get", "list"), ("shop",)),))
    pods = await missed(world, Objects(PODS))
    assert pods.kind is GapKind.FORBIDDEN
    assert pods.detail == (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope'
    )
    await got(world, Objects(PODS, namespace="shop"))
    nodes = await missed(world, Objects(CILIUM_NODES))
    assert '"ciliumnodes" in API group "cilium.io"' in nodes.detail
    exec_ = await missed(world, ask(world, "cilium-dbg", "status"))
    assert exec_.kind is GapKind.FORBIDDEN
    assert 'cannot get resource "pods/exec"' in exec_.detail


async def test_logs_end_with_what_happened_last() -> None:
    world = seen("agent-crashloop")
    pod = broken(world).pod
    for is_previous in (False, True):
        request = ContainerLog("kube-system", pod, "cilium-agent", is_previous=is_previous, tail=3)
        lines = (await got(world, request)).body.splitlines()
        assert len(lines) == 3
        assert b"level=fatal" in lines[-1]
    config = await got(world, ContainerLog("kube-system", pod, "config"))
    assert b"Got configuration source" in config.body


async def test_a_container_that_ran_once_has_no_previous_log() -> None:
    world = seen()
    pod = next(iter(world.agents.values())).name
    gap = await missed(world, ContainerLog("kube-system", pod, "cilium-agent", is_previous=True))
    assert gap.detail == f'previous terminated container "cilium-agent" in pod "{pod}" not found'


async def test_only_young_lines_when_asked_for_them() -> None:
    world = seen()
    pod = next(run.name for run in world.runs.values() if run.name.startswith("cart-client"))
    every = (await got(world, ContainerLog("shop", pod, "cart-client"))).body.splitlines()
    young = (await got(world, ContainerLog("shop", pod, "cart-client", since_seconds=10))).body.splitlines()
    assert 0 < len(young) < len(every)
    assert every[-len(young) :] == young


async def test_waiting_agents_log_the_missing_definitions() -> None:
    world = seen("operator-down")
    run = next(iter(world.agents.values()))
    body = (await got(world, ContainerLog(run.namespace, run.name, "cilium-agent"))).body.decode()
    line = body.splitlines()[-1]
    assert (
        'level=info msg="Still waiting for Cilium Operator to register the following CRDs: [crd:cilium'
        in line
    )


async def test_a_pause_moves_the_clock_and_nothing_sleeps() -> None:
    source = WorldSource(build(), "mine")
    await source.pause(3600)
    assert (source.name, source.now) == ("mine", START + timedelta(hours=1))
    await source.close()


async def test_a_path_is_answered_as_the_server_does() -> None:
    world = seen()
    version = json.loads((await got(world, ApiPath("/version"))).body)
    assert version["gitVersion"] == "v1.34.4"
    resources = json.loads((await got(world, ApiPath("/apis/cilium.io/v2"))).body)["resources"]
    assert "ciliumendpoints" in [entry["name"] for entry in resources]

"""The lower rungs: commands in the Relay pod and in agents, monitors where Hubble is off; the ladder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.model.hubble.seen.order import Merge
from playbooks.sources.access import ConnectOptions, load
from playbooks.sources.hubble import Batch, Event, NodeStatus, Phase, Rung, Skew, State
from playbooks.sources.hubble.agents import InAgents, InMonitors, InRelay, nearest
from playbooks.sources.hubble.commands import ALL, MONITOR, STATUS, observe
from playbooks.sources.hubble.feed import Late
from playbooks.sources.hubble.inbox import Inbox
from playbooks.sources.hubble.ladder import ladder
from playbooks.sources.hubble.places import AgentPlace
from playbooks.sources.hubble.settings import Settings
from playbooks.sources.hubble.stream import Step, Stream
from playbooks.sources.hubble.wish import SECOND, Wish, everything, troubles
from tests.sources.apiserver import Asked, Output, no_such_program, refusal
from tests.sources.hubble.cluster import PODS, Cluster, agent_pod, api, gathered_aside, lines, relay_pod
from tests.sources.hubble.observing import Answer, Hurry, Observed, at, flow, lost, of, uuids
from tests.sources.living import HASTY

ONCE = Wish(observer_pb2.GetFlowsRequest(number=20))
NO_SERVER = Output(stderr=b"failed to connect to 'unix:///var/run/cilium/hubble.sock': no such file", code=1)
VERDICT = (
    b"Policy verdict log: flow 0x0 local EP ID 51, remote ID host, proto 6, ingress, action deny, "
    b"auth: disabled, match none, 10.0.0.1:5 -> 10.0.0.2:80 tcp SYN\n"
)


@asynccontextmanager
async def clustered(*nodes: str) -> AsyncIterator[Cluster]:
    async with Cluster() as cluster:
        cluster.items[PODS] = [agent_pod(node) for node in nodes or ("node-1",)]
        cluster.outputs[STATUS] = Output(b"{}")
        yield cluster


def last(events: list[Event]) -> State:
    return of(State, events)[-1]


def stream(step: Step, wish: Wish = ONCE) -> Stream:
    return Stream([step], wish, clock=Hurry())


async def test_hubble_in_agents(tmp_path: Path) -> None:
    said = lines(flow("c/node-1", 1), lost("c/node-1", 2, 5), flow("c/node-1", 3, Summary="é" * 9000))
    async with clustered() as cluster:
        cluster.outputs[observe(ONCE)] = Output(b"noise\n" + said + b"{broken\n")
        events = await gathered_aside(stream(InAgents(api(cluster, tmp_path))))
    assert uuids(events) == ["c/node-1@1", "c/node-1@3"]
    assert (last(events).phase, last(events).rung, last(events).gap) == (Phase.ENDED, Rung.AGENTS, None)
    assert all(asked.method == "GET" for asked in cluster.asked)


async def test_several_nodes_are_put_in_order(tmp_path: Path) -> None:
    async with clustered("node-1", "node-2") as cluster:
        cluster.outputs[observe(ONCE)] = Output(
            lines(flow("n", 2, "b"), flow("n", 1, "a"), flow("n", 3, "c"))
        )
        events = await gathered_aside(stream(InAgents(api(cluster, tmp_path))))
    assert uuids(events) == ["a", "a", "b", "b", "c", "c"]


async def test_a_flow_that_is_followed_is_shown_before_more_come(tmp_path: Path) -> None:
    wish = everything()
    async with clustered() as cluster:
        cluster.outputs[observe(wish)] = Output(lines(flow("n", 1)), hangs=True)
        made = stream(InAgents(api(cluster, tmp_path), merge=Merge(0)), wish)
        events = await gathered_aside(made, lambda events: bool(uuids(events)))
    assert uuids(events) == ["n@1"]
    live = next(state for state in of(State, events) if state.phase is Phase.LIVE)
    assert live.detail == "1 of 1 nodes"


async def test_a_command_that_ends_by_its_limit_is_begun_again_where_it_stopped(tmp_path: Path) -> None:
    wish = everything()
    async with clustered() as cluster:
        cluster.outputs[observe(wish)] = Output(lines(flow("n", 10)), code=124)
        again = observe(wish.since(at(8)))
        cluster.outputs[again] = Output(
            lines(flow("n", 9.5, "old"), flow("n", 10), flow("n", 11)), hangs=True
        )
        made = stream(InAgents(api(cluster, tmp_path), merge=Merge(0)), wish)
        events = await gathered_aside(made, lambda events: "n@11" in uuids(events))
    assert sorted(uuids(events)) == ["n@10", "n@11", "old"]
    assert of(NodeStatus, events) == []


async def test_an_agent_that_is_lost_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    async with clustered("node-1", "node-2") as cluster:
        cluster.outputs[observe(ONCE)] = Output(lines(flow("n", 1)))
        cluster.refuse = lambda asked: (
            refusal(500, "error dialing backend: no route to host")
            if asked.path.endswith("cilium-node-2/exec") and "observe" in asked.argv
            else None
        )
        events = await gathered_aside(stream(InAgents(api(cluster, tmp_path))))
    (told,) = of(NodeStatus, events)
    assert told.nodes == ("node-2",)
    assert "kubelet" in told.message
    assert uuids(events) == ["n@1"]


async def test_hubble_that_is_off_says_how_to_turn_it_on(tmp_path: Path) -> None:
    async with clustered("node-1", "node-2") as cluster:
        cluster.outputs[STATUS] = NO_SERVER
        (left,) = last(await gathered_aside(stream(InAgents(api(cluster, tmp_path))))).left
    assert left.gap.kind is GapKind.NOT_RUNNING
    assert "no such file (and 1 more nodes)" in left.gap.detail
    assert "hubble.enabled" in left.gap.remedy


async def test_an_image_without_the_command(tmp_path: Path) -> None:
    async with clustered() as cluster:
        cluster.outputs[STATUS] = no_such_program("hubble")
        cluster.has_timeout = False
        (left,) = last(await gathered_aside(stream(InAgents(api(cluster, tmp_path))))).left
    assert left.gap.kind is GapKind.NOT_FOUND


async def test_agent_events_come_as_what_they_are(tmp_path: Path) -> None:
    wish = Wish(observer_pb2.GetAgentEventsRequest(number=20))
    line = b'{"agent_event":{"type":"AGENT_STARTED"},"node_name":"n","time":"2026-11-23T01:00:00Z"}\n'
    async with clustered() as cluster:
        cluster.outputs[observe(wish)] = Output(line)
        events = await gathered_aside(stream(InAgents(api(cluster, tmp_path)), wish))
    ((raw,),) = [batch.raws for batch in of(Batch, events)]
    found = observer_pb2.GetAgentEventsResponse.FromString(raw)
    assert (found.agent_event.type, found.node_name) == (flow_pb2.AgentEventType.AGENT_STARTED, "n")


async def test_hubble_in_the_relay_pod_where_it_has_one(tmp_path: Path) -> None:
    async with clustered() as cluster:
        cluster.items[PODS] = [relay_pod({"name": "hubble-cli"})]
        cluster.outputs[observe(ONCE)] = Output(lines(flow("n", 1)))
        assert uuids(await gathered_aside(stream(InRelay(api(cluster, tmp_path))))) == ["n@1"]
        assert {dict(asked.query)["container"] for asked in cluster.asked if asked.argv} == {"hubble-cli"}
        cluster.items[PODS] = [relay_pod()]
        (left,) = last(await gathered_aside(stream(InRelay(api(cluster, tmp_path))))).left
        assert "has no container with the hubble command" in left.gap.detail


async def test_monitors_where_hubble_is_off(tmp_path: Path) -> None:
    wish = troubles()
    async with clustered() as cluster:
        cluster.outputs[MONITOR] = Output(VERDICT * 50, hangs=True)
        made = stream(InMonitors(api(cluster, tmp_path), merge=Merge(0)), wish)
        events = await gathered_aside(made, lambda events: bool(uuids(events)))
        (left,) = last(await gathered_aside(stream(InMonitors(api(cluster, tmp_path))))).left
    raw = of(Batch, events)[0].raws[0]
    found = observer_pb2.GetFlowsResponse.FromString(raw).flow
    assert (found.verdict, found.source.identity, found.node_name) == (flow_pb2.Verdict.DROPPED, 1, "node-1")
    live = next(state for state in of(State, events) if state.phase is Phase.LIVE)
    assert live.detail.startswith(
        "drops and policy verdicts only, of 1 of 1 nodes, without names of pods; set the"
    )
    assert "only what happens from now on" in left.gap.detail


async def test_the_ladder_is_climbed_down_and_says_why(tmp_path: Path) -> None:
    with Observed([Answer()]) as server:
        nobody = server.target.address
    async with clustered() as cluster:
        cluster.outputs[STATUS] = NO_SERVER
        cluster.outputs[MONITOR] = Output(VERDICT * 50, hangs=True)
        options = ConnectOptions(kubeconfig=(str(cluster.kubeconfig(tmp_path)),))
        steps = ladder(Settings(nobody), load(options, environment={}), patience=HASTY)
        made = Stream(steps, troubles(), clock=Hurry())
        events = await gathered_aside(made, lambda events: bool(uuids(events)))
    live = next(state for state in of(State, events) if state.phase is Phase.LIVE)
    assert live.rung is Rung.MONITOR
    assert [left.rung for left in live.left] == [Rung.SERVER, Rung.RELAY, Rung.RELAY_EXEC, Rung.AGENTS]
    assert all(left.gap.detail for left in live.left)


async def test_nobody_can_tell_anything(tmp_path: Path) -> None:
    def refuse(asked: Asked):  # type: ignore[no-untyped-def]
        return refusal(403, "pods is forbidden", "Forbidden")

    async with clustered() as cluster:
        cluster.refuse = refuse
        options = ConnectOptions(kubeconfig=(str(cluster.kubeconfig(tmp_path)),))
        steps = ladder(Settings(), load(options, environment={}), patience=HASTY)
        end = last(await gathered_aside(Stream(steps, troubles(), clock=Hurry())))
    assert (end.phase, end.rung) == (Phase.ENDED, Rung.NONE)
    assert [left.gap.kind for left in end.left] == [GapKind.FORBIDDEN] * 4


def test_a_server_alone_is_the_whole_ladder_without_a_cluster() -> None:
    assert [step.rung for step in ladder(Settings("localhost:4245"), None)] == [Rung.SERVER]
    assert ladder(Settings(), None) == []


def test_the_targets_nodes_come_first_and_ten_are_enough() -> None:
    places = [AgentPlace(f"node-{n}", "kube-system", f"cilium-{n}", "cilium-agent") for n in range(30)]
    chosen = nearest(places, troubles(nodes=["node-25", "node-7"]))
    assert [place.node for place in chosen[:3]] == ["node-25", "node-7", "node-0"]
    assert len(chosen) == 10


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (observer_pb2.GetFlowsRequest(number=5), ("--last", "5")),
        (observer_pb2.GetFlowsRequest(number=5, first=True), ("--first", "5")),
        (observer_pb2.GetFlowsRequest(number=ALL), ("--all",)),
        (observer_pb2.GetFlowsRequest(), ("--all",)),
        (observer_pb2.GetFlowsRequest(follow=True), ("--follow",)),
        (
            observer_pb2.GetFlowsRequest(
                whitelist=[flow_pb2.FlowFilter(source_pod=["a/b"])],
                blacklist=[flow_pb2.FlowFilter(verdict=[flow_pb2.Verdict.DROPPED])],
                number=1,
            ),
            (
                "--last",
                "1",
                "--allowlist",
                '{"source_pod": ["a/b"]}',
                "--denylist",
                '{"verdict": ["DROPPED"]}',
            ),
        ),
    ],
)
def test_requests_as_commands(request_: observer_pb2.GetFlowsRequest, words: tuple[str, ...]) -> None:
    assert observe(Wish(request_)) == ("hubble", "observe", "-o", "jsonpb", *words)


def test_times_and_kinds_as_commands() -> None:
    wish = Wish(observer_pb2.GetDebugEventsRequest(follow=True)).since(1_790_000_000 * SECOND)
    assert observe(wish) == (
        *("hubble", "observe", "debug-events", "-o", "jsonpb", "--follow"),
        *("--since", "2026-09-21T14:13:20Z"),
    )


def test_what_comes_late_is_marked_in_its_batch() -> None:
    inbox = Inbox(lambda: datetime.now(UTC))
    for raw in (b"on time", Late(b"late"), b"on time"):
        inbox.put(raw)
    inbox.tell(Skew("node-1", 3.0))
    inbox.put(b"on time")
    first, _, second = inbox.take()
    assert isinstance(first, Batch)
    assert isinstance(second, Batch)
    assert (first.late, second.late) == ({1}, frozenset())

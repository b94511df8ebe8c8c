"""The whole way: our client, the address or the forward through the practice API server, and Relay."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.proto import observer_pb2
from playbooks.practice import operations
from playbooks.practice.access import Permission
from playbooks.practice.catalog import PODS
from playbooks.practice.objects import labels_of, name_of
from playbooks.practice.scenarios import load as load_scenario
from playbooks.practice.serving import Serving
from playbooks.practice.world import World, build
from playbooks.sources.access import ConnectOptions, load
from playbooks.sources.hubble import Event, Phase, Rung, State
from playbooks.sources.hubble.ladder import ladder
from playbooks.sources.hubble.settings import Settings
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import Wish, everything
from tests.practice.hubble.asking import EVERYTHING
from tests.practice.serving import Client, client
from tests.sources.hubble.observing import gathered, of, uuids

TWO = Wish(observer_pb2.GetFlowsRequest(number=2))
CONFIG = {"kind": "ConfigMap", "namespace": "kube-system", "name": "hubble-relay-config"}
V4 = ("v4.channel.k8s.io",)


def stream(serving: Serving, wish: Wish, *, direct: bool = False, **settings: object) -> Stream:
    """Of the cluster; or of the address only."""
    access = load(ConnectOptions(kubeconfig=(str(serving.kubeconfig),)), environment={})
    server = Settings(server=serving.hubble, tls=True, tls_ca_cert_files=(str(serving.hubble_authority),))
    asked = replace(server if direct else Settings(), **settings)  # type: ignore[arg-type]
    return Stream(ladder(asked, None if direct else access), wish)


async def told(made: Stream, count: int = 0) -> list[Event]:
    """All events of a stream, or so many flows, read in a thread: the servers need this one."""
    return await asyncio.to_thread(gathered, made, lambda events: bool(count) and len(uuids(events)) >= count)


def live(events: list[Event]) -> State:
    return next(state for state in of(State, events) if state.phase is Phase.LIVE)


def relay_pod(world: World) -> str:
    return next(
        name_of(pod) for pod in world.store.all(PODS) if labels_of(pod).get("k8s-app") == "hubble-relay"
    )


async def test_flows_by_the_address_with_tls(tmp_path: Path) -> None:
    async with client(build(), tmp_path) as cluster:
        events = await told(stream(cluster.serving, TWO, direct=True))
        assert len(uuids(events)) == 12
        assert live(events).detail == "hubble-relay v1.20.2+g0000000000, 6 nodes"
        events = await told(stream(cluster.serving, TWO, direct=True, tls_ca_cert_files=()))
        assert "is not trusted" in of(State, events)[-1].detail


@pytest.mark.parametrize("name", ["", "ui.hubble-relay.cilium.io"])
async def test_the_address_speaks_tls_13_with_the_charts_names(name: str, tmp_path: Path) -> None:
    async with client(build(nodes=3), tmp_path) as cluster:
        host, _, port = cluster.serving.hubble.partition(":")
        context = ssl.create_default_context(cafile=str(cluster.serving.hubble_authority))
        context.set_alpn_protocols(["h2"])

        def version() -> str | None:
            with (
                socket.create_connection((host, int(port)), 5) as plain,
                context.wrap_socket(plain, server_hostname=name or host) as wrapped,
            ):
                return wrapped.version()

        assert await asyncio.to_thread(version) == "TLSv1.3"


async def test_flows_by_a_forward_without_tls(tmp_path: Path) -> None:
    world = build()
    async with client(world, tmp_path) as cluster:
        events = await told(stream(cluster.serving, TWO))
        assert len(uuids(events)) == 12
        assert live(events).rung is Rung.RELAY
        asked = [one.path for one in cluster.serving.requests if one.path.endswith("/portforward")]
        assert set(asked) == {f"/api/v1/namespaces/kube-system/pods/{relay_pod(world)}/portforward"}
        assert not any(one.is_mutating for one in cluster.serving.requests)


async def test_flows_by_a_forward_with_tls(tmp_path: Path) -> None:
    world = build()
    merge = {"data": {"config.yaml": "listen-address: :4245\ndisable-server-tls: false\n"}}
    operations.carry_out(world, [{"patch": {**CONFIG, "merge": merge}}])
    async with client(world, tmp_path) as cluster:
        events = await told(stream(cluster.serving, TWO))
        assert (len(uuids(events)), live(events).rung) == (12, Rung.RELAY)
        trusting = stream(cluster.serving, TWO, tls_ca_cert_files=(str(cluster.serving.hubble_authority),))
        assert len(uuids(await told(trusting))) == 12


async def test_a_followed_stream_tells_what_happens_from_now_on(tmp_path: Path) -> None:
    world = build()
    async with client(world, tmp_path) as cluster:
        begin = Timestamp()
        begin.FromDatetime(world.now)
        events = await told(stream(cluster.serving, everything()), 30)
        found = uuids(events)
        assert len(set(found)) == len(found) >= 30
        wish = Wish(observer_pb2.GetFlowsRequest(number=EVERYTHING, since=begin))
        again = await told(stream(cluster.serving, wish, direct=True))
        assert set(found) <= set(uuids(again))


async def test_without_hubble_drops_come_from_the_monitors(tmp_path: Path) -> None:
    async with client(load_scenario("hubble-off").world(0), tmp_path) as cluster:
        assert (cluster.serving.hubble, cluster.serving.hubble_authority) == ("", None)
        events = await told(stream(cluster.serving, everything()), 3)
        state = live(events)
        assert state.rung is Rung.MONITOR
        assert "hubble.relay.enabled" in state.detail
        assert [left.rung for left in state.left] == [Rung.RELAY, Rung.RELAY_EXEC, Rung.AGENTS]


async def test_without_relay_flows_come_from_the_agents(tmp_path: Path) -> None:
    world = build()
    scale = {"kind": "Deployment", "namespace": "kube-system", "name": "hubble-relay", "replicas": 0}
    operations.carry_out(world, [{"scale": scale}, {"wait": 30}])
    async with client(world, tmp_path) as cluster:
        events = await told(stream(cluster.serving, TWO))
        assert (len(uuids(events)), live(events).rung) == (12, Rung.AGENTS)
        followed = await told(stream(cluster.serving, everything()), 10)
        assert live(followed).rung is Rung.AGENTS
        direct = await told(stream(cluster.serving, TWO, direct=True))
        assert "no pod of hubble-relay is running" in of(State, direct)[-1].detail


async def test_relay_beside_a_broken_agent_knows_nobody(tmp_path: Path) -> None:
    async with client(load_scenario("agent-crashloop").world(0), tmp_path) as cluster:
        events = await told(stream(cluster.serving, TWO, direct=True))
        assert uuids(events) == []


async def forwarded(cluster: Client, pod: str, *ports: str, sent: bytes = b"") -> list[bytes]:
    """The frames of a forward until it is closed, or until a hundred bytes came."""
    url = f"{cluster.serving.url}/api/v1/namespaces/kube-system/pods/{pod}/portforward"
    found: list[bytes] = []
    query = [("ports", port) for port in ports]
    async with cluster.session.ws_connect(url, params=query, protocols=V4) as channel:
        if sent:
            await channel.send_bytes(b"\x00" + sent)
        async for message in channel:
            found.append(message.data)
            if sent and len(found) > 2:
                break
    return found


async def test_a_forward_greets_with_the_port_and_passes_bytes_on(tmp_path: Path) -> None:
    world = build(nodes=3)
    async with client(world, tmp_path) as cluster:
        hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack("!I", 0)[1:] + b"\x04" + b"\x00" * 5
        port = struct.pack("<H", 4245)
        first, second, third = await forwarded(cluster, relay_pod(world), "4245", sent=hello)
        assert (first, second) == (b"\x00" + port, b"\x01" + port)
        # The server's settings, the first of HTTP/2.
        assert (third[0], third[4]) == (0, 4)


async def test_a_forward_to_a_port_where_nobody_listens_says_so(tmp_path: Path) -> None:
    world = build(nodes=3)
    async with client(world, tmp_path) as cluster:
        frames = await forwarded(cluster, relay_pod(world), "1,2")
        greetings = [bytes((channel,)) + struct.pack("<H", port) for channel, port in enumerate((1, 1, 2, 2))]
        assert frames[:4] == greetings
        assert [frame[:1] for frame in frames[4:]] == [b"\x01", b"\x03"]
    coredns = next(
        name_of(pod) for pod in world.store.all(PODS) if labels_of(pod).get("k8s-app") == "kube-dns"
    )
    async with client(world, tmp_path) as cluster:
        frames = await forwarded(cluster, coredns, "4245")
        assert frames[-1].startswith(b"\x01an error occurred forwarding 4245 -> 4245")
        assert frames[-1].endswith(b"connection refused")


@pytest.mark.parametrize(
    ("path", "status"), [("nosuch/portforward?ports=4245", 404), ("{pod}/portforward", 400),
                         ("{pod}/portforward?ports=x", 400), ("{pod}/portforward?ports=70000", 400)]
)  # fmt: skip
async def test_a_forward_that_makes_no_sense_is_refused(path: str, status: int, tmp_path: Path) -> None:
    world = build(nodes=3)
    async with client(world, tmp_path) as cluster:
        where = path.format(pod=relay_pod(world))
        url = f"{cluster.serving.url}/api/v1/namespaces/kube-system/pods/{where}"
        with pytest.raises(aiohttp.WSServerHandshakeError) as wrong:
            await cluster.session.ws_connect(url, protocols=V4)
        assert wrong.value.status == status
        code, _ = await cluster.call("GET", url.removeprefix(cluster.serving.url))
        assert code in (400, 404)


async def test_a_forward_needs_a_role(tmp_path: Path) -> None:
    world = build(nodes=3)
    world.access = replace(
        world.access, user="viewer", permissions=(Permission(("",), ("pods", "services"), ("get", "list")),)
    )
    async with client(world, tmp_path) as cluster:
        path = f"/api/v1/namespaces/kube-system/pods/{relay_pod(world)}/portforward?ports=4245"
        status, body = await cluster.call("GET", path)
        assert (status, body["reason"]) == (403, "Forbidden")
        assert "pods/portforward" in body["message"]

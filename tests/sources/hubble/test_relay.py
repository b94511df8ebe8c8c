"""Relay through the API server: plain, TLS, mutual TLS, and why a forward is not possible."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from playbooks.model.answer import GapKind
from playbooks.model.hubble.proto import observer_pb2
from playbooks.sources.hubble import Event, Phase, Rung, State
from playbooks.sources.hubble.dial import Target
from playbooks.sources.hubble.forward import Forward
from playbooks.sources.hubble.relay import Forwarded
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import Wish, everything
from tests.sources.apiserver import Asked, refusal
from tests.sources.certificates import Authority, authority
from tests.sources.hubble.cluster import (
    PODS,
    SECRETS,
    Cluster,
    agent_pod,
    api,
    client_secret,
    gathered_aside,
    relay_pod,
    relay_service,
)
from tests.sources.hubble.observing import Answer, Hurry, Observed, flow, of, uuids

ONCE = Wish(observer_pb2.GetFlowsRequest(number=20))
KUBE_SYSTEM = "/api/v1/namespaces/kube-system"


@asynccontextmanager
async def clustered(server: Observed | None = None) -> AsyncIterator[Cluster]:
    async with Cluster() as cluster:
        cluster.items[PODS] = [agent_pod("node-1"), relay_pod()]
        cluster.forwards = server.port if server else 1
        yield cluster


def stream(cluster: Cluster, folder: Path, trust: Target | None = None, wish: Wish = ONCE) -> Stream:
    return Stream([Forwarded(api(cluster, folder), trust=trust)], wish, clock=Hurry())


def last(events: list[Event]) -> State:
    return of(State, events)[-1]


def relayed(client_ca: bytes | None = None, ca: Authority | None = None) -> Observed:
    pair = (ca or authority()).pair("*.hubble-relay.cilium.io")
    credentials = grpc.ssl_server_credentials(
        [(pair.key, pair.certificate)], client_ca, client_ca is not None
    )
    return Observed([Answer([flow("node-1", 1)])], credentials=credentials)


async def test_relay_without_tls(tmp_path: Path) -> None:
    raws = [flow("node-1", n, Summary="x" * 200_000) for n in range(20)]
    with Observed([Answer(raws)]) as server:
        async with clustered(server) as cluster:
            events = await gathered_aside(stream(cluster, tmp_path))
            assert len(uuids(events)) == 20
    assert last(events).rung is Rung.RELAY
    assert set(cluster.forwarded) == {(f"{KUBE_SYSTEM}/pods/hubble-relay-1/portforward", "4245")}
    assert all(asked.method == "GET" for asked in cluster.asked)
    live = next(state for state in of(State, events) if state.phase is Phase.LIVE)
    assert live.detail == "v1"


async def test_the_port_is_the_one_that_the_service_leads_to(tmp_path: Path) -> None:
    with Observed([Answer([flow("node-1", 1)])]) as server:
        for target, port in ((7777, "7777"), ("grpc", "4245"), ("other", "4245")):
            async with clustered(server) as cluster:
                cluster.items[f"{KUBE_SYSTEM}/services"] = [relay_service(80, target)]
                await gathered_aside(stream(cluster, tmp_path))
                assert {port for _, port in cluster.forwarded} == {port}


@pytest.mark.parametrize("service_port", [80, 443])
async def test_relay_with_tls_whoever_signed_it(tmp_path: Path, service_port: int) -> None:
    with relayed(ca=Authority("the chart's")) as server:
        async with clustered(server) as cluster:
            cluster.items[f"{KUBE_SYSTEM}/services"] = [relay_service(service_port, "grpc")]
            events = await gathered_aside(stream(cluster, tmp_path))
            assert uuids(events) == ["node-1@1"]
            assert not any(SECRETS.split("/")[-1] in asked.path for asked in cluster.asked)


async def test_a_service_that_promises_tls_before_a_relay_without(tmp_path: Path) -> None:
    with Observed([Answer([flow("node-1", 1)])]) as server:
        async with clustered(server) as cluster:
            cluster.items[f"{KUBE_SYSTEM}/services"] = [relay_service(443, "grpc")]
            assert uuids(await gathered_aside(stream(cluster, tmp_path))) == ["node-1@1"]


async def test_an_authority_that_was_named_is_the_only_one_trusted(tmp_path: Path) -> None:
    trust = Target("", "", is_tls=True, authorities=authority().pem)
    with relayed() as server:
        async with clustered(server) as cluster:
            assert uuids(await gathered_aside(stream(cluster, tmp_path, trust))) == ["node-1@1"]
    with relayed(ca=Authority("other")) as server:
        async with clustered(server) as cluster:
            assert "is not trusted" in last(await gathered_aside(stream(cluster, tmp_path, trust))).detail


async def test_relay_that_wants_a_certificate_gets_its_own_from_the_secret(tmp_path: Path) -> None:
    with relayed(authority().pem) as server:
        async with clustered(server) as cluster:
            cluster.items[f"{KUBE_SYSTEM}/secrets"] = [client_secret(authority(), authority().pair("relay"))]
            events = await gathered_aside(stream(cluster, tmp_path))
    assert uuids(events) == ["node-1@1"]
    assert "BEGIN" not in repr(events)


async def test_a_secret_that_may_not_be_read_says_what_to_give_instead(tmp_path: Path) -> None:
    def refuse(asked: Asked):  # type: ignore[no-untyped-def]
        return refusal(403, "secrets is forbidden", "Forbidden") if "/secrets/" in asked.path else None

    with relayed(authority().pem) as server:
        async with clustered(server) as cluster:
            cluster.refuse = refuse
            (left,) = last(await gathered_aside(stream(cluster, tmp_path))).left
    assert left.gap.kind is GapKind.FORBIDDEN
    assert left.gap.detail == "Relay wants a client certificate, and secrets is forbidden"
    assert "--tls-client-cert-file" in left.gap.remedy


async def test_a_forward_that_is_forbidden_names_the_role(tmp_path: Path) -> None:
    words = 'User "me" cannot get resource "pods/portforward"'
    async with clustered() as cluster:
        cluster.refuse = lambda asked: (
            refusal(403, words, "Forbidden") if asked.path.endswith("portforward") else None
        )
        (left,) = last(await gathered_aside(stream(cluster, tmp_path))).left
    assert left.rung is Rung.RELAY
    assert left.gap.kind is GapKind.FORBIDDEN
    assert left.gap.detail == words
    assert "pods/portforward" in left.gap.remedy


async def test_nobody_listens_in_the_pod(tmp_path: Path) -> None:
    async with clustered() as cluster:
        (left,) = last(await gathered_aside(stream(cluster, tmp_path))).left
    assert left.gap.kind is GapKind.UNREACHABLE
    assert "port 4245 of pod kube-system/hubble-relay-1 is not reached" in left.gap.detail


async def test_no_relay_and_a_relay_that_is_not_ready(tmp_path: Path) -> None:
    async with clustered() as cluster:
        cluster.items[PODS] = [agent_pod("node-1")]
        (left,) = last(await gathered_aside(stream(cluster, tmp_path))).left
        assert left.gap.kind is GapKind.NOT_FOUND
        assert "hubble.relay.enabled" in left.gap.remedy
        pod = relay_pod()
        pod["status"]["conditions"] = []
        cluster.items[PODS] = [pod]
        (left,) = last(await gathered_aside(stream(cluster, tmp_path))).left
        assert left.gap.kind is GapKind.NOT_RUNNING


async def test_after_a_break_it_is_forwarded_anew(tmp_path: Path) -> None:
    answers = [
        Answer([flow("node-1", 1)], grpc.StatusCode.UNAVAILABLE),
        Answer([flow("node-1", 1), flow("node-1", 2)], hangs=True),
    ]
    with Observed(answers, oldest=[flow("node-1", 0)]) as server:
        async with clustered(server) as cluster:
            made = stream(cluster, tmp_path, wish=everything())
            events = await gathered_aside(made, lambda events: len(uuids(events)) >= 2)
    assert uuids(events) == ["node-1@1", "node-1@2"]
    assert len(cluster.forwarded) == 4, "each time one for questions and one for the stream"


async def test_the_socket_is_for_nobody_else_and_is_gone_afterwards(tmp_path: Path) -> None:
    async with clustered() as cluster:
        access = api(cluster, tmp_path)
        forward = access.run(lambda: _opened(access))
        folder = Path(forward.path).parent
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert stat.S_ISSOCK(os.stat(forward.path).st_mode)
        access.run(forward.close)
        access.close()
        assert not folder.exists()


async def _opened(access):  # type: ignore[no-untyped-def]
    forward = Forward(access.transport, "kube-system", "hubble-relay-1", 4245)
    await forward.open()
    return forward

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.request import Objects
from playbooks.sources.access import Access, CannotConnect, ConnectOptions, load
from playbooks.sources.live import LiveSource
from tests.sources.apiserver import ApiServer, Output, Reply, pod
from tests.sources.certificates import Authority, authority
from tests.sources.living import HASTY, PODS, agent, answered, gap_of, living
from tests.sources.proxies import ConnectProxy, SocksProxy

STATUS = ("cilium-dbg", "status")
NAME = "https://api.cluster.example:6443"


@asynccontextmanager
async def unreachable(folder: Path, **cluster: Any) -> AsyncIterator[LiveSource]:
    """A source whose server is not the fixture."""
    source = LiveSource(ApiServer().access(folder, **cluster), replace(HASTY, connect=0.1))
    try:
        yield source
    finally:
        await source.close()


async def failing(source: LiveSource) -> CannotConnect:
    with pytest.raises(CannotConnect) as caught:
        await source.connect()
    return caught.value


async def test_connecting_gives_the_version(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        assert await source.connect() == "v1.34.4"
        assert source.name == "test"
    assert {asked.path for asked in server.asked} == {"/version"}


async def test_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{taken.getsockname()[1]}"
        async with unreachable(tmp_path, server=server) as source:
            error = await failing(source)
            gap = await gap_of(source, Objects(PODS))
    assert "refused" in error.what
    assert error.where == server
    assert error.remedy
    assert gap.kind is GapKind.UNREACHABLE
    assert "refused" in gap.detail


async def test_unroutable(tmp_path: Path) -> None:
    # A network address that no route leads to (RFC 6666), or one that never answers: both end at once.
    async with unreachable(tmp_path, server="https://[100::1]:6443") as source:
        error = await failing(source)
        gap = await gap_of(source, agent(*STATUS))
    assert "route" in error.what or "nobody answers" in error.what
    assert "VPN" in error.remedy
    assert gap.kind is GapKind.UNREACHABLE


async def test_a_connection_that_is_never_answered(tmp_path: Path) -> None:
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with silent:
        server = f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with unreachable(tmp_path, server=server) as source:
            error = await failing(source)
    assert "nobody answers" in error.what


async def test_an_unknown_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with unreachable(tmp_path, server="https://api.invalid:6443") as source:
        error = await failing(source)
    assert "api.invalid is not known" in error.what
    assert "VPN" in error.remedy


class TestTls:
    async def test_another_ca(self, tmp_path: Path) -> None:
        other = base64.b64encode(Authority("other CA").pem).decode()
        async with living(tmp_path, **{"certificate-authority-data": other}) as (_, source):
            error = await failing(source)
            gap = await gap_of(source, Objects(PODS))
        assert "not trusted" in error.what
        assert "certificate-authority" in error.remedy
        assert gap.kind is GapKind.UNREACHABLE

    async def test_another_name_and_the_setting_that_mends_it(self, tmp_path: Path) -> None:
        tls = authority().pair("api.cluster.example").server_context()
        async with ApiServer(tls) as server:
            source = LiveSource(server.access(tmp_path), HASTY)
            error = await failing(source)
            await source.close()
            mended = server.access(tmp_path, **{"tls-server-name": "api.cluster.example"})
            source = LiveSource(mended, HASTY)
            server.outputs[STATUS] = Output(b"ok")
            assert await source.connect() == "v1.34.4"
            assert (await answered(source, agent(*STATUS))).body == b"ok"
            await source.close()
        assert "match" in error.what
        assert "tls-server-name" in error.remedy

    async def test_a_name_that_the_certificate_does_not_hold(self, tmp_path: Path) -> None:
        async with living(tmp_path, **{"tls-server-name": "other.example"}) as (_, source):
            assert "match" in (await failing(source)).what

    async def test_an_expired_certificate(self, tmp_path: Path) -> None:
        tls = authority().pair("127.0.0.1", is_expired=True).server_context()
        async with living(tmp_path, server=ApiServer(tls)) as (_, source):
            error = await failing(source)
        assert "expired" in error.what
        assert "clock" in error.remedy

    async def test_anybody_is_trusted_when_told_so(self, tmp_path: Path) -> None:
        tls = Authority("other CA").pair("elsewhere.example").server_context()
        cluster = {"insecure-skip-tls-verify": True, "certificate-authority-data": None}
        async with living(tmp_path, server=ApiServer(tls), **cluster) as (_, source):
            assert await source.connect() == "v1.34.4"
            assert source.access.is_insecure

    async def test_a_server_without_tls(self, tmp_path: Path) -> None:
        async with ApiServer(is_plain=True) as plain:
            server = f"https://127.0.0.1:{plain.port}"
            async with unreachable(tmp_path, server=server) as source:
                error = await failing(source)
        assert "does not speak TLS" in error.what
        assert " object at 0x" not in error.what

    async def test_tls_where_plain_was_expected(self, tmp_path: Path) -> None:
        async with (
            ApiServer() as secured,
            unreachable(tmp_path, server=f"http://127.0.0.1:{secured.port}") as source,
        ):
            error = await failing(source)
        assert error.remedy

    async def test_plain_http(self, tmp_path: Path) -> None:
        async with living(tmp_path, server=ApiServer(is_plain=True)) as (server, source):
            server.outputs[STATUS] = Output(b"ok")
            assert await source.connect() == "v1.34.4"
            assert (await answered(source, agent(*STATUS))).body == b"ok"

    async def test_a_client_certificate(self, tmp_path: Path) -> None:
        tls = authority().pair("127.0.0.1").server_context(client_ca=authority().pem)
        mine = authority().pair(subject="jane")
        user = {
            "client-certificate-data": base64.b64encode(mine.certificate).decode(),
            "client-key-data": base64.b64encode(mine.key).decode(),
        }
        server = ApiServer(tls)
        server.tokens.add("")
        async with living(tmp_path, user=user, server=server) as (_, source):
            server.outputs[STATUS] = Output(b"ok")
            assert await source.connect() == "v1.34.4"
            assert (await answered(source, agent(*STATUS))).body == b"ok"

    async def test_a_missing_client_certificate(self, tmp_path: Path) -> None:
        tls = authority().pair("127.0.0.1").server_context(client_ca=authority().pem)
        async with living(tmp_path, server=ApiServer(tls)) as (_, source):
            error = await failing(source)
        assert "client certificate" in error.remedy or "broke off" in error.what


class TestCredentials:
    async def test_a_wrong_token(self, tmp_path: Path) -> None:
        async with living(tmp_path, user={"token": "expired"}) as (_, source):
            error = await failing(source)
        assert "not accepted" in error.what
        assert "log in" in error.remedy

    async def test_no_credentials_at_all(self, tmp_path: Path) -> None:
        server = ApiServer()
        server.tokens.add("")
        server.refuse = lambda asked: None if asked.path == "/version" else Reply(403, b"anonymous")
        async with living(tmp_path, user={}, server=server) as (_, source):
            error = await failing(source)
        assert "'test' has no credentials: user 'me'" in error.what

    async def test_a_token_file_that_was_renewed_meanwhile(self, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text("old")
        server = ApiServer()
        server.tokens = {"old"}
        async with living(tmp_path, user={"tokenFile": "token"}, server=server) as (_, source):
            server.items["/api/v1/pods"] = [pod("a")]
            server.outputs[STATUS] = Output(b"ok")
            await answered(source, Objects(PODS))
            server.tokens = {"new"}
            token.write_text("new")
            many = await asyncio.gather(*(answered(source, agent(*STATUS)) for _ in range(5)))
            await answered(source, Objects(PODS))
        assert [got.body for got in many] == [b"ok"] * 5

    async def test_a_token_that_stays_refused_is_tried_twice_at_most(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.tokens = {"other"}
            gap = await gap_of(source, Objects(PODS))
        assert gap.kind is GapKind.FORBIDDEN
        assert "not accepted" in gap.detail
        assert len(server.asked) == 2

    async def test_many_refusals_renew_once(self, tmp_path: Path) -> None:
        async with living(tmp_path, replace(HASTY, renewal=60.0)) as (server, source):
            server.tokens = {"other"}
            await asyncio.gather(*(gap_of(source, Objects(PODS)) for _ in range(8)))
            before = len(server.asked)
            await gap_of(source, Objects(PODS))
        assert len(server.asked) == before + 1

    async def test_credentials_that_cannot_be_renewed(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.tokens = {"other"}
            (tmp_path / "kubeconfig").write_text("{")
            gap = await gap_of(source, agent(*STATUS))
        assert gap.kind is GapKind.FORBIDDEN
        assert "cannot be renewed" in gap.detail
        assert "not YAML" in gap.detail

    async def test_a_slow_login_is_kept_for_who_asks_next(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logged_in, logins = threading.Event(), []

        def refreshed(old: Access) -> Access:
            logins.append(old)
            logged_in.wait(5.0)
            return replace(old, credentials=replace(old.credentials, authorization="Bearer new"))

        monkeypatch.setattr(Access, "refreshed", refreshed)
        async with living(tmp_path, replace(HASTY, command=0.1)) as (server, source):
            server.tokens = {"new"}
            server.items["/api/v1/pods"] = [pod("a")]
            gap = await gap_of(source, agent(*STATUS))
            logged_in.set()
            await answered(source, Objects(PODS))
        assert gap.kind is GapKind.TIMED_OUT
        assert len(logins) == 1

    async def test_a_plugin_runs_again_when_its_token_has_expired(self, tmp_path: Path) -> None:
        plugin = tmp_path / "plugin"
        plugin.write_text(
            "#!/bin/sh\n"
            f"echo x >> {tmp_path}/runs\n"
            'echo "{\\"kind\\":\\"ExecCredential\\",\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",'
            '\\"status\\":{\\"token\\":\\"test-token-1\\",\\"expirationTimestamp\\":\\"2020-01-01T00:00:00Z\\"}}"\n'
        )
        plugin.chmod(0o755)
        user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin"}}
        async with living(tmp_path, user=user) as (server, source):
            server.items["/api/v1/pods"] = [pod("a")]
            await answered(source, Objects(PODS))
        assert (tmp_path / "runs").read_text().count("x") == 2

    async def test_acting_as_somebody_else(self, tmp_path: Path) -> None:
        async with ApiServer() as server:
            server.items["/api/v1/pods"] = []
            server.outputs[STATUS] = Output(b"ok")
            path = str(server.kubeconfig(tmp_path))
            options = ConnectOptions(kubeconfig=(path,), as_user="jane", as_groups=("a", "b"))
            source = LiveSource(load(options, {}), HASTY)
            await answered(source, Objects(PODS))
            await answered(source, agent(*STATUS))
            await source.close()
        for asked in server.asked:
            assert asked.headers["Impersonate-User"] == "jane"
            assert asked.groups == ("a", "b")


class TestProxies:
    async def test_connect(self, tmp_path: Path) -> None:
        async with ApiServer() as server, ConnectProxy(server.port) as proxy:
            cluster = {"server": NAME, "proxy-url": f"http://me:secret@127.0.0.1:{proxy.port}"}
            source = LiveSource(server.access(tmp_path, **cluster), HASTY)
            server.outputs[STATUS] = Output(b"ok")
            assert await source.connect() == "v1.34.4"
            assert (await answered(source, agent(*STATUS))).body == b"ok"
            await source.close()
        assert set(proxy.targets) == {"api.cluster.example:6443"}
        assert proxy.authorization.startswith("Basic ")

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
    async def test_socks(self, tmp_path: Path, scheme: str) -> None:
        async with ApiServer() as server, SocksProxy(server.port) as proxy:
            cluster = {
                "server": "https://other.example:6443",
                "tls-server-name": "api.cluster.example",
                "proxy-url": f"{scheme}://127.0.0.1:{proxy.port}",
            }
            source = LiveSource(server.access(tmp_path, **cluster), HASTY)
            server.outputs[STATUS] = Output(b"ok")
            assert await source.connect() == "v1.34.4"
            assert (await answered(source, agent(*STATUS))).body == b"ok"
            await source.close()
        assert set(proxy.targets) == {"other.example:6443"}

    async def test_from_the_environment(self, tmp_path: Path) -> None:
        async with ApiServer() as server, ConnectProxy(server.port) as proxy:
            path = str(server.kubeconfig(tmp_path, server=NAME))
            environment = {"HTTPS_PROXY": f"127.0.0.1:{proxy.port}", "NO_PROXY": "elsewhere.example"}
            source = LiveSource(load(ConnectOptions(kubeconfig=(path,)), environment), HASTY)
            assert await source.connect() == "v1.34.4"
            await source.close()
        assert proxy.targets == ["api.cluster.example:6443"]

    @pytest.mark.parametrize(("scheme", "kind"), [("http", ConnectProxy), ("socks5", SocksProxy)])
    async def test_one_that_refuses(
        self, tmp_path: Path, scheme: str, kind: type[ConnectProxy | SocksProxy]
    ) -> None:
        async with kind(0, refuses=True) as proxy:
            cluster = {"server": NAME, "proxy-url": f"{scheme}://me:secret@127.0.0.1:{proxy.port}"}
            async with unreachable(tmp_path, **cluster) as source:
                error = await failing(source)
        assert "proxy" in error.what
        assert f"through proxy {scheme}://127.0.0.1:{proxy.port}" in error.where
        assert "secret" not in str(error)

    @pytest.mark.parametrize("scheme", ["http", "socks5"])
    async def test_one_that_is_not_there(self, tmp_path: Path, scheme: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"{scheme}://127.0.0.1:{taken.getsockname()[1]}"
            async with unreachable(tmp_path, server=NAME, **{"proxy-url": url}) as source:
                error = await failing(source)
        assert "proxy" in error.what
        assert "proxy-url" in error.remedy


@pytest.mark.parametrize("body", [b"<html>It works!</html>", b"{}", b"\xff"])
async def test_something_else_that_answers(tmp_path: Path, body: bytes) -> None:
    async with living(tmp_path) as (server, source):
        server.replies["/version"] = [Reply(200, body)]
        error = await failing(source)
    assert "no Kubernetes API server" in error.what

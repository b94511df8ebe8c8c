from __future__ import annotations

import json
from pathlib import Path

import pytest

from playbooks.model.answer import End, GapKind
from playbooks.model.request import ApiPath, ContainerLog, Objects
from tests.sources.apiserver import ApiServer, Asked, Reply, pod, refusal
from tests.sources.living import PODS, POLICIES, answered, gap_of, living, pieces_of


def names(chunks: list[bytes]) -> list[str]:
    return [item["metadata"]["name"] for chunk in chunks for item in json.loads(chunk)["items"]]


async def test_a_list_comes_in_pages_each_one_line(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.items["/api/v1/pods"] = [pod(f"p{number}") for number in range(600)]
        chunks, end = await pieces_of(source, Objects(PODS))

    assert isinstance(end, End)
    assert len(chunks) == 3
    assert all(chunk.endswith(b"\n") and chunk.count(b"\n") == 1 for chunk in chunks)
    assert names(chunks) == [f"p{number}" for number in range(600)]
    assert [dict(asked.query).get("limit") for asked in server.asked] == ["250"] * 3
    assert end.command.endswith("--context test get pods -A -o json")
    assert (end.where, end.exit_code, end.is_truncated) == ("API server", 0, False)
    assert end.seconds > 0


async def test_namespace_selectors_and_group_are_part_of_the_url(tmp_path: Path) -> None:
    path = "/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies"
    async with living(tmp_path) as (server, source):
        server.items[path] = [pod("a")]
        request = Objects(POLICIES, namespace="shop", labels="app in (a,b)", fields="metadata.name=a")
        await answered(source, request)

    assert server.asked[0].path == path
    assert dict(server.asked[0].query)["labelSelector"] == "app in (a,b)"
    assert dict(server.asked[0].query)["fieldSelector"] == "metadata.name=a"


async def test_one_object_is_one_document_even_when_it_came_indented(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        path = "/api/v1/namespaces/shop/pods/a"
        server.replies[path] = [Reply(200, json.dumps(pod("a\nb"), indent=2).encode())]
        got = await answered(source, Objects(PODS, namespace="shop", name="a"))

    assert got.body.count(b"\n") == 1
    assert json.loads(got.body) == pod("a\nb")


async def test_names_cannot_leave_their_place_in_the_url(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        await gap_of(source, Objects(PODS, namespace="a/b?x", name="../secrets"))
    assert server.asked[0].raw == "/api/v1/namespaces/a%2Fb%3Fx/pods/..%2Fsecrets"


async def test_an_expired_list_begins_anew_and_hands_nothing_out_twice(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.page_limit = 2
        server.items["/api/v1/pods"] = [pod(name) for name in "abcde"]

        def expire(asked: Asked) -> Reply | None:
            if dict(asked.query).get("continue") == "2" and len(server.asked) == 2:
                server.items["/api/v1/pods"][:1] = [pod("0"), pod("a", namespace="other")]
                return refusal(410, "The provided continue parameter is too old", "Expired")
            return None

        server.refuse = expire
        chunks, end = await pieces_of(source, Objects(PODS))

    assert isinstance(end, End)
    assert sorted(names(chunks)) == ["0", "a", "a", "b", "c", "d", "e"]
    assert all(json.loads(chunk)["kind"] == "List" for chunk in chunks)


async def test_a_list_that_expires_again_is_a_gap(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.items["/api/v1/pods"] = []
        server.refuse = lambda asked: refusal(410, "too old", "Expired")
        gap = await gap_of(source, Objects(PODS))
    assert gap.kind is GapKind.FAILED
    assert len(server.asked) == 2


async def test_a_forbidden_list_names_verb_resource_and_role(tmp_path: Path) -> None:
    said = (
        'ciliumnetworkpolicies.cilium.io is forbidden: User "jane" cannot list resource '
        '"ciliumnetworkpolicies" in API group "cilium.io" at the cluster scope'
    )
    async with living(tmp_path) as (server, source):
        server.refuse = lambda asked: refusal(403, said, "Forbidden")
        gap = await gap_of(source, Objects(POLICIES))
    assert gap.kind is GapKind.FORBIDDEN
    assert gap.detail == said
    assert (
        gap.remedy == 'ask for a ClusterRole with verb list on ciliumnetworkpolicies (API group "cilium.io")'
    )
    assert "--context test get ciliumnetworkpolicies.v2.cilium.io -A" in gap.command
    assert gap.taken_at is not None


async def test_a_refusal_without_a_status_still_names_the_role(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.refuse = lambda asked: Reply(403, b"<h1>\x1b[31mNo.</h1>")
        gap = await gap_of(source, Objects(PODS, namespace="shop", name="a"))
    assert gap.kind is GapKind.FORBIDDEN
    assert "No." in gap.detail
    assert gap.remedy == 'ask for a Role in namespace shop with verb get on pods (API group "")'


async def test_what_the_api_server_does_not_know(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        unknown = await gap_of(source, Objects(POLICIES))
        server.refuse = lambda asked: refusal(404, 'pods "a" not found', "NotFound")
        missing = await gap_of(source, Objects(PODS, namespace="shop", name="a"))
    assert unknown.kind is missing.kind is GapKind.NOT_FOUND
    assert "does not know" in unknown.detail
    assert missing.detail == 'pods "a" not found'


@pytest.mark.parametrize(
    "body",
    [b"<html>Log in</html>", b"", b'{"metadata":', b"[]", b'{"metadata":{},"items":7}', b"\xff\xfe{"],
)
async def test_what_is_no_list_is_unreadable(tmp_path: Path, body: bytes) -> None:
    async with living(tmp_path) as (server, source):
        server.replies["/api/v1/pods"] = [Reply(200, body)]
        gap = await gap_of(source, Objects(PODS))
    assert gap.kind is GapKind.UNREADABLE
    assert "not the JSON of a Kubernetes API" in gap.detail


async def test_a_proxy_that_wants_a_login_is_named(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.refuse = lambda asked: Reply(302, b"", {"Location": "https://login.example/?next=x"})
        gap = await gap_of(source, Objects(PODS))
    assert gap.kind is GapKind.FAILED
    assert "https://login.example/" in gap.detail
    assert "log in" in gap.remedy


async def test_a_path_is_read_as_it_is(tmp_path: Path) -> None:
    async with living(tmp_path) as (_, source):
        got = await answered(source, ApiPath("/version"))
    assert json.loads(got.body)["gitVersion"] == "v1.34.4"
    assert got.end.command.endswith("get --raw /version")


async def test_a_server_behind_a_path(tmp_path: Path) -> None:
    async with living(tmp_path, server=ApiServer(prefix="/k8s/clusters/c-1")) as (server, source):
        server.items["/api/v1/pods"] = [pod("a")]
        assert await source.connect() == "v1.34.4"
        assert b'"a"' in (await answered(source, Objects(PODS))).body


class TestLogs:
    request = ContainerLog("kube-system", "cilium-a", "cilium-agent", node_name="node-1", tail=2)

    async def test_the_end_of_a_log(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.logs["kube-system/cilium-a/cilium-agent"] = b"one\ntwo \x1b[31m\xff\nthree\n"
            got = await answered(source, self.request)
        assert got.body == b"two \x1b[31m\xff\nthree\n"
        assert got.end.where == "node-1/kube-system/cilium-a"
        assert got.end.command.endswith("-n kube-system logs cilium-a -c cilium-agent --tail=2")

    async def test_previous_and_since(self, tmp_path: Path) -> None:
        request = ContainerLog("kube-system", "cilium-a", "config", is_previous=True, since_seconds=60)
        async with living(tmp_path) as (server, source):
            await answered(source, request)
        assert dict(server.asked[0].query) == {
            "container": "config",
            "tailLines": "500",
            "previous": "true",
            "sinceSeconds": "60",
        }

    @pytest.mark.parametrize(
        ("code", "said", "kind"),
        [
            (
                400,
                'previous terminated container "cilium-agent" in pod "cilium-a" not found',
                GapKind.NOT_FOUND,
            ),
            (400, "container cilium-agent is not valid for pod cilium-a", GapKind.NOT_FOUND),
            (400, 'container "cilium-agent" in pod "cilium-a" is waiting to start: x', GapKind.NOT_RUNNING),
            (404, 'pods "cilium-a" not found', GapKind.NOT_FOUND),
            (500, 'Get "https://10.0.0.3:10250/": dial tcp 10.0.0.3: no route to host', GapKind.UNREACHABLE),
            (403, 'pods "cilium-a" is forbidden: cannot get resource "pods/log"', GapKind.FORBIDDEN),
        ],
    )
    async def test_logs_that_are_not_there(self, tmp_path: Path, code: int, said: str, kind: GapKind) -> None:
        async with living(tmp_path) as (server, source):
            server.refuse = lambda asked: refusal(code, said)
            gap = await gap_of(source, self.request)
        assert gap.kind is kind
        assert said in gap.detail
        assert gap.node == "node-1"
        if kind is GapKind.FORBIDDEN:
            assert gap.remedy == "ask for a Role in namespace kube-system with verb get on pods/log"


async def test_what_we_may(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.allowed = lambda attributes: attributes.get("subresource") == "exec"
        assert await source.may("get", "", "pods", "exec", namespace="kube-system") is True
        assert await source.may("list", "cilium.io", "ciliumnodes") is False
        assert [asked.method for asked in server.asked] == ["POST", "POST"]
        server.refuse = lambda asked: refusal(403, "no reviews for you", "Forbidden")
        gap = await source.may("list", "cilium.io", "ciliumnodes", name="a b")
    assert not isinstance(gap, bool)
    assert gap.kind is GapKind.FORBIDDEN
    assert gap.command.endswith("--context test auth can-i list ciliumnodes.cilium.io 'a b' -A")


async def test_the_version(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        assert await source.version() == "v1.34.4"
        server.replies["/version"] = [Reply(200, b"{}")]
        gap = await source.version()
    assert not isinstance(gap, str)
    assert gap.kind is GapKind.UNREADABLE

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from playbooks.model.answer import End, Gap, GapKind, answer
from tests.sources.apiserver import Output, Reply, failure, pod, refusal
from tests.sources.living import HASTY, agent, answered, gap_of, living, pieces_of

STATUS = ("cilium-dbg", "status", "-o", "json")
PODS = "/api/v1/namespaces/kube-system/pods"
USAGE = b"Direct access to local BPF maps\n\nUsage:\n  cilium-dbg bpf [command]\n\nAvailable Commands:\n"


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
async def test_output_errors_and_exit_code(tmp_path: Path, protocol: str) -> None:
    async with living(tmp_path) as (server, source):
        server.protocols = [protocol]
        server.outputs[STATUS] = Output(b"out\x1b[31m\xff", b"err", code=7)
        got = await answered(source, agent(*STATUS))

    assert got.body == b"out\x1b[31m\xff"
    assert (got.end.exit_code, got.end.stderr) == (7, b"err")
    assert got.end.where == "node-1/kube-system/cilium-a"
    assert got.end.command.endswith(
        "--context test -n kube-system exec cilium-a -c cilium-agent -- cilium-dbg status -o json"
    )


async def test_the_request_is_what_kubernetes_wants(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[("cilium-dbg", "a b", "ü&c")] = Output(b"x")
        await answered(source, agent("cilium-dbg", "a b", "ü&c"))

    asked = server.asked[0]
    assert asked.path == "/api/v1/namespaces/kube-system/pods/cilium-a/exec"
    assert asked.query[:3] == (("container", "cilium-agent"), ("stdout", "true"), ("stderr", "true"))
    assert asked.argv == ("timeout", "-k", "2", "5", "cilium-dbg", "a b", "ü&c")
    assert asked.headers["Sec-WebSocket-Protocol"] == "v5.channel.k8s.io,v4.channel.k8s.io"
    assert asked.headers["Authorization"] == "Bearer test-token-1"


async def test_a_large_output_comes_in_pieces_and_whole(tmp_path: Path) -> None:
    output = bytes(range(256)) * 8192
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(output)
        chunks, end = await pieces_of(source, agent(*STATUS))
    assert isinstance(end, End)
    assert len(chunks) > 10
    assert b"".join(chunks) == output


async def test_an_empty_output_is_an_answer(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(b"", b"No entries found.\n")
        chunks, end = await pieces_of(source, agent(*STATUS))
    assert chunks == []
    assert isinstance(end, End)
    assert end.stderr == b"No entries found.\n"


@pytest.mark.parametrize("sent", [b"", b"x", b"y" * 100_000])
async def test_output_that_is_cut_is_no_answer(tmp_path: Path, sent: bytes) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(sent, is_cut=True)
        chunks, gap = await pieces_of(source, agent(*STATUS))
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.UNREACHABLE
    assert f"broke off after {len(sent)} bytes" in gap.detail
    assert gap.node == "node-1"
    assert len(b"".join(chunks)) <= len(sent)


async def test_200_megabytes_stop_at_the_limit_and_close_the_command(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(b"z" * 65536, frame=65536, times=3200)
        got = await answer(source, agent(*STATUS), 1, limit=1024 * 1024)
        assert isinstance(got, Gap)
        assert got.kind is GapKind.TOO_LARGE
        await server.until(lambda: server.open_execs == 0)
    assert server.sent < 32 * 1024 * 1024


async def test_too_much_on_standard_error_is_marked(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(b"x", b"e" * (2 * 1024 * 1024))
        got = await answered(source, agent(*STATUS))
    assert len(got.end.stderr) == 1024 * 1024
    assert got.end.is_truncated


class TestHangingNode:
    async def test_it_is_given_up_and_others_go_on(self, tmp_path: Path) -> None:
        async with living(tmp_path, replace(HASTY, command=0.1)) as (server, source):
            server.outputs[STATUS] = Output(hangs=True)
            server.outputs[("cilium-dbg", "version")] = Output(b"1.20.2")
            gap, other = await asyncio.gather(
                gap_of(source, agent(*STATUS, node="node-7")),
                answered(source, agent("cilium-dbg", "version", node="node-8")),
            )
            await server.until(lambda: server.open_execs == 0)
        assert gap.kind is GapKind.TIMED_OUT
        assert gap.node == "node-7"
        assert gap.detail == "`cilium-dbg status -o json` on node node-7 did not end within 0.1 s"
        assert "--timeout" in gap.remedy
        assert other.body == b"1.20.2"

    async def test_a_handshake_that_never_ends(self, tmp_path: Path) -> None:
        async with living(tmp_path, replace(HASTY, command=0.1)) as (server, source):
            server.delay = 30.0
            gap = await gap_of(source, agent(*STATUS))
        assert gap.kind is GapKind.TIMED_OUT

    async def test_cancelling_closes_the_command_at_once(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.outputs[STATUS] = Output(hangs=True)
            asking = asyncio.create_task(answer(source, agent(*STATUS), 1))
            await server.until(lambda: server.open_execs == 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await server.until(lambda: server.open_execs == 0)

    async def test_closing_the_stream_closes_the_command(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.outputs[STATUS] = Output(b"x" * 100_000, hangs=True)
            pieces = source.open(agent(*STATUS), 1)
            assert isinstance(await anext(pieces), bytes)
            await pieces.aclose()
            await server.until(lambda: server.open_execs == 0)

    async def test_silence_is_filled_with_pings(self, tmp_path: Path) -> None:
        async with living(tmp_path, replace(HASTY, ping=0.01)) as (server, source):
            server.outputs[STATUS] = Output(hangs=True)
            asking = asyncio.create_task(answer(source, agent(*STATUS), 1))
            await server.until(lambda: server.pings >= 2)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking


@pytest.mark.parametrize("code", [124, 143])
async def test_the_time_limit_inside_the_container(tmp_path: Path, code: int) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(b"half an ans", code=code)
        gap = await gap_of(source, agent(*STATUS))
    assert gap.kind is GapKind.TIMED_OUT


class TestImages:
    async def test_without_timeout_commands_run_bare_and_it_is_tried_once_per_image(
        self, tmp_path: Path
    ) -> None:
        async with living(tmp_path) as (server, source):
            server.has_timeout = False
            server.outputs[STATUS] = Output(b"ok", code=124)
            server.items[PODS] = [
                pod("cilium-a", image="one"),
                pod("cilium-b", image="one"),
                pod("cilium-c", image="2"),
            ]
            for name in ("cilium-a", "cilium-a", "cilium-b", "cilium-c"):
                got = await answered(source, agent(*STATUS, pod=name))
                assert got.end.exit_code == 124

        tried = [asked.path.split("/")[-2] for asked in server.asked if asked.argv[:1] == ("timeout",)]
        assert tried == ["cilium-a", "cilium-c"]
        assert sum(asked.path == f"{PODS}/cilium-a" for asked in server.asked) == 1

    async def test_a_sound_image_is_never_asked_for(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.outputs[STATUS] = Output(b"ok")
            for name in "abc":
                await answered(source, agent(*STATUS, pod=name))
        assert len(server.asked) == 3

    async def test_an_older_image_has_cilium_only(self, tmp_path: Path) -> None:
        old = ("cilium", *STATUS[1:])
        async with living(tmp_path) as (server, source):
            server.items[PODS] = [pod("cilium-a"), pod("cilium-b")]
            server.outputs[old] = Output(b"ok")
            first = await answered(source, agent(*STATUS))
            await answered(source, agent(*STATUS, pod="cilium-b"))

        assert first.end.command.endswith("-- cilium status -o json")
        ran = [asked.argv[4:] for asked in server.asked if asked.argv]
        assert ran == [STATUS, old, old]

    async def test_neither_timeout_nor_cilium_dbg(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.has_timeout = False
            server.outputs[("cilium", "status")] = Output(b"ok")
            assert (await answered(source, agent("cilium-dbg", "status"))).body == b"ok"

    async def test_a_program_that_is_nowhere(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            first = await gap_of(source, agent("bpftool", "map"))
            again = await gap_of(source, agent("bpftool", "prog"))
        assert first.kind is again.kind is GapKind.NOT_FOUND
        assert first.detail == "the image has no program `bpftool`"
        assert sum(bool(asked.argv) for asked in server.asked) == 1

    async def test_no_dump_without_timeout(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.has_timeout = False
            server.outputs[("cilium-dbg", "bpf", "ct")] = Output(b"ok")
            gap = await gap_of(source, agent("cilium-dbg", "bpf", "ct", is_heavy=True))
        assert gap.kind is GapKind.TOO_COSTLY
        assert "by hand" in gap.remedy
        assert gap.command.endswith("-- cilium-dbg bpf ct")


class TestOtherVersions:
    async def test_usage_with_exit_0_is_no_answer_and_not_asked_again(self, tmp_path: Path) -> None:
        argv = ("cilium-dbg", "bpf", "tunnel", "list")
        async with living(tmp_path) as (server, source):
            server.items[PODS] = [
                pod("cilium-a", image="one"),
                pod("cilium-b", image="one"),
                pod("cilium-c", image="2"),
            ]
            server.outputs[argv] = Output(USAGE)
            first = await gap_of(source, agent(*argv))
            second = await gap_of(source, agent(*argv, pod="cilium-b"))
            server.outputs[argv] = Output(b"TUNNEL  VALUE\n")
            other = await answered(source, agent(*argv, pod="cilium-c"))

        assert first.kind is second.kind is GapKind.NOT_IN_THIS_VERSION
        assert "cilium-dbg bpf tunnel list" in first.detail
        assert other.body == b"TUNNEL  VALUE\n"
        assert sum(bool(asked.argv) for asked in server.asked) == 2

    @pytest.mark.parametrize(
        ("stdout", "stderr"),
        [
            (b"", b'unknown command "x" for "cilium-dbg"\nError: unknown command "x" for "cilium-dbg"\n'),
            (b"Usage:\n  cilium-dbg status [flags]\n", b"Error: unknown flag: --x\n"),
            (b"Usage:\n  cilium-dbg status [flags]\n", b"Error: unknown shorthand flag: 'x' in -x\n"),
        ],
    )
    async def test_unknown_commands_and_flags(self, tmp_path: Path, stdout: bytes, stderr: bytes) -> None:
        async with living(tmp_path) as (server, source):
            server.outputs[STATUS] = Output(stdout, stderr, code=1)
            gap = await gap_of(source, agent(*STATUS))
        assert gap.kind is GapKind.NOT_IN_THIS_VERSION

    async def test_a_word_in_an_answer_is_no_usage(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.outputs[STATUS] = Output(b'{"msg":"Usage:\\n"} Usage: 5\n', b"unknown command in a policy")
            got = await answered(source, agent(*STATUS))
            server.outputs[("cilium-dbg", "--help")] = Output(USAGE)
            help_page = await answered(source, agent("cilium-dbg", "--help"))
        assert got.end.exit_code == 0
        assert help_page.body == USAGE

    async def test_a_long_usage_is_still_held_back(self, tmp_path: Path) -> None:
        async with living(tmp_path) as (server, source):
            server.outputs[STATUS] = Output(USAGE + b"  x    y\n" * 2000, frame=512)
            chunks, gap = await pieces_of(source, agent(*STATUS))
        assert chunks == []
        assert isinstance(gap, Gap)
        assert gap.kind is GapKind.NOT_IN_THIS_VERSION


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (
            'Internal error occurred: unable to upgrade connection: container not found ("cilium-agent")',
            GapKind.NOT_RUNNING,
        ),
        (
            "Internal error occurred: error executing command in container: failed to exec in container: "
            'failed to load task: no running task found: task "x" not found',
            GapKind.NOT_RUNNING,
        ),
        (
            "error dialing backend: dial tcp 10.0.0.3:10250: connect: connection refused",
            GapKind.UNREACHABLE,
        ),
        ("container cilium-agent is not valid for pod cilium-a", GapKind.NOT_FOUND),
        ("something new", GapKind.FAILED),
        ("", GapKind.FAILED),
    ],
)
@pytest.mark.parametrize("is_handshake", [True, False])
async def test_why_a_command_did_not_run(
    tmp_path: Path, message: str, kind: GapKind, is_handshake: bool
) -> None:
    async with living(tmp_path) as (server, source):
        if is_handshake:
            server.refuse = lambda asked: refusal(500, message, "InternalError")
        else:
            server.outputs[STATUS] = Output(status=failure(message, "InternalError", 500))
        gap = await gap_of(source, agent(*STATUS))
    assert gap.kind is kind
    assert message in gap.detail
    assert len(server.asked) == 1


async def test_a_container_with_another_name_leads_to_the_option(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        said = "container cilium-agent is not valid for pod anetd-x"
        server.refuse = lambda asked: refusal(400, said, "BadRequest")
        gap = await gap_of(source, agent(*STATUS))
    assert gap.kind is GapKind.NOT_FOUND
    assert "--agent-container" in gap.remedy


async def test_forbidden_exec_names_the_role(tmp_path: Path) -> None:
    said = (
        'pods "cilium-a" is forbidden: User "jane" cannot get resource "pods/exec" in API group "" '
        'in the namespace "kube-system"'
    )
    async with living(tmp_path) as (server, source):
        server.refuse = lambda asked: refusal(403, said, "Forbidden")
        gap = await gap_of(source, agent(*STATUS))
    assert gap.kind is GapKind.FORBIDDEN
    assert gap.detail == said
    assert gap.remedy == "ask for a Role in namespace kube-system with verbs get and create on pods/exec"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>welcome</html>"),
        Reply(400, b"Bad Request"),
        Reply(403, b""),
        Reply(426, b"Upgrade Required"),
        refusal(400, "Upgrade request required", "BadRequest"),
    ],
)
async def test_a_proxy_that_refuses_websockets(tmp_path: Path, reply: Reply) -> None:
    async with living(tmp_path) as (server, source):
        server.refuse = lambda asked: reply if asked.path.endswith("/exec") else None
        gap = await gap_of(source, agent(*STATUS))
    if reply.status == 403:
        assert gap.kind is GapKind.FORBIDDEN
    else:
        assert gap.kind is GapKind.UNREACHABLE
        assert "refuses websockets" in gap.detail
        assert "Upgrade" in gap.remedy


async def test_a_server_that_chooses_no_protocol(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.protocols = []
        server.outputs[STATUS] = Output(b"x")
        gap = await gap_of(source, agent(*STATUS))
    assert gap.kind is GapKind.UNREACHABLE
    assert "websockets" in gap.detail


@pytest.mark.parametrize(
    "status",
    [
        b"not JSON",
        b'{"status":7}',
        b'{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"x"}]}}',
    ],
)
async def test_a_hostile_status_is_a_gap(tmp_path: Path, status: bytes) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(b"x", status=status)
        gap = await gap_of(source, agent(*STATUS))
    assert gap.kind in (GapKind.UNREACHABLE, GapKind.FAILED)


async def test_no_timeout_is_learned_only_from_the_runtime(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(code=127, stderr=b"bash: x: command not found\n")
        got = await answered(source, agent(*STATUS))
    assert got.end.exit_code == 127

"""What bugtool kept of a command is what it would have said; logs come as the container wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.request import ContainerLog
from playbooks.sources.sysdump import SysdumpSource
from tests.sources.archives import (
    BUGTOOL,
    HEALTHY,
    POD,
    agent_files,
    answered,
    command,
    missed,
    sysdump,
    zipped,
)

FAILED = "> Error while running '{}':  {}\n\n"


def archive(folder: Path, commands: dict[str, bytes], **files: bytes) -> SysdumpSource:
    return SysdumpSource(zipped(folder / "sysdump.zip", {**sysdump(**files), **agent_files(POD, commands)}))


@pytest.mark.parametrize(
    ("typed", "file"),
    [
        ("cilium-dbg status --verbose", "cilium-dbg-status---verbose.md"),
        ("cilium-dbg status -v", "cilium-dbg-status---verbose.md"),
        ("cilium-dbg endpoint list -o json", "cilium-dbg-endpoint-list--o-json.md"),
        ("cilium-dbg endpoint list --output=json", "cilium-dbg-endpoint-list--o-json.md"),
        ("cilium-dbg endpoint list -ojson", "cilium-dbg-endpoint-list--o-json.md"),
        ("cilium-dbg ip list -o json", "cilium-dbg-ip-list--n--o-json.md"),
        ("cilium-dbg bpf policy get --all -n", "cilium-dbg-bpf-policy-get---all---numeric.md"),
        ("cilium-dbg bpf ct list global -d", "cilium-dbg-bpf-ct-list---time-diff.md"),
        ("cilium-dbg statedb dump", "cilium-dbg-statedb.md"),
        ("cilium-dbg config -a", "cilium-dbg-config--a.md"),
        ("cilium-dbg shell -- policy/mapstate/entries", "cilium-dbg-shell----policy-mapstate-entries.md"),
        ("cilium-dbg debuginfo -o json", "cilium-debuginfo-20261123-014233.642+0000-UTC.json"),
        ("cilium-health status -o json", "cilium-health-status--o-json.md"),
        ("bpftool map show", "bpftool-map-show.md"),
        ("bpftool cgroup tree /run/cilium/cgroupv2", "bpftool-cgroup-tree--run-cilium-cgroupv2.md"),
        ("ip -d -s -s l", "ip--d--s--s-l.md"),
    ],
)
async def test_a_command_is_found_under_the_name_that_bugtool_gave_it(typed: str, file: str) -> None:
    got = await answered(SysdumpSource(HEALTHY), command(*typed.split()))
    assert got.end.where.endswith(f"/cmd/{file}")
    assert got.end.exit_code == 0
    assert got.body


async def test_the_old_name_of_the_program_is_found_too(tmp_path: Path) -> None:
    source = archive(tmp_path, {"cilium-status---verbose.md": b"KVStore: Ok\n"})
    assert (await answered(source, command("cilium-dbg", "status", "--verbose"))).body == b"KVStore: Ok\n"


async def test_a_command_that_printed_nothing_is_an_answer() -> None:
    got = await answered(SysdumpSource(BUGTOOL), command("ipset", "list"))
    assert (got.body, got.end.exit_code) == (b"", 0)


@pytest.mark.parametrize(
    ("typed", "kind", "words"),
    [
        ("cilium-dbg bpf frag list", GapKind.NOT_FOUND, "failed to open IPv6 map"),
        ("cilium-dbg bpf vtep list", GapKind.NOT_FOUND, "cilium_vtep_map"),
        ("cilium-dbg bpf bandwidth list", GapKind.FAILED, "ended with 1: bandwidth manager not enabled"),
        ("cilium-dbg map events cilium_ipcache -o json", GapKind.NOT_FOUND, "[404]"),
        ("cilium-dbg recorder list", GapKind.NOT_IN_THIS_VERSION, "unknown command"),
        ("cilium-dbg bpf recorder list", GapKind.NOT_IN_THIS_VERSION, "help"),
    ],
)
async def test_a_command_that_failed_in_the_lab_fails_here(typed: str, kind: GapKind, words: str) -> None:
    gap = await missed(SysdumpSource(HEALTHY), command(*typed.split()))
    assert gap.kind is kind
    assert words in gap.detail


@pytest.mark.parametrize(
    ("output", "why", "kind"),
    [
        ("bash: line 1: ipset: command not found\n", "exit status 127", GapKind.NOT_FOUND),
        ("", 'exec: "ipset": executable file not found in $PATH', GapKind.NOT_FOUND),
        ("", "exec timeout", GapKind.TIMED_OUT),
        ("", "signal: killed", GapKind.TIMED_OUT),
        ("Error: Cannot reach the agent: connection refused\n", "exit status 1", GapKind.FAILED),
    ],
)
@pytest.mark.parametrize("is_first", [False, True])
async def test_every_way_to_fail_is_told_from_an_answer(
    output: str, why: str, kind: GapKind, is_first: bool, tmp_path: Path
) -> None:
    failed = FAILED.format("ipset list", why)
    text = failed + output if is_first else output + failed
    gap = await missed(archive(tmp_path, {"ipset-list.md": text.encode()}), command("ipset", "list"))
    assert gap.kind is kind, gap


@pytest.mark.parametrize("size", [3, 30_000])
async def test_an_exit_code_beside_real_output_is_kept_with_it(size: int, tmp_path: Path) -> None:
    body = "KVStore: Ok\n" + "Controllers: bad\n" * size
    text = body + FAILED.format("cilium-dbg status --verbose", "exit status 7")
    source = archive(tmp_path, {"cilium-dbg-status---verbose.md": text.encode()})
    got = await answered(source, command("cilium-dbg", "status", "--verbose"))
    assert got.body.decode() == body
    assert got.end.exit_code == 7


async def test_the_older_form_with_heading_and_fence_is_read_as_well(tmp_path: Path) -> None:
    old = b"# cilium-dbg status --verbose\n\n```\nKVStore: Ok\nIPAM: 3\n```\n"
    source = archive(
        tmp_path, {"cilium-dbg-status---verbose.md": old, "iptables-save--c.md": b"# Generated\n*nat\n"}
    )
    got = await answered(source, command("cilium-dbg", "status", "--verbose"))
    assert got.body == b"KVStore: Ok\nIPAM: 3\n"
    assert (await answered(source, command("iptables-save", "-c"))).body == b"# Generated\n*nat\n"


async def test_json_that_speaks_of_usage_is_an_answer(tmp_path: Path) -> None:
    text = json.dumps({"a": "x\nUsage:"}, indent=1).encode()
    source = archive(tmp_path, {"cilium-dbg-statedb.md": text})
    assert (await answered(source, command("cilium-dbg", "statedb"))).body == text


async def test_why_an_agents_output_is_missing_is_what_the_collector_said(tmp_path: Path) -> None:
    log = "⚠️ cilium-bugtool-cilium-x: failed to collect 'cilium-bugtool' output: connection refused\n"
    files = {**sysdump(), "cilium-sysdump-20260102-030405/cilium-sysdump.log": log.encode()}
    gap = await missed(
        SysdumpSource(zipped(tmp_path / "a.zip", files)), command("cilium-dbg", "status", pod="cilium-x")
    )
    assert gap.kind is GapKind.NOT_RECORDED
    assert "connection refused" in gap.detail


DUMP = b"""{
"health": [{"Level": "OK"}],
"l2-announce": [],
"sysctl": [{"Name": ["a"]}]
}
"""


@pytest.mark.parametrize(
    ("typed", "file", "body"),
    [
        ("cilium-dbg shell -- db/show sysctl -f json", "cilium-dbg-statedb.md", [{"Name": ["a"]}]),
        ("cilium-dbg shell -- db/show l2-announce -f json", "cilium-dbg-statedb-dump.md", []),
        ("cilium-dbg statedb health", "cilium-statedb-dump.md", [{"Level": "OK"}]),
    ],
)
async def test_a_table_is_found_in_the_dump_of_all(
    typed: str, file: str, body: object, tmp_path: Path
) -> None:
    got = await answered(archive(tmp_path, {file: DUMP}), command(*typed.split()))
    assert json.loads(got.body) == body
    assert got.end.where.endswith(file)


@pytest.mark.parametrize(
    ("dump", "kind", "words"),
    [
        (DUMP, GapKind.NOT_IN_THIS_VERSION, "this version has no routes"),
        (DUMP[:-9], GapKind.UNREADABLE, "it is no JSON"),
        (b"[1]", GapKind.UNREADABLE, "it is no JSON"),
        (b"", GapKind.UNREADABLE, "it is no JSON"),
        (DUMP + FAILED.format("cilium-dbg statedb", "exit status 1").encode(), None, ""),
        (FAILED.format("cilium-dbg statedb", "exec timeout").encode(), GapKind.TIMED_OUT, "in time"),
    ],
)
async def test_a_dump_without_the_table_says_why(
    dump: bytes, kind: GapKind | None, words: str, tmp_path: Path
) -> None:
    table = "routes" if kind else "sysctl"
    source = archive(tmp_path, {"cilium-dbg-statedb.md": dump})
    asked = command("cilium-dbg", "shell", "--", "db/show", table, "-f", "json")
    if kind is None:
        assert json.loads((await answered(source, asked)).body) == [{"Name": ["a"]}]
        return
    gap = await missed(source, asked)
    assert gap.kind is kind
    assert words in gap.detail
    assert "cilium-dbg-statedb.md" in gap.detail


async def test_the_status_as_json_is_a_part_of_debuginfo() -> None:
    got = await answered(SysdumpSource(HEALTHY), command("cilium-dbg", "status", "-o", "json"))
    assert json.loads(got.body)["cluster"]["self"] == "lab/lab-node-1"
    assert got.end.where.endswith("cilium-debuginfo-20261123-014233.642+0000-UTC.json")


async def test_a_commands_own_file_goes_before_the_part_of_another(tmp_path: Path) -> None:
    files = {
        "cilium-dbg-status--o-json.md": b'{"a": 1}\n',
        "cilium-debuginfo-20260102-030405.678+0000-UTC.json": b"{}",
    }
    got = await answered(archive(tmp_path, files), command("cilium-dbg", "status", "-o", "json"))
    assert got.body == b'{"a": 1}\n'


def log_of(*lines: str) -> bytes:
    return "".join(
        f"2026-01-02T03:04:{second:02}.123456789Z {line}\n" for second, line in enumerate(lines)
    ).encode()


def agent_log(**more: int) -> ContainerLog:
    return ContainerLog("kube-system", POD, "cilium-agent", **more)  # type: ignore[arg-type]


async def test_a_log_is_its_last_lines_without_the_kubelets_time(tmp_path: Path) -> None:
    lines = ["level=info msg=a", "", "2026-01-01T00:00:00Z its own time", "level=error msg=b"]
    logs = {f"logs_{POD}_cilium_agent_log".replace("-", "_"): log_of(*lines)}
    source = archive(tmp_path, {}, **logs)
    assert (await answered(source, agent_log())).body.decode().splitlines() == lines
    assert (await answered(source, agent_log(tail=2))).body.decode().splitlines() == lines[2:]
    assert (await answered(source, agent_log(tail=-1))).body.decode().splitlines() == lines
    assert (await answered(source, agent_log(tail=0))).body == b""


async def test_a_log_since_a_time_ends_with_the_collection(tmp_path: Path) -> None:
    logs = {
        f"logs_{POD}_cilium_agent_log".replace("-", "_"): log_of("a", "b", "c", "d", "e", "f", "g", "h", "i")
    }
    got = await answered(archive(tmp_path, {}, **logs), agent_log(since_seconds=2))
    assert got.body == b"d\ne\nf\ng\nh\ni\n"


async def test_a_log_that_was_cut_at_its_end_says_so() -> None:
    source = SysdumpSource(HEALTHY)
    agent, config = agent_log(tail=3), ContainerLog("kube-system", POD, "config", tail=3)
    assert (await answered(source, agent)).end.is_truncated
    assert not (await answered(source, config)).end.is_truncated


async def test_the_log_of_a_container_that_said_nothing_is_empty() -> None:
    got = await answered(SysdumpSource(HEALTHY), ContainerLog("kube-system", POD, "clean-cilium-state"))
    assert (got.body, got.end.is_truncated) == (b"", False)


async def test_the_last_run_before_has_a_file_of_its_own(tmp_path: Path) -> None:
    logs = {f"logs_{POD}_cilium_agent_prev_log".replace("-", "_"): log_of("level=fatal msg=died")}
    files = {
        path.replace("-prev-20260102-030405", "-20260102-030405-prev"): data
        for path, data in sysdump(**logs).items()
    }
    source = SysdumpSource(zipped(tmp_path / "a.zip", files))
    assert b"died" in (await answered(source, agent_log(is_previous=True))).body
    assert (await missed(source, agent_log())).kind is GapKind.NOT_RECORDED


async def test_a_long_log_costs_only_its_end(tmp_path: Path) -> None:
    text = b"2026-01-02T03:04:05Z %s\n" % (b"x" * 200) * 100_000
    logs = {f"logs_{POD}_cilium_agent_log".replace("-", "_"): text + b"2026-01-02T03:04:05Z last\n"}
    source = archive(tmp_path, {}, **logs)
    got = await answered(source, agent_log(tail=2))
    assert got.body == b"x" * 200 + b"\nlast\n"

"""`honeyguide flows`: what the real hubble command printed, and what a person sees who has only files."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

import grpc
import pytest

from playbooks.model.hubble.jsonpb import Reader
from playbooks.sources.journal.flows import FlowStore
from tests.sources.hubble.observing import Answer, Observed, flow, lost, status
from tests.tui.command import ROOT, environment, honeyguide, start
from tests.tui.conftest import Here

CORPUS = ROOT / "tests" / "model" / "hubble" / "golden" / "flows.jsonl"
GOLDEN = CORPUS.parent / "golden"
_CLOCK = re.compile(r"^time=\S+ ", re.MULTILINE)
_CUT = 400
"""Characters of standard output that were kept of runs in `errors`."""


class Run(TypedDict, total=False):
    """What the real command did."""

    args: list[str]
    exit: int
    stdout: str
    stdout_text: str
    stderr: str


_ALL = json.loads((GOLDEN / "golden.json").read_text())
FORMATS: list[Run] = _ALL["formats"]
ERRORS: list[Run] = _ALL["errors"]


def _name(run: Run) -> str:
    return " ".join(run["args"]) or "no flags"


def _plain(text: str) -> str:
    """Without the wall clock, and with usual blanks: those of protobuf change from build to build."""
    return _CLOCK.sub("", text).replace("\u00a0", " ").replace("\\u00a0", " ")


def _parsed(text: str) -> list[object]:
    return [json.loads(line) if line.startswith("{") else line for line in text.split("\n")]


@pytest.mark.parametrize("run", FORMATS, ids=_name)
def test_formats_are_those_of_the_hubble_command(here: Here, run: Run) -> None:
    ran = here("flows", "--input-file", str(CORPUS), *run["args"])
    told = run.get("stdout_text") or (GOLDEN / run["stdout"]).read_bytes().decode()
    assert ran.returncode == run["exit"]
    if {"json", "jsonpb"} & set(run["args"]):
        assert _parsed(ran.stdout) == _parsed(told)
        assert _parsed(_plain(ran.stderr)) == _parsed(_plain(run["stderr"]))
    else:
        assert ran.stdout == told
        assert _plain(ran.stderr) == _plain(run["stderr"])


@pytest.mark.parametrize("run", ERRORS, ids=_name)
def test_refusals_are_those_of_the_hubble_command(here: Here, run: Run) -> None:
    file = () if "--input-file" in run["args"] else ("--input-file", str(CORPUS))
    ran = here("flows", *file, *run["args"])
    assert ran.returncode == run["exit"]
    assert ran.stdout[:_CUT] == run["stdout"][:_CUT]
    assert _plain(ran.stderr)[: len(_plain(run["stderr"]))] == _plain(run["stderr"])


def test_standard_input_is_read_as_it_comes_and_printed_before_more_is_waited_for() -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "tui", "flows", "--input-file", "-"],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdin
    assert running.stdout
    lines = CORPUS.read_bytes().splitlines(keepends=True)
    for line, told in zip(
        lines[:3], (GOLDEN / "compact.out").read_bytes().splitlines(keepends=True), strict=False
    ):
        running.stdin.write(line)
        running.stdin.flush()
        assert running.stdout.readline() == told
    running.stdin.close()
    assert running.wait(20) == 0


def test_whoever_follows_ends_it_with_ctrl_c_and_nothing_is_wrong() -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "tui", "flows", "--input-file", "-", "-o", "table"],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdin
    assert running.stderr
    # The state of a node is told at once: when it is there, everything before it has been read.
    for line in CORPUS.read_bytes().splitlines(keepends=True)[:10]:
        running.stdin.write(line)
    running.stdin.flush()
    assert b"nodes are unavailable" in running.stderr.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (0, b"")
    assert out.startswith(b"TIMESTAMP ")
    assert out.count(b"\n") == 9


def test_nobody_reading_any_more_is_no_error() -> None:
    running = start("flows", "--input-file", str(CORPUS), "--silent-errors")
    assert running.stdout
    assert running.stdout.readline().startswith("Nov 20")
    running.stdout.close()
    assert running.stderr
    assert running.stderr.read().count("Traceback") == 0
    assert running.wait(20) == 0


def test_lines_that_are_no_events_are_said_and_passed_over(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "flows"
    first = CORPUS.read_bytes().splitlines()[0]
    file.write_bytes(b"\n".join((b"no json\x1b[31m", b"", first, b'{"flow":', first)))
    ran = here("flows", "--input-file", str(file))
    assert ran.returncode == 0
    assert ran.stdout.count("\n") == 2
    assert ran.stderr.count('level=WARN msg="Failed to unmarshal json to flow" error="proto:') == 2
    assert "\x1b" not in ran.stderr


def test_a_sysdump_gives_its_flows(here: Here) -> None:
    archive = ROOT / "tests" / "clusters" / "healthy" / "sysdump.zip"
    ran = here("flows", "--input", str(archive), "-o", "jsonpb")
    assert (ran.returncode, ran.stderr) == (0, "")
    times = [json.loads(line)["time"] for line in ran.stdout.splitlines()]
    assert len(times) > 10
    dropped = here("flows", "--input", str(archive), "--verdict", "DROPPED", "-o", "jsonpb")
    told = [json.loads(line)["flow"]["verdict"] for line in dropped.stdout.splitlines()]
    assert 0 < len(told) < len(times)
    assert set(told) == {"DROPPED"}


def test_a_recording_gives_its_flows(here: Here, tmp_path: Path) -> None:
    from playbooks.model.hubble.seen import Reader as Seen

    reader, seen = Reader(), Seen()
    raws = [reader.raw(line) for line in CORPUS.read_bytes().splitlines()[:40]]
    folder = tmp_path / "session"
    _journal(folder)
    store = FlowStore.in_journal(folder)
    store.add(raws, [seen.read(raw) for raw in raws])
    store.flush(seal=True)
    store.close()
    kept = here("flows", "--input", str(folder))
    given = tmp_path / "flows"
    given.write_bytes(b"\n".join(CORPUS.read_bytes().splitlines()[:40]))
    assert kept.stdout == here("flows", "--input-file", str(given)).stdout
    assert kept.stdout.count("\n") > 30


def _journal(folder: Path) -> None:
    from playbooks.sources.journal import About, Journal

    Journal.open(folder, About("c", "0", "me", "kubectl"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--input", "/nonexistent"), "/nonexistent"),
        (("--input", str(CORPUS)), "--input-file reads JSON lines"),
        (("--input-file", "/"), "is a directory"),
        (("--input-file", str(CORPUS), "--first", "1", "--last", "2"), "cannot set both"),
    ],
)
def test_what_cannot_be_read_is_said(here: Here, words: tuple[str, ...], said: str) -> None:
    ran = here("flows", *words)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert said in ran.stderr


def test_agent_and_debug_events_of_a_file(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "events"
    at = '"time":"2026-11-20T09:00:00Z"'
    agent = f'{{"agent_event":{{"type":"ENDPOINT_DELETED","endpoint_update":{{"id":"3"}}}},{at}}}'
    debug = f'{{"debug_event":{{"type":"DBG_ENCAP","message":"m"}},{at}}}'
    file.write_text(f"{agent}\n{debug}\n{agent}\n")
    ran = here("flows", "agent-events", "--input-file", str(file))
    assert ran.stdout == "Nov 20 09:00:00.000: ENDPOINT_DELETED (id: 3)\n" * 2
    ran = here("flows", "debug-events", "--input-file", str(file))
    assert ran.stdout == "Nov 20 09:00:00.000: N/A DBG_ENCAP MARK: N/A CPU: N/A (m)\n"


def test_help_names_the_flags_and_loads_no_client() -> None:
    code = (
        "import sys; sys.argv = ['honeyguide', 'flows', '--help']; from tui.cli import main; code = main();"
        "heavy = {'grpc', 'textual', 'rich', 'aiohttp', 'kubernetes', 're2', 'yaml'};"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert "--print-raw-filters" in ran.stdout
    assert ran.stdout.endswith("0 []\n")


def test_raw_filters_are_printed_without_reading_anything() -> None:
    ran = honeyguide("flows", "--pod", "a/b", "--print-raw-filters")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("allowlist:")


def test_a_terminal_gets_colours_and_nothing_that_a_cluster_could_send_it() -> None:
    master, slave = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "tui", "flows", "--input-file", str(CORPUS)],
        cwd=ROOT,
        env=environment(TERM="xterm-256color"),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=subprocess.DEVNULL,
    )
    os.close(slave)
    told = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        told += piece
    os.close(master)
    assert running.wait(20) == 0
    text = told.decode()
    assert "\x1b[32mFORWARDED\x1b[0m" in text
    assert "evil" in text
    assert not set("\x1b\u202e\x07\u200b") & set(re.sub(r"\x1b\[(?:0|3[1-6])m", "", text))


def test_a_server_is_asked_for_what_matches_and_what_it_sends_is_printed(here: Here) -> None:
    sent = [flow("node-1", 1, Summary="SYN", verdict=2), lost("node-1", 2, 7), status(3, 2, "node-2"), b""]
    with Observed([Answer(sent)]) as server:
        ran = here("flows", "--server", f"127.0.0.1:{server.port}", "--verdict", "DROPPED", "--last", "5")
    (asked,) = server.asked
    assert (asked.number, asked.whitelist[0].verdict[:]) == (5, [2])
    assert (ran.returncode, ran.stderr.count("nodes are unavailable: node-2")) == (0, 1)
    assert "DROPPED (SYN)" in ran.stdout
    assert "EVENTS LOST: PERF_EVENT_RING_BUFFER CPU(0) 7" in ran.stdout


def test_an_answer_that_is_cut_off_is_said_after_what_had_come(here: Here) -> None:
    cut = Answer([flow("node-1", 1, Summary="SYN")], grpc.StatusCode.UNAVAILABLE, "gone \x1b[31m")
    with Observed([cut]) as server:
        ran = here("flows", "--server", f"127.0.0.1:{server.port}", "--last", "5")
    assert ran.returncode == 1
    assert ran.stdout.endswith("(SYN)\n")
    assert "it is not complete" in ran.stderr
    assert "gone" in ran.stderr


def test_a_server_that_is_not_there_and_no_server_at_all_say_what_to_do(here: Here) -> None:
    ran = here("flows", "--server", "127.0.0.1:1", "--last", "1")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "127.0.0.1:1" in ran.stderr
    assert "to do: check --server" in ran.stderr
    ran = here("flows")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "--server" in ran.stderr

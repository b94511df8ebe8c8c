"""The command line on the practice cluster, over the real protocols."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.practice import scenarios
from tests.tui.command import ROOT, environment, read_some, start
from tests.tui.conftest import Here
from tui.commands.practice_server import PracticeServer


@pytest.fixture(scope="module")
def healthy() -> Iterator[PracticeServer]:
    with PracticeServer(scenarios.load("healthy").world()) as server:
        yield server
        assert [one for one in server.serving.requests if one.is_mutating] == []


@pytest.fixture(scope="module")
def narrow() -> Iterator[PracticeServer]:
    with PracticeServer(scenarios.load("narrow-rbac").world()) as server:
        yield server
        assert [one for one in server.serving.requests if one.is_mutating] == []


@pytest.fixture(scope="module")
def hanging() -> Iterator[PracticeServer]:
    with PracticeServer(scenarios.load("agent-hangs").world()) as server:
        yield server
        assert [one for one in server.serving.requests if one.is_mutating] == []


def at(server: PracticeServer) -> tuple[str, str]:
    return "--kubeconfig", str(server.serving.kubeconfig)


@pytest.mark.parametrize("name", ["healthy", "agent-crashloop", "operator-down", "narrow-rbac"])
def test_the_report_names_the_fault_of_the_scenario(name: str, here: Here) -> None:
    listed = {one["name"]: one for one in json.loads(here("practice", "--list", "-o", "json").stdout)}
    ran = here("practice", name, "--check", "agent", "-o", "json")
    report = json.loads(ran.stdout)
    assert [root["id"] for root in report["roots"]] == listed[name]["expected"]
    assert ran.returncode == report["exit"] == {"healthy": 0, "narrow-rbac": 4}.get(name, 1)
    assert ran.stderr == ""


def test_an_agent_that_hangs_is_named_and_the_others_are_judged(here: Here) -> None:
    ran = here("practice", "agent-hangs", "--check", "--timeout", "1", "--looks", "1", "-o", "json")
    report = json.loads(ran.stdout)
    assert [(root["severity"], len(root["subjects"])) for root in report["roots"]] == [("warn", 1)]
    assert len(report["roots"][0]["evidence"]) >= 2
    assert ran.returncode == 1


def test_without_a_terminal_practice_prints_the_report_and_ends_well(here: Here) -> None:
    ran = here("practice")
    assert ran.returncode == 0
    assert ran.stdout.startswith("Practice cluster, scenario agent-crashloop.")
    assert "✗ ERROR AGT001" in ran.stdout


def test_seed_and_size_change_the_cluster(here: Here) -> None:
    ran = here("practice", "healthy", "--check", "--nodes", "3", "--seed", "2", "--looks", "1")
    assert "· 3 nodes ·" in ran.stdout
    assert "orchard" not in ran.stdout


def test_serve_says_where_and_runs_until_told(tmp_path: Path) -> None:
    served = start("practice", "healthy", "--serve", TMPDIR=str(tmp_path))
    assert served.stdout
    where = json.loads(served.stdout.readline())
    assert set(where) == {"kubeconfig", "hubble", "hubble_ca", "token"}
    assert where["hubble"].startswith("127.0.0.1:")
    assert Path(where["hubble_ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert where["token"] in Path(where["kubeconfig"]).read_text()
    served.send_signal(signal.SIGTERM)
    assert served.wait(30) == 143
    assert list(tmp_path.iterdir()) == []


def test_what_is_recorded_gives_the_same_report(healthy: PracticeServer, here: Here, tmp_path: Path) -> None:
    folder = str(tmp_path / "record")
    live = here("check", *at(healthy), "--record", folder, "-o", "json")
    again = here("check", "--input", folder, "-o", "json")
    assert live.stdout == again.stdout
    assert live.returncode == again.returncode == 0
    assert here("check", *at(healthy), "--record", str(ROOT / "tests")).returncode == 2


def test_exec_merges_equal_answers_and_marks_them_by_node(healthy: PracticeServer, here: Here) -> None:
    ran = here("exec", "--all", *at(healthy), "--", "status", "--brief")
    assert ran.returncode == 0
    assert ran.stdout.count("===") == 1
    assert "(6 of 6)" in ran.stdout
    assert ran.stdout.endswith("\nOK\n")


def test_exec_gives_a_single_answer_as_it_came(healthy: PracticeServer, here: Here) -> None:
    ran = here("exec", "--node", "*worker-1", *at(healthy), "--", "cilium-dbg", "status", "-o", "json")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["cilium"]["state"] == "Ok"


def test_exec_finds_the_agent_of_a_pod(healthy: PracticeServer, here: Here) -> None:
    world = healthy.serving.world
    kind = world.store.kind("", "pods")
    assert kind
    pod = world.store.all(kind, "shop")[0]
    name = f"shop/{pod['metadata']['name']}"
    ran = here("exec", "--pod", name, *at(healthy), "--", "endpoint", "list", "-o", "json")
    addresses = [one["status"]["networking"]["addressing"][0] for one in json.loads(ran.stdout)]
    assert pod["status"]["podIP"] in [address.get("ipv4") for address in addresses]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (("--node", "nowhere*"), "no node with an agent matches"),
        (("--pod", "shop/nobody"), "there is no pod shop/nobody"),
        (("--pod", "nobody"), "names no namespace"),
    ],
)
def test_exec_says_what_it_did_not_find(
    where: tuple[str, str], said: str, healthy: PracticeServer, here: Here
) -> None:
    ran = here("exec", *where, *at(healthy), "--", "status")
    assert ran.returncode == 2
    assert said in ran.stderr


def test_exec_goes_on_where_one_agent_is_silent(hanging: PracticeServer, here: Here) -> None:
    ran = here("exec", "--all", "--timeout", "0.5", *at(hanging), "--", "status", "--brief")
    assert ran.returncode == 4
    assert "(5 of 6)" in ran.stdout
    assert "(1 of 6): timed out" in ran.stdout


def test_no_exec_runs_nothing(healthy: PracticeServer, here: Here) -> None:
    before = len(healthy.serving.requests)
    ran = here("check", "--no-exec", *at(healthy), "-o", "json")
    paths = [one.path for one in healthy.serving.requests[before:]]
    assert paths
    assert not any(path.endswith("/exec") for path in paths)
    assert ran.returncode == 4
    assert {gap["kind"] for gap in json.loads(ran.stdout)["gaps"]} == {"too_costly"}


def test_a_mistyped_node_is_no_node_that_is_well(healthy: PracticeServer, here: Here) -> None:
    ran = here("check", "--node", "nope*", *at(healthy), "-o", "json")
    report = json.loads(ran.stdout)
    assert ran.returncode == report["exit"] == 4
    assert [gap["kind"] for gap in report["gaps"]] == ["not_found"]
    assert "no node with an agent matches nope*" in report["gaps"][0]["detail"]
    assert report["outcomes"]["AGT002"]["outcome"] == "could_not_look"


def test_one_mistyped_node_among_others_is_named(healthy: PracticeServer, here: Here) -> None:
    ran = here("check", "agent", "--node", "*", "--node", "nope*", *at(healthy), "-o", "json")
    report = json.loads(ran.stdout)
    assert [gap["kind"] for gap in report["gaps"]] == ["not_found"]
    assert "no node with an agent matches nope*" in report["gaps"][0]["detail"]
    assert report["outcomes"]["AGT002"]["outcome"] == "clean"


def test_a_target_that_is_not_there_is_said_with_what_is_near(healthy: PracticeServer, here: Here) -> None:
    ran = here("shop/crat", "shop/zzz", "--looks", "1", *at(healthy))
    first, second = ran.stderr.split("honeyguide: ")[1:]
    assert first.startswith("shop/crat names nothing here")
    assert "did you mean shop/cart" in first
    assert second.startswith("shop/zzz names nothing here")
    assert "get pods,services -A" in second


def test_a_target_that_is_there_is_not_remarked_upon(here: Here) -> None:
    world = scenarios.load("healthy").world()
    pod = next(run for run in world.runs.values() if run.namespace == "shop")
    with PracticeServer(world) as server:
        assert here(f"shop/{pod.name}", pod.node, "--looks", "1", *at(server)).stderr == ""


def test_the_folder_of_the_servers_is_removed_when_the_terminal_goes(tmp_path: Path) -> None:
    ours, terminal = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-m", "tui", "practice", "agent-hangs", "--check", "--timeout", "600"],
        cwd=ROOT,
        env=environment(TERM="xterm", TMPDIR=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    said = b""
    while b"asked" not in said:
        said += read_some(ours) or pytest.fail(f"it ended without any progress: {said!r}")
    assert list(tmp_path.glob("hg-*"))
    ran.send_signal(signal.SIGHUP)
    assert ran.wait(timeout=30) == 129
    os.close(ours)
    assert list(tmp_path.glob("hg-*")) == []


def test_doctor_says_that_all_can_be_seen(healthy: PracticeServer, here: Here) -> None:
    ran = here("doctor", *at(healthy))
    assert ran.returncode == 0
    assert "✓ ok              agent" in ran.stdout
    assert "agents run on 6 of 6 nodes" in ran.stdout
    assert "kind: ClusterRole\n" in ran.stdout
    assert "equals root on the node" in ran.stdout


def test_doctor_names_what_is_missing_and_runs_nothing(narrow: PracticeServer, here: Here) -> None:
    before = len(narrow.serving.requests)
    ran = here("doctor", *at(narrow))
    assert ran.returncode == 4
    assert "? not checked     agent" in ran.stdout
    assert "you may not get pods/exec in namespace kube-system" in ran.stdout
    assert "kubectl auth can-i get pods --subresource=exec -n kube-system" in ran.stdout
    assert not any(one.path.endswith("/exec") for one in narrow.serving.requests[before:])


def test_a_reachable_server_that_lets_nobody_in_gives_3(
    healthy: PracticeServer, here: Here, tmp_path: Path
) -> None:
    config = healthy.serving.kubeconfig.read_text().replace(healthy.serving.token, "expired")
    path = tmp_path / "config"
    path.write_text(config)
    ran = here("check", "--kubeconfig", str(path))
    assert ran.returncode == 3
    assert "to do:" in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "the terminal is gone"),
    ],
)
def test_a_signal_stops_the_check_at_once_and_prints_what_there_is(
    number: signal.Signals, code: int, word: str, hanging: PracticeServer
) -> None:
    """The hanging agent would keep the check for ten minutes; the progress line says when to signal."""
    ours, terminal = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-m", "tui", "check", "--timeout", "600", *at(hanging)],
        cwd=ROOT,
        env=environment(TERM="xterm"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    )
    os.close(terminal)
    said = b""
    while b"asked" not in said:
        said += read_some(ours) or pytest.fail(f"it ended without any progress: {said!r}")
    ran.send_signal(number)
    out, _ = ran.communicate(timeout=30)
    assert ran.returncode == code
    assert "Stopped before the end" in out
    assert f"exit code {code}: {word}" in out
    rest = b""
    while chunk := read_some(ours):
        rest += chunk
    os.close(ours)
    assert (said + rest).endswith(b"\r\x1b[K"), "the progress line is removed"

"""Two meshed clusters over the real protocols: one kubeconfig, a context for each."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from playbooks.practice.scenarios import load
from tests.tui.command import honeyguide, start
from tui.commands.practice_server import PracticeServer


@pytest.fixture(scope="module")
def server() -> Iterator[PracticeServer]:
    with PracticeServer(load("mesh-healthy").world()) as server:
        yield server
        assert [one for one in server.serving.requests if one.is_mutating] == []


def check(server: PracticeServer, context: str) -> subprocess.CompletedProcess[str]:
    config = str(server.serving.kubeconfig)
    return honeyguide("check", "agent", "--kubeconfig", config, "--context", context, "-o", "json")


def test_the_kubeconfig_has_a_context_for_each_cluster(server: PracticeServer) -> None:
    config = yaml.safe_load(server.serving.kubeconfig.read_text())
    (peer,) = server.serving.peers
    assert peer == f"practice-{server.serving.world.peers[0].cluster}"
    assert [one["name"] for one in config["contexts"]] == ["practice", peer]
    assert config["current-context"] == "practice"
    assert len({one["cluster"]["server"] for one in config["clusters"]}) == 2
    assert len({one["user"]["token"] for one in config["users"]}) == 2
    assert len({one["name"] for one in config["users"]}) == 2


def test_check_works_in_either_context(server: PracticeServer) -> None:
    serving = server.serving
    for context, nodes in (("practice", 6), (serving.peers[0], 3)):
        ran = check(server, context)
        report = json.loads(ran.stdout)
        assert (ran.returncode, report["roots"], report["gaps"]) == (0, [], [])
        assert report["outcomes"]["AGT002"]["total"] == nodes


def test_the_first_line_says_what_it_always_says() -> None:
    ran = start("practice", "mesh-healthy", "--serve")
    try:
        assert ran.stdout is not None
        told = json.loads(ran.stdout.readline())
        assert set(told) >= {"kubeconfig", "hubble", "hubble_ca", "token"}
        with open(told["kubeconfig"]) as file:
            assert len(yaml.safe_load(file)["contexts"]) == 2
    finally:
        ran.terminate()
        ran.communicate(timeout=20)

"""`honeyguide check service --before-removing-kube-proxy`."""

from __future__ import annotations

import json

import pytest

from tests.tui.command import recording
from tests.tui.conftest import Here

FLAG = "--before-removing-kube-proxy"
HEALTHY = recording("healthy")


def test_the_answer_comes_node_by_node_with_what_to_compare(here: Here) -> None:
    ran = here("check", "service", FLAG, "--input", HEALTHY)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[0].endswith("kube-proxy may go: no pod of it is seen")
    assert "lab-node-1" in ran.stdout
    assert "Compare before and after" in ran.stdout


def test_an_agent_that_does_not_run_leaves_it_open(here: Here) -> None:
    ran = here("check", FLAG, "--input", recording("05-agent-crashloop-bad-config"), "-o", "json")
    assert ran.returncode == 4
    document = json.loads(ran.stdout)
    assert document["schema"] == "honeyguide.removing-kube-proxy/1"
    assert document["may"] == "cannot tell"
    assert document["nodes"][0]["unchecked"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "agent", FLAG), "a question to the playbook service"),
        (("check", FLAG, "-o", "markdown"), "text or json"),
        (("check", FLAG, "--record", "there"), "keeps no recording"),
        (("check", FLAG, "--input", HEALTHY, "--node", "nosuch"), "no node with an agent matches nosuch"),
    ],
)
def test_what_makes_no_sense_is_refused(here: Here, words: tuple[str, ...], said: str) -> None:
    ran = here(*words)
    assert ran.returncode == 2
    assert said in ran.stderr

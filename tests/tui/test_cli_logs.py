"""`honeyguide logs`: one merged log of all parts, live, in practice and from a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from playbooks.engine.logbook import Logbook
from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.log_folding import Fold, entries_of
from playbooks.model.cilium.log_places import Component, Place
from playbooks.model.cilium.logs import parsed
from playbooks.practice import scenarios
from playbooks.practice.access import Access, Permission
from tests.tui.command import recording
from tests.tui.conftest import Here
from tui.commands import logs_printing
from tui.commands.practice_server import PracticeServer

HEALTHY = recording("healthy")
CRASHING = recording("05")
FATAL = 'failed to populate object graph: invalid tunnel protocol "vxlann"'


@pytest.fixture(scope="module")
def crashing() -> Iterator[PracticeServer]:
    with PracticeServer(scenarios.load("agent-crashloop").world(nodes=3)) as server:
        yield server
        assert [one for one in server.serving.requests if one.is_mutating] == []


@pytest.fixture(scope="module")
def without_logs() -> Iterator[PracticeServer]:
    world = scenarios.load("healthy").world(nodes=3)
    rules = (Permission(("", "apps"), ("pods", "nodes", "daemonsets", "deployments"), ("get", "list")),)
    world.access = Access("oncall", rules)
    with PracticeServer(world) as server:
        yield server


def at(server: PracticeServer) -> tuple[str, str]:
    return "--kubeconfig", str(server.serving.kubeconfig)


def _lines(here: Here, *words: str) -> list[dict[str, str]]:
    told = json.loads(here("logs", "--input", HEALTHY, *words, "-o", "json").stdout)
    return list(told["lines"])


def test_a_recording_is_merged_by_time_and_says_who_wrote(here: Here) -> None:
    ran = here("logs", "--input", HEALTHY)
    lines = ran.stdout.splitlines()
    assert (ran.returncode, ran.stderr) == (0, "")
    times = [line.split()[0] for line in lines if line.startswith("20")]
    assert times == sorted(times)
    assert len(times) > 20
    assert all(
        any(f" {part} lab-node-1: " in line for line in lines) for part in ("agent", "relay", "operator")
    )
    assert lines[-1].startswith("(no time)")


def test_folding_hides_repeats_and_nothing_else(here: Here) -> None:
    flat = json.loads(here("logs", "--input", HEALTHY, "--no-fold", "-o", "json").stdout)["lines"]
    folded = json.loads(here("logs", "--input", HEALTHY, "-o", "json").stdout)["lines"]
    assert sum(one["count"] for one in folded) == len(flat)
    assert len(folded) < len(flat) / 2


def test_the_fatal_line_of_a_crash_stands_alone(here: Here) -> None:
    ran = here("logs", "--input", CRASHING, "--level", "error", "--component", "agent")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1].endswith(FATAL)
    assert " fatal   agent lab-node-1: " in ran.stdout.splitlines()[-1]
    assert " info " not in ran.stdout


def test_grep_is_plain_text(here: Here) -> None:
    ran = here("logs", "--input", CRASHING, "--grep", 'protocol "vxlann', "--no-fold")
    assert all("vxlann" in line for line in ran.stdout.splitlines())
    nothing = here("logs", "--input", CRASHING, "--grep", "v.lann")
    assert "no line is as it was asked for" in nothing.stdout
    assert nothing.returncode == 0


def test_since_counts_from_when_it_was_recorded(here: Here) -> None:
    ran = here("logs", "--input", HEALTHY, "--component", "agent", "--since", "30s", "--no-fold")
    times = [line.split()[0] for line in ran.stdout.splitlines() if line.startswith("20")]
    assert times
    assert min(times) >= "2026-11-23T01:40"
    assert len(times) < 500


def test_a_log_that_was_not_recorded_is_said_and_gives_4(here: Here) -> None:
    listed = json.loads(here("logs", "--input", HEALTHY, "--component", "agent", "-o", "json").stdout)
    pod = "{namespace}/{pod}".format(**listed["lines"][0])
    ran = here("logs", "--input", HEALTHY, "--pod", pod, "--tail", "5")
    assert ran.returncode == 4
    assert "not read: kube-system/cilium-" in ran.stdout
    assert "not asked when this was recorded" in ran.stdout


def test_the_reason_for_one_log_names_its_pod(here: Here) -> None:
    (archive_pod,) = {one["pod"] for one in _lines(here, "--component", "relay")}
    place = Place(
        Component.RELAY, "n", "kube-system", archive_pod, "hubble-relay", False, True, False, False, ""
    )
    gap = Gap(GapKind.NOT_RECORDED, f"the archive holds no logs-{archive_pod}-*.log")
    shown = [line.text for line in logs_printing.lines((), Logbook((), (), 0), ((place, gap),))]
    assert shown == [f"not read: kube-system/{archive_pod}/hubble-relay: {gap.detail}"]


def test_lines_that_a_recording_lacks_are_said(here: Here) -> None:
    ran = here("logs", "--input", HEALTHY, "--component", "agent", "--tail", "900", "--grep", "nosuch")
    assert ran.returncode == 4
    assert "older lines are missing: kube-system/cilium-" in ran.stdout


def test_previous_reads_only_what_ran_before(here: Here, crashing: PracticeServer) -> None:
    ran = here("logs", *at(crashing), "--previous", "--level", "error", "-o", "json")
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["schema"], told["complete"]) == (0, "honeyguide.logs/1", True)
    assert {one["component"] for one in told["lines"]} == {"agent"}
    assert any("vxlann" in (one["error"] or "") for one in told["lines"])


def test_live_logs_of_all_nodes_are_one(here: Here, crashing: PracticeServer) -> None:
    ran = here("logs", *at(crashing), "--component", "agent", "--component", "coredns")
    assert ran.returncode == 0
    assert " coredns " in ran.stdout
    assert any(
        line.count("worker") + line.count("control") >= 3 and "[x3" in line
        for line in ran.stdout.splitlines()
    )


def test_init_containers_are_shown_for_one_pod(here: Here, crashing: PracticeServer) -> None:
    listed = json.loads(here("logs", *at(crashing), "--component", "agent", "-o", "json").stdout)
    pod = "{namespace}/{pod}".format(**listed["lines"][0])
    told = json.loads(here("logs", *at(crashing), "--pod", pod, "-o", "json").stdout)
    assert {one["pod"] for one in told["lines"]} == {pod.partition("/")[2]}
    assert "config" in {one["container"] for one in told["lines"]}


def test_what_may_not_be_read_is_said_in_few_words(here: Here, without_logs: PracticeServer) -> None:
    ran = here("logs", *at(without_logs), "--component", "agent")
    assert ran.returncode == 4
    assert "there is no such log" not in ran.stdout
    (reason,) = [line for line in ran.stdout.splitlines() if line.startswith("not read: ")]
    assert "pods/log" in reason
    assert reason.count("kube-system/cilium-") == 3
    assert "POD" in reason


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "soon"), "is no duration"),
        (("--since", "0"), "is no duration"),
        (("--tail", "0"), "--tail must be at least 1"),
        (("--level", "info"), "invalid choice"),
        (("--component", "kubelet"), "invalid choice"),
        (("--pod", "kube-system/nosuch"), "no pod of Cilium"),
        (("--node", "lab-node-2"), "did you mean lab-node-1?"),
    ],
)
def test_a_wrong_wish_says_what_to_do(here: Here, words: tuple[str, ...], said: str) -> None:
    ran = here("logs", "--input", HEALTHY, *words)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "to do:" in ran.stderr
    assert ran.stdout == ""


def test_nothing_of_a_log_reaches_a_terminal_raw() -> None:
    place = Place(
        Component.AGENT, "n\x1b[31m", "kube-system", "p\u202e", "c\x07", False, True, False, False, ""
    )
    line = parsed('level=err\u202e msg="a\x1b]0;owned\x07" error="\u202egnp.exe"')
    (entry,) = entries_of(place, [line])
    gap = Gap(GapKind.FAILED, "why\x1b[2J", remedy="do\x1b[2J")
    book = Logbook((entry,), (), 1, (place,), (place,))
    fold = Fold(entry, 2, None, (place.node,))
    shown = "\n".join(line.text for line in logs_printing.lines((fold,), book, ((place, gap),)))
    for text in (shown, logs_printing.as_json("c\x1b", (fold,), book, ((place, gap),))):
        assert not set(text) & {"\x1b", "\x07", "\u202e", "\r"}
    assert "\\e" in shown

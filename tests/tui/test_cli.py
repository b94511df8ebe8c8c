"""The command line: what is understood, what is refused, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from playbooks import __version__
from tests.tui.command import ROOT, environment, honeyguide, read_some, recording, start
from tests.tui.conftest import Here
from tui.commands.parsing import COMMANDS, parse

OPERATOR_DOWN = recording("11-operator-down")
HEALTHY = recording("healthy")


def test_the_version_is_told(here: Here) -> None:
    ran = here("--version")
    assert (ran.returncode, ran.stdout) == (0, f"honeyguide {__version__}\n")


def test_help_names_every_command_and_the_exit_codes(here: Here) -> None:
    ran = here("--help")
    assert ran.returncode == 0
    assert all(f"  {name}" in ran.stdout for name in COMMANDS)
    assert "3 cannot connect" in ran.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(here: Here, command: str) -> None:
    ran = here(command, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"usage: honeyguide {command} ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "--bogus"), "unrecognized arguments: --bogus"),
        (("check", "-o", "xml"), "invalid choice"),
        (("check", "--looks", "0"), "--looks must be at least 1"),
        (("check", "--workers", "none"), "invalid int"),
        (("check", "--agent-selector", "===,"), "--agent-selector takes KEY=VALUE"),
        (("check", "agnet"), "did you mean agent?"),
        (("check", "clustermesh"), "not part of this version"),
        (("chekc", "agent"), "did you mean honeyguide check?"),
        (("check", "--", "agent"), "nothing may follow --"),
        (("replay",), "required"),
        (("explain", "AGT999"), "no rule"),
        (("explain", "operator_scaled_to_zer"), "did you mean operator_scaled_to_zero?"),
        (("practice", "agent-hung"), "did you mean agent-hangs?"),
        (("exec", "--", "status"), "say where to run it"),
        (("exec", "--all", "--node", "a", "--", "status"), "say where to run it"),
        (("exec", "--all", "--", "bpf", "ct", "flush"), "it changes something"),
        (("exec", "--all", "--no-exec", "--", "status"), "exclude each other"),
        (("check", "--input", HEALTHY, "--record", "/tmp/x"), "of no use"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_wrong_command_line_says_what_to_do_and_gives_2(
    here: Here, words: tuple[str, ...], said: str
) -> None:
    ran = here(*words)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "to do:" in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "--input", "/nonexistent"), "/nonexistent"),
        (("replay", str(ROOT)), "neither a sysdump"),
        (("check",), "kubeconfig"),
        ((), "kubeconfig"),
        (("doctor",), "kubeconfig"),
        (("exec", "--all", "--", "status"), "kubeconfig"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_opened_gives_3(here: Here, words: tuple[str, ...], said: str) -> None:
    ran = here(*words)
    assert ran.returncode == 3
    assert said in ran.stderr.lower()
    assert "where:" in ran.stderr
    assert "to do:" in ran.stderr
    assert ran.stdout == ""


def test_connection_flags_may_stand_before_the_command() -> None:
    before = parse(["--context", "prod", "--as", "me", "check", "agent"], "honeyguide")
    after = parse(["check", "agent", "--context", "prod", "--as", "me"], "honeyguide")
    for options in (before, after):
        assert (options.command, options.context, options.as_user) == ("check", "prod", "me")
        assert options.words == ["agent"]


def test_flags_that_repeat_add_up() -> None:
    words = ["check", "--node", "a*", "--node", "b", "--as", "u", "--as-group", "g", "--as-group", "h"]
    words += ["--workers", "3", "--timeout", "2.5"]
    options = parse(words, "honeyguide")
    assert options.nodes == ["a*", "b"]
    connect = options.connect_options()
    assert (connect.as_groups, connect.workers, connect.timeout) == (("g", "h"), 3, 2.5)
    order = options.order(())
    assert (order.nodes, order.workers) == (("a*", "b"), 3)
    assert parse(["check"], "honeyguide").nodes == []


def test_targets_come_first_and_may_be_named_like_a_command() -> None:
    options = parse(["shop/cart-0", "node-3"], "honeyguide")
    assert options.order(()).targets == ("shop/cart-0", "node-3")
    assert parse(["--", "check"], "honeyguide").words == ["check"]


def test_the_plug_in_of_kubectl_is_the_same_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.commands.parsing import program_name

    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/kubectl-honeyguide"])
    assert program_name() == "kubectl honeyguide"


def test_a_recording_is_checked_as_text(here: Here) -> None:
    ran = here("check", "agent", "--input", OPERATOR_DOWN)
    assert ran.returncode == 1
    assert "✗ ERROR AGT020" in ran.stdout
    assert "exit code 1" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert ran.stderr == ""


def test_a_recording_is_checked_as_json(here: Here) -> None:
    ran = here("check", "agent", "--input", OPERATOR_DOWN, "-o", "json")
    report = json.loads(ran.stdout)
    assert (ran.returncode, report["exit"]) == (1, 1)
    assert report["schema"] == "honeyguide.report/1"
    assert [root["fault"] for root in report["roots"]] == ["operator_scaled_to_zero"]


def test_a_recording_is_checked_as_markdown(here: Here) -> None:
    ran = here("check", "--input", OPERATOR_DOWN, "-o", "markdown")
    assert ran.returncode == 1
    assert ran.stdout.startswith("# Diagnosis of lab\n")
    assert "```console" in ran.stdout


def test_without_a_terminal_replay_prints_the_report(here: Here) -> None:
    printed = here("check", "--input", OPERATOR_DOWN).stdout
    assert here("replay", OPERATOR_DOWN).stdout == printed
    assert here(OPERATOR_DOWN).stdout == printed, "a path needs no command"


def test_a_file_that_is_not_there_is_not_taken_for_a_target(here: Here) -> None:
    ran = here("--looks", "1", "nowhere.zip")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "nowhere.zip" in ran.stderr


def test_what_makes_it_fail_can_be_chosen(here: Here) -> None:
    judged = here("check", "--input", OPERATOR_DOWN, "--fail-on", "never", "-o", "json")
    assert judged.returncode == json.loads(judged.stdout)["exit"] != 1


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_a_terminal_without_utf_8_gets_ascii(format: str) -> None:
    ran = honeyguide("check", "--input", OPERATOR_DOWN, "-o", format, PYTHONIOENCODING="ascii")
    assert ran.returncode == 1
    assert ran.stdout.isascii()
    assert "x ERROR" in ran.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("check", "--input", OPERATOR_DOWN), 1),
        (("check", "--input", OPERATOR_DOWN, "-o", "json"), 1),
        (("explain", "AGT020"), 0),
        (("practice", "--list"), 0),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_reader_who_leaves_early_breaks_nothing(words: tuple[str, ...], code: int) -> None:
    """`honeyguide … | head -0`: the pipe is closed before the first byte is written."""
    ran = start(*words)
    assert ran.stdout
    assert ran.stderr
    ran.stdout.close()
    assert ran.stderr.read() == ""
    assert ran.wait(60) == code


@pytest.mark.parametrize("words", [("check", "--input", OPERATOR_DOWN), ("explain", "AGT020")])
def test_a_full_disk_is_said_and_a_closed_output_is_nobodys(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "tui", *words],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 70
    assert "standard output cannot be written: No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr
    closed = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "tui", *words],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert closed.stderr == ""
    assert closed.returncode == (1 if words[0] == "check" else 0)


def drawn(*words: str, **more: str) -> str:
    """What the command writes to a terminal."""
    ours, terminal = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-m", "tui", *words],
        cwd=ROOT,
        env=environment(**more),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    said = b""
    while chunk := read_some(ours):
        said += chunk
    os.close(ours)
    ran.wait(60)
    return said.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours_by_meaning() -> None:
    said = drawn("check", "--input", OPERATOR_DOWN, TERM="xterm-256color")
    assert re.search(r"\x1b\[1;31m✗ ERROR AGT020", said)
    assert "asked" in said, "progress while it runs"


def test_nobody_is_coloured_against_their_will() -> None:
    quiet = drawn("check", "--quiet", "--input", OPERATOR_DOWN, TERM="xterm-256color", NO_COLOR="1")
    assert "\x1b" not in quiet
    assert "✗ ERROR AGT020" in quiet


def test_a_dumb_terminal_gets_plain_text_instead_of_the_console() -> None:
    said = drawn("replay", OPERATOR_DOWN, TERM="dumb")
    assert "\x1b" not in said
    assert "✗ ERROR AGT020" in said


def test_explain_prints_the_manual_page(here: Here) -> None:
    by_id, by_name = here("explain", "agt020"), here("explain", "operator_scaled_to_zero")
    assert by_id.returncode == 0
    assert by_id.stdout == by_name.stdout
    for part in ("AGT020", "The operator is scaled to zero.", "proof", "$ kubectl"):
        assert part in by_id.stdout


def test_practice_lists_its_scenarios(here: Here) -> None:
    listed = json.loads(here("practice", "--list", "-o", "json").stdout)
    assert {"healthy", "agent-crashloop", "operator-down", "agent-hangs", "narrow-rbac"} <= {
        one["name"] for one in listed
    }
    assert all(set(one) == {"name", "symptom", "playbook", "expected"} for one in listed)
    assert all(one["name"] in here("practice", "--list").stdout for one in listed[:1])

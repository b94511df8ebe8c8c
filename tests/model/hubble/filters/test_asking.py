"""Arguments → filters and refusals, equal to what the real hubble command printed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from playbooks.model.hubble.filters.asked import ALL, Help, Observe, Output
from playbooks.model.hubble.filters.flag import Kind
from playbooks.model.hubble.filters.flags import flags_of
from playbooks.model.hubble.filters.matching import FilterRefused
from playbooks.model.hubble.filters.observing import observe
from playbooks.model.hubble.filters.selection import selected
from playbooks.model.hubble.filters.wording import Refused
from tests.model.hubble.filters import golden

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def asked(*argv: str) -> Observe:
    found = observe(argv, NOW)
    assert isinstance(found, Observe), found
    return found


def refused(*argv: str) -> str:
    found = observe(argv, NOW)
    assert isinstance(found, Refused), found
    assert found.exit == 1
    return found.message


@pytest.mark.parametrize("entry", golden.entries("filters"), ids=lambda entry: " ".join(entry["args"]))
def test_raw_filters_are_those_of_the_hubble_command(entry: dict[str, Any]) -> None:
    if entry["raw_exit"]:
        assert refused(*entry["args"]) == entry["stderr"].rstrip("\n")
    else:
        assert asked(*entry["args"], "--print-raw-filters").raw_filters() == entry["raw_filters"]


@pytest.mark.parametrize("entry", golden.entries("errors"), ids=lambda entry: " ".join(entry["args"]))
def test_wrong_flags_are_refused_in_the_hubble_commands_words(entry: dict[str, Any]) -> None:
    found = observe(entry["args"], NOW)
    if entry["exit"] == 0 or "no such file" in entry["stderr"]:
        assert isinstance(found, Observe)
    elif isinstance(found, Observe):
        with pytest.raises(FilterRefused) as refusal:
            selected(found.request(), ())
        assert str(refusal.value) == entry["stderr"].rstrip("\n")
    else:
        assert (found.exit, found.message) == (1, entry["stderr"].rstrip("\n").replace("\xa0", " "))


@pytest.mark.parametrize(
    ("argv", "like"),
    [
        (["-nshop"], ["--namespace", "shop"]),
        (["-n=shop"], ["--namespace", "shop"]),
        (["--namespace=shop"], ["--namespace", "shop"]),
        (["-46"], ["--ipv4", "--ipv6"]),
        (["-4tdrop"], ["-4", "-t", "drop"]),
        (["-fo", "json"], ["--follow", "--output", "jsonpb"]),
        (["--follow=false"], []),
        (["--ip-version", "IPv6"], ["-6"]),
        (["-t", "trace:to-endpoint"], ["-t", "4:0"]),
        (["-t", "agent:policy-updated"], ["-t", "130:5"]),
        (["--identity", "0x10"], ["--identity", "16"]),
        (["--first", "0x10"], ["--first", "16"]),
        (["--experimental-field-mask", "verdict", "-ojson"], ["--field-mask", "verdict", "-o", "json"]),
        (["--field-mask", "verdict,time", "-ojson"], ["--field-mask=verdict", "--field-mask=time", "-ojson"]),
        (["--numeric"], ["--ip-translation=false"]),
        (["--color", "nope"], []),
    ],
)
def test_there_are_several_ways_to_say_the_same(argv: list[str], like: list[str]) -> None:
    assert asked(*argv) == asked(*like)


def test_what_follows_two_dashes_is_no_flag() -> None:
    assert asked("--", "--nope", "-x").words == ("--nope", "-x")


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--verdict"], "flag needs an argument: --verdict"),
        (["-t"], "flag needs an argument: 't' in -t"),
        (["-ft"], "flag needs an argument: 't' in -ft"),
        (["-x"], "unknown shorthand flag: 'x' in -x"),
        (["-fxy"], "unknown shorthand flag: 'x' in -xy"),
        (["--=x"], "bad flag syntax: --=x"),
        (
            ["--last", "-1"],
            'invalid argument "-1" for "--last" flag: strconv.ParseUint: parsing "-1": invalid syntax',
        ),
        (
            ["--follow=x"],
            'invalid argument "x" for "-f, --follow" flag: strconv.ParseBool: parsing "x": invalid syntax',
        ),
        (["--timeout", "x"], 'invalid argument "x" for "--timeout" flag: time: invalid duration "x"'),
        (["--port-forward-port", "65536"], "value out of range"),
        (["--first", "1", "--all"], "cannot set both --first and --all"),
        (["--from-pod", "a/b", "--from-namespace", "c"], 'namespace conflict: "c" does not contain "a/b"'),
        (["--pod", "a/b", "--service", "c/d"], 'namespace of service "c/d" conflict with pod "a"'),
        (["--drop-reason-desc="], "empty --drop-reason-desc value"),
        (["--pod", "a\udc80"], "string field contains invalid UTF-8"),
        (["--namespace", "a\udc80"], "string field contains invalid UTF-8"),
        (["--denylist", '{"nope":1}'], "invalid --denylist flag: failed to decode '{\"nope\":1}': proto:"),
        (["--denylist", "{"], "unexpected EOF"),
        (["--input-file", "-", "-P"], "cannot use --input-file and --auto-port-forward together"),
        (["agent-events", "--verdict", "DROPPED"], "unknown flag: --verdict"),
    ],
)
def test_a_mistake_is_told(argv: list[str], told: str) -> None:
    assert told in refused(*argv)


def test_what_was_typed_is_quoted_so_that_it_does_no_harm() -> None:
    assert '"\\x1b[2J\\n"' in refused("--verdict", "\x1b[2J\n")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1h30m", "2026-11-20T10:30:00Z"),
        ("1.5s", "2026-11-20T11:59:58.500Z"),
        ("-5m", "2026-11-20T12:05:00Z"),
        ("0", "2026-11-20T12:00:00Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20T09Z", "2026-11-20T09:00:00Z"),
        ("2026-11-20T09:03+02:00", "2026-11-20T07:03:00Z"),
        ("2026-11-20T09:03:00.123456789Z", "2026-11-20T09:03:00.123456789Z"),
        ("Fri, 20 Nov 2026 09:03:00 -0500", "2026-11-20T14:03:00Z"),
    ],
)
def test_moments_are_so_long_ago_or_a_date(text: str, moment: str) -> None:
    since, until = asked("--since", text).since, asked("--until", text).until
    assert since is not None
    assert since == until
    assert since.ToJsonString() == moment


@pytest.mark.parametrize(
    "text", ["5", "h", "1d", "2026-13-01", "2026-11-20T25Z", "Nov 20 09:00:00.000", "1h ", "."]
)
def test_what_is_no_moment_is_told(text: str) -> None:
    assert refused("--since", text) == f"failed to parse the since time: failed to convert {text} to time"


def test_following_has_no_end() -> None:
    assert asked("-f", "--until", "1m").until is None


@pytest.mark.parametrize(
    ("argv", "number"),
    [
        ([], 20),
        (["-f"], 0),
        (["--since", "1m"], 0),
        (["--all"], ALL),
        (["--all", "--since", "1m"], 0),
        (["--first", "3"], 3),
        (["--input-file", "-"], 0),
        (["--input", "dump.zip"], 0),
        (["agent-events", "-f"], 20),
    ],
)
def test_how_many_are_asked_for(argv: list[str], number: int) -> None:
    found = asked(*argv)
    request = found.request() if found.kind is Kind.FLOWS else found.agent_events_request()
    assert request.number == number


def test_the_request_carries_everything_that_a_server_needs() -> None:
    request = asked(
        "--first", "5", "--since", "1h", "--verdict", "DROPPED", "--not", "--port", "53"
    ).request()
    assert (request.number, request.first, request.since.ToJsonString()) == (5, True, "2026-11-20T11:00:00Z")
    assert [list(each.verdict) for each in request.whitelist] == [[2]]
    assert len(request.blacklist) == 2
    assert "Summary" in request.field_mask.paths


def test_json_asks_for_all_fields() -> None:
    assert not asked("-o", "json").request().HasField("field_mask")
    assert asked("--use-default-field-masks=false").field_mask == ()
    assert asked("-o", "csv").look.output is Output.CSV


def test_the_servers_flags_are_handed_on() -> None:
    found = asked("--server", "tls://relay:4245", "--tls-ca-cert-files", "a,b", "--tls", "-D", "--timeout=3s")
    assert found.server == {
        "server": ("tls://relay:4245",),
        "tls-ca-cert-files": ("a", "b"),
        "tls": ("true",),
        "debug": ("true",),
        "timeout": ("3s",),
    }


@pytest.mark.parametrize("kind", Kind)
def test_a_sub_command_names_what_is_observed(kind: Kind) -> None:
    assert asked("--last", "3", kind.value, "-s").kind is kind
    assert observe(["--last", "3"], NOW, kind) == asked("--last", "3", kind.value)


@pytest.mark.parametrize("kind", Kind)
def test_help_names_every_flag(kind: Kind) -> None:
    found = observe(["-h", kind.value], NOW)
    assert isinstance(found, Help)
    assert found.kind is kind
    assert all(f"--{flag.name}" in found.text for flag in flags_of(kind))


def test_raw_filters_can_be_given_back() -> None:
    typed = asked("--pod", "shop/it's", "--http-path", "<&>\u2028é", "--not", "--tcp-flags", "SYN,ACK")
    printed = yaml.safe_load(typed.raw_filters())
    argv = [f"--{name}={text}" for name, texts in printed.items() for text in texts]
    assert asked(*argv) == typed

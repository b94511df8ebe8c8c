"""What is asked of which version, how a refusal is told from an answer, and how tables are read."""

from __future__ import annotations

import pytest

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agent.bgp import AgentBgpRoutesV4
from playbooks.model.cilium.agent.columns import rows_in
from playbooks.model.cilium.agent.devices import AgentDevices, AgentMtu
from playbooks.model.cilium.agent.encryption import AgentEncryption
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.identities import AgentIdentities
from playbooks.model.cilium.agent.load_balancing import AgentFrontends
from playbooks.model.cilium.agent.local_pods import AgentPods
from playbooks.model.cilium.agent.nat_stats import AgentPortsInUse
from playbooks.model.cilium.agent.troubleshoot import AgentMeshTroubleshoot
from playbooks.model.fact import Fact, Unreadable
from playbooks.model.request import AgentCommand
from tests.model.agent.reading import answered, ask, columns, read

SHOW = ("cilium-dbg", "shell", "--", "db/show")
ALL = ("1.14.9", "1.15.0", "1.16.3", "1.17.1", "1.18.2", "1.19.0", "1.20.2")


@pytest.mark.parametrize(
    ("kind", "ways"),
    [
        (AgentEndpoints, dict.fromkeys(ALL, (0, 1))),
        (AgentEncryption, {version: (0, 1) if version >= "1.16" else (1,) for version in ALL}),
        (AgentBgpRoutesV4, {version: (0,) if version >= "1.15" else () for version in ALL}),
        (AgentMeshTroubleshoot, {version: (0,) if version >= "1.16" else () for version in ALL}),
        (AgentMtu, {version: (0, 1) if version >= "1.17" else () for version in ALL}),
        (AgentPods, {version: (0, 1) if version >= "1.18" else () for version in ALL}),
        (
            AgentDevices,
            {v: (0, 1) if v >= "1.17" else (2,) if v >= "1.15" else () for v in ALL},
        ),
        (
            AgentPortsInUse,
            {v: (0, 1) if v >= "1.17" else (2,) if v >= "1.16" else () for v in ALL},
        ),
        (AgentFrontends, {version: (0, 1) if version >= "1.17" else () for version in ALL}),
    ],
)
def test_each_version_is_asked_only_for_what_it_has(
    kind: type[Fact], ways: dict[str, tuple[int, ...]]
) -> None:
    for version in ALL:
        asked = [ask(kind, way, version) for way in range(len(kind.ways))]
        assert tuple(n for n, one in enumerate(asked) if isinstance(one, AgentCommand)) == ways[version]
        lacking = [one for one in asked if isinstance(one, Gap)]
        assert {gap.kind for gap in lacking} <= {GapKind.NOT_IN_THIS_VERSION}
        assert all(version in gap.detail and gap.command for gap in lacking)


def test_an_unknown_version_is_asked_for_everything() -> None:
    commands = [ask(AgentDevices, way) for way in range(3)]
    assert [one.argv[1] for one in commands if isinstance(one, AgentCommand)] == ["shell", "shell", "statedb"]


@pytest.mark.parametrize(
    ("said", "code", "stderr", "kind"),
    [
        (b"", 1, b'Error: unknown command "nosuch" for "cilium-dbg"\n', GapKind.NOT_IN_THIS_VERSION),
        (b"Manage services\n\nUsage:\n  cilium-dbg service [command]\n", 0, b"", GapKind.NOT_IN_THIS_VERSION),
        (b"", 1, b"Error: unknown flag: --endpoints\n", GapKind.NOT_IN_THIS_VERSION),
        (b'error: <stdin>:0: db/show x: table "x" not found\n', 1, b"", GapKind.NOT_IN_THIS_VERSION),
        (b"", 1, b"Error: [GET /map/{name}][404] getMapNameNotFound\n", GapKind.NOT_FOUND),
        (b"", 1, b'Get "http://localhost/v1/x": dial unix cilium.sock: no such file\n', GapKind.FAILED),
        (b"", 137, b"Dialing failed: dial unix shell.sock. Retrying...\n", GapKind.FAILED),
    ],
)
def test_a_refusal_is_a_gap_that_says_why(said: bytes, code: int, stderr: bytes, kind: GapKind) -> None:
    for way in (0, 1):
        gap = answered(AgentIdentities, said, way, code=code, stderr=stderr)
        assert isinstance(gap, Gap)
        assert gap.kind is kind
        assert gap.detail
        assert gap.taken_at


def test_what_an_answer_quotes_is_no_refusal() -> None:
    body = "ID   LABELS\n7    k8s:note=unknown command, unknown flag, table x not found\n"
    assert len(read(AgentIdentities, body, 1).items) == 1


def test_a_row_goes_on_below_and_an_empty_cell_stays_empty() -> None:
    lines = ["NAME   SIZE   NAME", "a      1      x", "       2", "b             y z"]
    rows = [*rows_in(lines, ("NAME", "SIZE", "NAME#2"), goes_on=True)]
    assert [(row.text("NAME"), row.lines("SIZE"), row.text("NAME#2")) for row in rows] == [
        ("a", ("1", "2"), "x"),
        ("b", (), "y z"),
    ]


def test_a_mark_before_the_names_stands_over_nothing() -> None:
    (row,) = rows_in(["# Name   Index", "eth0     4"], ("Name", "Index"))
    assert (row.text("Name"), row.number("Index")) == ("eth0", 4)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ["NAME   WEIGHT"],
        ["NAME   SIZE", "abcdefgh1"],
        ["NAME   SIZE", "       1"],
        ["NAME   SIZE" + "   X" * 80],
    ],
)
def test_what_is_no_such_table_is_unreadable(lines: list[str]) -> None:
    with pytest.raises(Unreadable):
        tuple(row.number("SIZE") for row in rows_in(lines, ("NAME", "SIZE"), goes_on=True))


@pytest.mark.parametrize("number", ["²", "٣", "-1", "1.0", "9" * 5000, "0x1"])
def test_what_is_no_number_is_unreadable(number: str) -> None:
    with pytest.raises(Unreadable, match="no number"):
        read(AgentIdentities, columns(("ID", "LABELS"), (number, "k8s:a")), 1)


def test_the_last_line_of_an_answer_that_was_cut_is_left_out_or_unreadable() -> None:
    body = "ID      LABELS\n65612   k8s:app=cart\n656"
    assert len(read(AgentIdentities, body, 1, is_truncated=True).items) == 1
    with pytest.raises(Unreadable, match="middle of a line"):
        read(AgentIdentities, body, 1)

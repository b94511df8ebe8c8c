"""Commands in the agent's image, as text."""

from __future__ import annotations

import pytest

from playbooks.practice import commands
from playbooks.practice.commands.columns import age, duration, laid_out
from playbooks.practice.world import World, build
from tests.practice.worlds import seen


@pytest.fixture(scope="module")
def world() -> World:
    return seen()


def run(world: World, *argv: str, node: str = "") -> commands.Output:
    agent = world.agents[node or list(world.agents)[1]]
    output = commands.run(world, agent, "cilium-agent", argv)
    assert isinstance(output, commands.Output)
    return output


def text(world: World, *argv: str) -> str:
    output = run(world, *argv)
    assert (output.exit_code, output.stderr) == (0, b"")
    return output.stdout.decode()


def test_status_counts_what_is_there(world: World) -> None:
    shown = text(world, "cilium-dbg", "status")
    assert "Cluster health:          6/6 reachable   (" in shown
    assert "Routing:                 Network: Tunnel [vxlan]   Host: BPF\n" in shown
    assert "Modules Health:          Stopped(0) Degraded(0) OK(" in shown
    pods = sum(entry.node == list(world.agents)[1] and bool(entry.ip) for entry in world.runs.values())
    assert f"IPAM:                    IPv4: {pods + 1}/254 allocated from 10.244.1.0/24, \n" in shown


def test_the_long_status_shows_every_controller_probe_and_module(world: World) -> None:
    shown = text(world, "cilium-dbg", "status", "--verbose")
    assert shown.count("HTTP to agent:   OK, RTT=") == 12
    assert "  endpoint-gc " in shown
    assert shown.count("[OK]") > 70
    assert "DEGRADED" not in shown


def test_brief_status_is_one_word(world: World) -> None:
    assert text(world, "cilium-dbg", "status", "--brief") == "OK\n"


def test_health_has_a_row_for_every_node(world: World) -> None:
    rows = text(world, "cilium-health", "status").splitlines()
    assert rows[2].split() == [f"orchard/{list(world.agents)[1]}", "(localhost)", "10.0.0.11", "1/1", "1/1"]
    assert len(rows) == 8


def test_a_failing_peer_has_a_row_in_status() -> None:
    world = seen("agent-crashloop")
    node = next(node for node, agent in world.agents.items() if agent.is_ready)
    shown = run(world, "cilium-dbg", "status", node=node).stdout.decode()
    assert "Cluster health:              5/6 reachable" in shown
    assert "0/1" in shown


def test_endpoints_are_listed_with_their_labels(world: World) -> None:
    shown = text(world, "cilium-dbg", "endpoint", "list").splitlines()
    assert shown[0].startswith("ENDPOINT   POLICY (ingress)   POLICY (egress)   IDENTITY   LABELS")
    assert any("reserved:health" in line for line in shown)
    assert any(line.strip() == "k8s:io.kubernetes.pod.namespace=shop" for line in shown)


def test_modules_as_a_table(world: World) -> None:
    shown = text(world, "cilium-dbg", "shell", "--", "db/show", "health").splitlines()
    assert shown[0].split() == ["Module", "Component", "Level", "Message"]
    assert all(" OK " in line for line in shown[1:])


def test_a_group_without_that_command_prints_its_help_and_succeeds(world: World) -> None:
    shown = text(world, "cilium-dbg", "bpf", "nosuch")
    assert shown.startswith("Direct access to local BPF maps\n\nUsage:\n  cilium-dbg bpf [command]\n")


@pytest.mark.parametrize(
    ("argv", "stdout", "stderr"),
    [
        (("nosuch",), 'unknown command "nosuch"', 'Error: unknown command "nosuch" for "cilium-dbg"\n'),
        (("status", "--nosuch"), "Usage:\n  cilium-dbg status [flags]", "Error: unknown flag: --nosuch\n"),
        (("shell", "--", "db/show", "nosuch"), '<stdin>:0: db/show nosuch: table "nosuch" not found', ""),
    ],
)
def test_what_the_agent_does_not_know_fails(
    world: World, argv: tuple[str, ...], stdout: str, stderr: str
) -> None:
    output = run(world, "cilium-dbg", *argv)
    assert output.exit_code == 1
    assert output.stdout.decode().startswith(stdout)
    assert output.stderr.decode().startswith(stderr)


def test_an_older_agent_has_its_command_under_another_name() -> None:
    world = build()
    world.agent_program = "cilium"
    agent = world.agents[next(iter(world.agents))]
    assert isinstance(
        commands.run(world, agent, "cilium-agent", ("cilium-dbg", "status")), commands.NoProgram
    )
    assert run(world, "cilium", "status", "--brief").stdout == b"OK\n"


def test_a_waiting_agent_has_no_socket() -> None:
    world = seen("operator-down")
    output = run(world, "cilium-dbg", "status", "-o", "json")
    assert output.exit_code == 1
    assert b"Is the agent running?" in output.stderr


def test_timeout_without_a_program_says_so(world: World) -> None:
    output = run(world, "timeout", "-k", "2", "9", "nosuch")
    assert (output.exit_code, output.stderr) == (
        127,
        b"timeout: failed to run command 'nosuch': No such file or directory\n",
    )


def test_other_containers_have_none_of_the_programs(world: World) -> None:
    relay = next(entry for entry in world.runs.values() if entry.name.startswith("hubble-relay"))
    assert isinstance(
        commands.run(world, relay, "hubble-relay", ("cilium-dbg", "status")), commands.NoProgram
    )


def test_columns_are_as_wide_as_their_widest_neighbour() -> None:
    assert laid_out("a\tb\nlonger\tc\n") == "a        b\nlonger   c\n"
    assert laid_out("a\tb\nno cell\nlonger\tc") == "a    b\nno cell\nlonger   c"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.000068251, "68.251µs"),
        (0.0042, "4.2ms"),
        (65.91673732, "1m5.91673732s"),
        (93784, "26h3m4s"),
    ],
)
def test_durations_are_printed_as_go_does(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (5, "5s"),
        (119, "119s"),
        (143, "2m23s"),
        (750, "12m"),
        (7 * 3600 + 60, "7h1m"),
        (93784, "26h"),
        (900000, "10d"),
    ],
)
def test_ages_are_as_short_as_kubectl_shows_them(seconds: float, shown: str) -> None:
    assert age(seconds) == shown

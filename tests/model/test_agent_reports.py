"""What agents report beside their status (probes, modules, options), and the endpoints they publish."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.health import AgentHealth
from playbooks.model.cilium.modules import AgentModules
from playbooks.model.cilium.options import AgentOptions
from playbooks.model.fact import Fact, Unreadable
from playbooks.model.kube.resources import CILIUM_ENDPOINT_SLICES, CILIUM_ENDPOINTS
from playbooks.model.request import AgentCommand, Objects, Request
from tests.told import told

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
SHELL = ("cilium-dbg", "shell", "--", "db/show", "health", "-f", "json")
TABLE = ("cilium-dbg", "shell", "--", "db/show", "health")
ASKED = AgentCommand("node-1", "kube-system", "cilium-x", "cilium-agent", ("cilium-dbg",))


def read(
    kind: type[Fact], data: bytes, way: int = 0, *, code: int = 0, stderr: bytes = b"", ask: Request = ASKED
) -> Fact | Gap:
    reader = kind.ways[way].reader()
    for start in range(0, len(data), 997):
        reader.feed(data[start : start + 997])
    return reader.finish(ask, End("cilium-dbg", "node-1", NOW, 0.1, code, stderr))


def health(data: bytes) -> AgentHealth:
    fact = read(AgentHealth, data)
    assert isinstance(fact, AgentHealth)
    return fact


def modules(data: bytes, way: int = 0) -> AgentModules:
    fact = read(AgentModules, data, way)
    assert isinstance(fact, AgentModules)
    return fact


def test_a_healthy_node_reaches_itself() -> None:
    fact = health(told("healthy", "cilium-health", "status", "-o", "json"))
    (own,) = fact.peers
    assert (fact.local, own.node, own.cluster) == ("lab/lab-node-1", "lab-node-1", "lab")
    assert own.host_address is not None
    assert own.host_address.failures == ()
    assert fact.probed(own.host_address) == datetime(2026, 11, 23, 1, 39, 52, tzinfo=UTC)
    assert fact.neighbours == ()


def test_before_the_first_round_nobody_was_probed() -> None:
    fact = health(told("11", "cilium-health", "status", "-o", "json"))
    assert fact.peers == ()


def test_an_old_health_daemon_tells_only_when_its_round_began() -> None:
    probe = {"icmp": {"latency": 1}, "http": {"status": "connection refused"}, "ip": "192.0.2.1"}
    old = {
        "local": {"name": "default/a"},
        "timestamp": "2026-11-23T01:59:00Z",
        "nodes": [{"name": "default/b", "host": {"primary-address": probe}, "endpoint": probe}],
    }
    fact = health(json.dumps(old).encode())
    (peer,) = fact.neighbours
    assert peer.host_address is not None
    assert [name for name, _ in peer.host_address.failures] == ["HTTP"]
    assert not peer.host_address.is_silent
    assert fact.probed(peer.host_address) == datetime(2026, 11, 23, 1, 59, tzinfo=UTC)
    assert peer.endpoint_address is None


def test_health_with_null_everywhere() -> None:
    fact = health(
        b'{"local":null,"nodes":[{"name":"c/n","host":null,"health-endpoint":{"primary-address":null}}]}'
    )
    assert fact.peers[0].host_address is None
    assert fact.round_at is None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"nodes":{}}', b'{"nodes":[{"name":3}]}', b"\x00" * 50])
def test_health_that_is_none_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        health(data)


def test_modules_of_a_healthy_agent_name_one_that_lacks_envoy() -> None:
    fact = modules(told("healthy", *SHELL))
    assert len(fact.items) == 120
    assert [one.name for one in fact.degraded] == ["agent.controlplane.envoy-proxy.timer-job-version-check"]
    assert fact.degraded[0].count == 1
    assert fact.pod_of(51) == ("shop", "cart-9c97f5f45-xtldl")
    assert fact.pod_of(550) is None


def test_the_table_as_text_says_the_same() -> None:
    as_json, as_text = modules(told("06", *SHELL)), modules(told("06", *TABLE), 1)
    # The asking itself is a row too, with a number that counts up.
    names = [(one.name, one.level) for one in as_json.items if "job-shell-" not in one.name]
    assert [(one.name, one.level) for one in as_text.items if "job-shell-" not in one.name] == names
    assert as_text.degraded[0].error == "failed to compile template program: exit status 1"
    marked = modules(b"# " + told("06", *TABLE).replace(b"\n", b"\n  ").rstrip(b" "), 1)
    assert [one.name for one in marked.items] == [one.name for one in as_text.items]


def test_modules_cut_anywhere_never_crash() -> None:
    whole = told("06", *SHELL)
    seen = 0
    for end in range(0, len(whole), len(whole) // 97):
        try:
            seen += len(modules(whole[:end]).items)
        except Unreadable:
            continue
    text = told("06", *TABLE)
    for end in range(0, len(text), len(text) // 97):
        try:
            modules(text[:end], 1)
        except Unreadable:
            continue
    assert seen == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"ID":{},"Level":3}',
        b'{"ID":{"Module":"agent"},"Level":"OK"}',
        b'{"ID":{},"Level":"OK","Count":"2"}',
        b'{"ID":{},"Level":"OK"} trailing',
        b"[[" * 50000,
    ],
)
def test_rows_of_other_shapes_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        modules(data)


def test_a_list_of_rows_is_read_too_and_null_is_absent() -> None:
    row = b'{"ID":{"Module":["a"],"Component":null},"Level":"Degraded","Error":null,"Updated":"","Count":1}'
    fact = modules(b"[" + row + b"]")
    assert (fact.items[0].name, fact.items[0].updated) == ("a", None)


@pytest.mark.parametrize(
    ("said", "code", "stderr"),
    [
        (b"", 1, b'Error: unknown command "shell" for "cilium-dbg"\n'),
        (b'error: <stdin>:0: db/show health: table "health" not found', 1, b""),
        (b"Inspect StateDB\n\nUsage:\n  cilium-dbg statedb [command]\n", 0, b""),
    ],
)
def test_a_version_without_the_command_is_told_as_such(said: bytes, code: int, stderr: bytes) -> None:
    gap = read(AgentModules, said, code=code, stderr=stderr)
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_IN_THIS_VERSION


def test_options_are_found_in_groups_too() -> None:
    fact = read(AgentOptions, told("healthy", "cilium-dbg", "config", "-a", "-o", "json"))
    assert isinstance(fact, AgentOptions)
    assert fact.values["RoutingMode"] == "tunnel"
    assert fact.values["CTMapEntriesGlobalTCP"] == "221723"
    assert fact.values["EnableHostLegacyRouting"] == "false"
    assert fact.values["Devices"] == "eth0 world0"
    assert fact.made_at == datetime(2026, 11, 23, 1, 28, 14, 614159, tzinfo=UTC)
    assert "IPv4NativeRoutingCIDR" not in fact.values


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"a":null}', b'{"a":[{}]}', b"#### Read-only ####\n"])
def test_options_that_are_none_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(AgentOptions, data)


def test_endpoints_come_from_slices_where_there_are_no_objects() -> None:
    page = {
        "kind": "CiliumEndpointSliceList",
        "items": [
            {
                "metadata": {"name": "ces-1"},
                "namespace": "shop",
                "endpoints": [{"name": "cart-1", "id": 70001, "networking": {"node": "192.0.2.7"}}],
            },
            {"metadata": {"name": "ces-2"}, "namespace": "shop", "endpoints": None},
        ],
    }
    ask = Objects(CILIUM_ENDPOINT_SLICES)
    fact = read(ClusterEndpoints, json.dumps(page).encode() + b"\n", 1, ask=ask)
    assert isinstance(fact, ClusterEndpoints)
    assert [(one.namespace, one.name, one.id) for one in fact.items] == [("shop", "cart-1", None)]


def test_an_endpoint_is_found_by_its_id_on_its_node() -> None:
    items = [
        {
            "metadata": {"name": f"pod-{n}", "namespace": "shop"},
            "status": {"id": 51, "state": "ready", "networking": {"node": f"192.0.2.{n}"}},
        }
        for n in (1, 2)
    ] + [{"metadata": {"name": "new", "namespace": "shop"}}]
    page = json.dumps({"kind": "CiliumEndpointList", "items": items}).encode() + b"\n"
    fact = read(ClusterEndpoints, page, ask=Objects(CILIUM_ENDPOINTS))
    assert isinstance(fact, ClusterEndpoints)
    assert fact.pod_of(51, frozenset({"192.0.2.2", "fd00::2"})) == ("shop", "pod-2")
    assert fact.pod_of(51, frozenset()) is None

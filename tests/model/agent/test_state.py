"""Tables of the agent's state: devices, addresses, routes, neighbours, settings, ports in use."""

from __future__ import annotations

import pytest

from playbooks.model.cilium.agent.announced import AgentAnnounced
from playbooks.model.cilium.agent.devices import AgentDevices, AgentMtu, AgentNodeAddresses
from playbooks.model.cilium.agent.nat_stats import AgentPortsInUse
from playbooks.model.cilium.agent.routes import AgentNeighbours, AgentRoutes
from playbooks.model.cilium.agent.sysctls import AgentSysctls
from playbooks.model.fact import Fact, Unreadable
from tests.model.agent.reading import columns, read, recorded
from tests.model.samples import sample_of


def written(kind: type[Fact], way: int = 0) -> bytes:
    return sample_of(f"{kind.__name__}: {kind.ways[way].name}") or b""


def test_the_devices_in_use_are_told() -> None:
    fact = recorded(AgentDevices, 1)
    assert {device.name for device in fact.selected} == {"eth0", "world0"}
    eth0 = fact.get("eth0")
    assert eth0 is not None
    assert (eth0.index, eth0.mtu, eth0.type) == (4, 1400, "device")
    assert "192.0.2.2" in eth0.addresses
    assert fact.get("nosuch") is None


def test_json_tells_why_a_device_is_not_used() -> None:
    fact = read(AgentDevices, written(AgentDevices))
    loopback = fact.get("lo")
    assert loopback is not None
    assert loopback.reason == "not matching user filter [eth0 world0]"
    text = recorded(AgentDevices, 1).get("lo")
    assert text is not None
    assert (text.addresses, text.mtu, text.reason) == (loopback.addresses, loopback.mtu, "")


def test_tables_were_commands_up_to_1_16() -> None:
    lo, eth0 = read(AgentDevices, written(AgentDevices, 2), 2).items
    assert (lo.name, lo.addresses, lo.oper_status) == ("lo", ("127.0.0.1", "::1"), "")
    assert (eth0.is_selected, eth0.mtu) == (True, 1400)
    assert [item.device for item in read(AgentNodeAddresses, written(AgentNodeAddresses, 2), 2).items] == [
        "*",
        "eth0",
    ]
    assert [item.mtu for item in read(AgentRoutes, written(AgentRoutes, 2), 2).items] == [None, 1350]
    assert [item.count for item in read(AgentPortsInUse, written(AgentPortsInUse, 2), 2).items] == [3, 12]
    assert [item.address for item in read(AgentAnnounced, written(AgentAnnounced, 2), 2).items] == [
        "203.0.113.7",
        "203.0.113.8",
    ]


@pytest.mark.parametrize("kind", [AgentNodeAddresses, AgentMtu, AgentPortsInUse])
def test_json_and_text_of_whole_tables_are_alike(
    kind: type[AgentNodeAddresses] | type[AgentMtu] | type[AgentPortsInUse],
) -> None:
    from_json, from_text = read(kind, written(kind)).items, recorded(kind, 1).items
    assert from_json == from_text[: len(from_json)]


def test_node_ports_are_served_on_some_addresses_only() -> None:
    serving = [a.address for a in recorded(AgentNodeAddresses, 1).items if a.serves_node_ports]
    assert serving == ["192.0.2.2", "198.51.100.1", "fd00::2"]


def test_routes_mean_the_same_as_numbers_and_as_words() -> None:
    from_json, from_text = read(AgentRoutes, written(AgentRoutes)).items, recorded(AgentRoutes, 1).items
    for route in from_json:
        assert route in from_text
    default = next(route for route in from_text if route.destination == "0.0.0.0/0" and route.gateway)
    assert (default.gateway, default.table, default.type, default.mtu) == (
        "192.0.2.1",
        "main",
        "unicast",
        None,
    )
    assert {route.table for route in from_text} == {"main", "local", "2004"}


def test_a_neighbour_that_nobody_answers_for_has_failed() -> None:
    failed = [item.address for item in recorded(AgentNeighbours, 1).items if item.is_failed]
    assert failed == ["fd00::1", "198.51.100.77"]
    for item in read(AgentNeighbours, written(AgentNeighbours)).items:
        assert item in recorded(AgentNeighbours, 1).items


def test_settings_tell_whether_they_could_be_set() -> None:
    assert {item.status for item in recorded(AgentSysctls, 1).items} == {"Done"}
    failed = read(AgentSysctls, written(AgentSysctls, 2), 2).items[1]
    assert (failed.name, failed.status, failed.error) == (
        "net.ipv4.conf.all.rp_filter",
        "Error",
        "read-only file system",
    )
    body = '{"Name":["a","b"],"Val":"1","Status":{"kind":"Error","error":"no such file"}}'
    assert read(AgentSysctls, body).items[0].error == "no such file"


def test_nothing_is_announced_where_the_table_is_empty() -> None:
    assert recorded(AgentAnnounced, 1).items == ()
    assert [item.device for item in read(AgentAnnounced, written(AgentAnnounced)).items] == ["eth0", "eth1"]


def test_a_row_that_is_cut_short_is_unreadable() -> None:
    header = ("IPFamily", "Proto", "EgressIP", "RemoteAddr", "Count")
    for row in (("ipv4", "TCP", "10.0.0.1", "10.0.0.2", "3"), ("ipv4", "TCP", "10.0.0.1", "10.0.0.2:80", "")):
        with pytest.raises(Unreadable):
            read(AgentPortsInUse, columns(header, row), 1)
    with pytest.raises(Unreadable):
        read(AgentPortsInUse, '{"Type":"ipv4","Proto":"TCP","EgressIP":"10.0.0.1","Count":3}')

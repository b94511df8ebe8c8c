"""Dumps of maps: what the recordings hold, in JSON and as text, and what says that there is no map."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playbooks.model.answer import Gap, GapKind
from playbooks.model.bpf.counters import DatapathCounters
from playbooks.model.bpf.endpoints import EndpointMap
from playbooks.model.bpf.features import AuthMap, EgressMap, FragmentMap
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.bpf.load_balancing import BackendMap, ReverseNatMap, ServiceMap, SlotMap
from playbooks.model.bpf.nodes import NodeMap, TunnelMap
from playbooks.model.bpf.policy import PolicyKey, PolicyMaps
from playbooks.model.bpf.state import MapCounts, RuntimeConfig, Templates
from playbooks.model.fact import Fact, Unreadable
from tests.model.bpf.reading import known, read, recorded
from tests.model.bpf.samples import WRITTEN

BOTH = [
    (EndpointMap, "bpf endpoint list"),
    (IpcacheMap, "bpf ipcache list"),
    (ServiceMap, "bpf lb list"),
]


@pytest.mark.parametrize(("kind", "command"), BOTH)
async def test_text_tells_what_json_tells(
    kind: type[EndpointMap | IpcacheMap | ServiceMap], command: str
) -> None:
    of_json = read(kind, 0, await recorded("healthy", f"cilium-dbg {command} -o json"))
    of_text = read(kind, 1, await recorded("healthy", f"cilium-dbg {command}"))
    assert not isinstance(of_json, Gap)
    assert not isinstance(of_text, Gap)
    assert len(of_json.items) > 10
    assert sorted(map(repr, of_json.items)) == sorted(map(repr, of_text.items))


async def test_policy_maps_are_the_same_in_json_and_text_but_for_counters_and_precedence() -> None:
    of_json = read(PolicyMaps, 0, await recorded("healthy", "cilium-dbg bpf policy get --all -n -o json"))
    of_text = read(PolicyMaps, 1, await recorded("healthy", "cilium-dbg bpf policy get --all -n"))
    assert isinstance(of_json, PolicyMaps)
    assert isinstance(of_text, PolicyMaps)
    entries = [
        {
            one.endpoint: {replace(entry, packets=None, precedence=None) for entry in one.entries}
            for one in fact.items
        }
        for fact in (of_json, of_text)
    ]
    assert entries[0] == entries[1]
    assert len(entries[0]) == 16
    redis = {entry.key for entry in entries[0][811]}
    assert PolicyKey("ingress", 72500, 6, 6379, 6379) in redis
    dns = {entry.proxy_port for entry in entries[0][31] if entry.key.port == 53}
    assert dns == {44627}


async def test_a_range_of_ports_is_one_entry() -> None:
    body = """
[{"EndpointID": "", "Path": "/sys/fs/bpf/tc/globals/cilium_policy_v3_00031", "Content": [
 {"ProxyPortNetwork": 0, "Flags": 169, "Packets": 18446744073709551615,
  "Key": {"Prefixlen": 61, "Identity": 0, "TrafficDirection": 1, "Nexthdr": 6, "DestPortNetwork": 36895}}]}]
"""
    fact = read(PolicyMaps, 0, body)
    assert isinstance(fact, PolicyMaps)
    entry = fact.by_endpoint[31].entries[0]
    assert entry.key.said == "egress to anybody at 8080-8087/TCP"
    assert (entry.is_deny, entry.packets) == (True, None)


async def test_what_maps_tell_in_the_healthy_cluster() -> None:
    endpoints = await known("healthy", EndpointMap)
    assert endpoints.by_address["10.244.0.14"].id == 51
    assert endpoints.by_address["192.0.2.2"].is_host
    services = await known("healthy", ServiceMap)
    dns = services.by_address["10.96.0.10:53/UDP", False]
    assert (dns.rev_nat, dict(dns.backends), dns.flags[0]) == (6, {1: "10.244.0.108:53/UDP"}, "ClusterIP")
    assert services.by_address["10.96.0.10:0/ANY", False].is_wildcard
    slots = await known("healthy", SlotMap)
    assert sum(slot.count for slot in slots.items) == sum(bool(slot.slot) for slot in slots.items)
    numbers = {backend.id for backend in (await known("healthy", BackendMap)).items}
    assert {slot.backend for slot in slots.items if slot.slot} <= numbers
    assert (await known("healthy", ReverseNatMap)).frontends[12] == "0.0.0.0:30080"
    counters = await known("healthy", DatapathCounters)
    assert counters.packets("Policy denied", "ingress") > 0
    assert (await known("healthy", RuntimeConfig)).agent_alive_at == 5231172083356
    assert {node.id for node in (await known("healthy", NodeMap)).items} == {0x68A3, 0x5ABD}
    templates = await known("healthy", Templates)
    assert sorted(map(len, templates.endpoints.values()))[0] == 1
    assert not templates.troubled
    counts = {item.name: item.entries for item in (await known("healthy", MapCounts)).items}
    assert (counts["cilium_lb4_backends_v3"], counts["cilium_metrics"]) == (16, None)


@pytest.mark.parametrize(
    ("kind", "said", "exit_code"),
    [
        (EgressMap, b"Cannot find egress gateway bpf maps\n", 0),
        (FragmentMap, b"Error: failed to open IPv6 map: no such file or directory\n", 1),
        (AuthMap, b"Cannot find auth bpf map\n", 0),
    ],
)
def test_a_map_that_is_not_there_is_no_empty_map(kind: type[Fact], said: bytes, exit_code: int) -> None:
    for way in (0, 1):
        for body, stderr in ((b"", said), (said, b"")):
            gap = read(kind, way, body, stderr=stderr, exit_code=exit_code)
            assert isinstance(gap, Gap)
            assert gap.kind is GapKind.NOT_FOUND


def test_an_empty_map_says_so_and_silence_does_not() -> None:
    for way in (0, 1):
        fact = read(AuthMap, way, b"", stderr=b"No entries found.\n")
        assert isinstance(fact, AuthMap)
        assert fact.items == ()
        with pytest.raises(Unreadable):
            read(AuthMap, way, b"")


def test_help_is_no_map() -> None:
    for way in (0, 1):
        gap = read(TunnelMap, way, "Direct access to local BPF maps\n\nUsage:\n  cilium-dbg bpf [command]\n")
        assert isinstance(gap, Gap)
        assert gap.kind is GapKind.NOT_IN_THIS_VERSION


@pytest.mark.parametrize(
    ("value", "flags", "tunnel"),
    [
        ("identity=9 encryptkey=0 tunnelendpoint=192.0.2.3, flags=hastunnel,ipv6tunnel", 2, "192.0.2.3"),
        ("identity=9 encryptkey=3 tunnelendpoint=0.0.0.0 nodeid=0x0", None, ""),
        ("identity=9 encryptkey=3 tunnelendpoint=0.0.0.0", None, ""),
        ("identity=9 encryptkey=0 tunnelendpoint=0.0.0.0 flags=<none>", 0, ""),
    ],
)
def test_the_ipcache_of_other_versions(value: str, flags: int | None, tunnel: str) -> None:
    fact = read(IpcacheMap, 0, f'{{"fd00::1/128@7": ["{value}"], "10.0.0.1/32": ["{value}"]}}')
    assert isinstance(fact, IpcacheMap)
    one = fact.items[0]
    assert (one.identity, one.cluster, one.tunnel) == (9, 7, tunnel)
    assert (None if one.flags is None else len(one.flags)) == flags
    assert [*fact.by_cidr] == ["10.0.0.1/32"]


def test_counters_before_1_16() -> None:
    body = (
        '[{"reason": 133, "description": "Policy denied", "values": {"ingress": {"packets": 3, "bytes": 9}}}]'
    )
    fact = read(DatapathCounters, 0, body)
    assert isinstance(fact, DatapathCounters)
    assert (fact.packets("Policy denied", "ingress"), fact.items[0].code, fact.items[0].line) == (
        3,
        133,
        None,
    )


def test_services_before_slots_stood_in_keys() -> None:
    body = """
SERVICE ADDRESS       BACKEND ADDRESS (REVNAT_ID) (SLOT)
10.96.0.10:53         0.0.0.0:0 (6) (0) [ClusterIP, non-routable]
                      10.244.0.108:53 (6) (1)
                      backend 12 not found
"""
    fact = read(ServiceMap, 1, body)
    assert isinstance(fact, ServiceMap)
    dns = fact.by_address["10.96.0.10:53", False]
    assert (dict(dns.backends), dict(dns.broken)) == ({1: "10.244.0.108:53"}, {0: 12})


def test_the_gateway_of_an_egress_rule() -> None:
    fact = read(EgressMap, 1, WRITTEN["EgressMap: egress map as text"])
    assert isinstance(fact, EgressMap)
    assert [(rule.gateway, rule.egress_ip, rule.is_excluded) for rule in fact.items] == [
        ("192.0.2.2", "192.0.2.9", False),
        ("", "", False),
        ("", "", True),
    ]


def test_a_template_that_no_endpoint_uses() -> None:
    body = """
Datapath SHA               Endpoint(s)
5395c09a                   -
<template path invalid>    12
                           13
"""
    fact = read(Templates, 1, body)
    assert isinstance(fact, Templates)
    assert fact.endpoints == {"5395c09a": ()}
    assert fact.troubled == {"template path invalid": (12, 13)}

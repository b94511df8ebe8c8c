"""Lines of a real monitor (Cilium 1.20.2) as flows; nothing that is no drop and no verdict is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.hubble.monitor import Monitor
from playbooks.model.hubble.proto import flow_pb2, observer_pb2

NOW = 1_790_000_000_000_000_000
LINES = Path(__file__).with_name("monitor.txt").read_bytes().splitlines()
DROP = (
    b'{"type":"drop","reason":"%s","source":31,"srcLabel":65612,"dstLabel":2,"dstID":0,"Line":1663,"File":2,'
    b'"summary":{"tcp":"SYN=true ACK=true",'
    b'"l3":{"src":"fd00::1","dst":"fd00::2"},"l4":{"src":"1","dst":"80"}}}'
)


def read(line: bytes) -> observer_pb2.GetFlowsResponse:
    found = Monitor("node-1").read(line, NOW)
    assert found is not None
    return found


def recorded() -> list[flow_pb2.Flow]:
    monitor = Monitor("node-1")
    found = [monitor.read(line, NOW) for line in LINES]
    return [one.flow for one in found if one is not None]


def test_drops_and_verdicts_of_a_real_monitor() -> None:
    flows = recorded()
    drops = [flow for flow in flows if flow.event_type.type == 1]
    assert {flow.drop_reason for flow in drops} == {133, 151, 181}
    assert all(flow.drop_reason_desc == flow.drop_reason == flow.event_type.sub_type for flow in drops)
    assert {flow.file.name for flow in drops} == {"bpf_lxc.c", "bpf_host.c"}
    verdicts = [flow for flow in flows if flow.event_type.type == 5]
    assert {flow_pb2.Verdict.Name(flow.verdict) for flow in verdicts} == {
        "FORWARDED",
        "DROPPED",
        "REDIRECTED",
    }
    assert {flow.policy_match_type for flow in verdicts} >= {0, 1, 2, 4}
    assert {flow.traffic_direction for flow in verdicts} == {1, 2}
    assert all(flow.IP.source and flow.IP.destination and flow.time.seconds for flow in flows)
    assert len(flows) < len(LINES), "traces and what the command says of itself are no flows"


def test_a_drop_towards_an_endpoint_names_it_as_destination() -> None:
    ingress = next(flow for flow in recorded() if flow.file.line == 2410)
    assert (ingress.traffic_direction, ingress.source.ID) == (flow_pb2.TrafficDirection.INGRESS, 0)
    assert ingress.destination.ID > 0
    assert ingress.source.identity > 0
    egress = next(flow for flow in recorded() if flow.file.line == 1663)
    assert egress.traffic_direction == flow_pb2.TrafficDirection.EGRESS
    assert egress.source.ID > 0


def test_a_default_deny_and_a_rule_that_denies_are_told_apart() -> None:
    line = b"Policy verdict log: flow 0x1 local EP ID 7, remote ID %s, proto 6, egress, action deny, "
    none = read(line % b"world" + b"auth: disabled, match none, 10.0.0.1:5 -> 1.1.1.1:443 tcp SYN").flow
    rule = read(
        line % b"16777220" + b"auth: disabled, match L3-Only, 10.0.0.1:5 -> 1.1.1.1:443 tcp SYN, ECE"
    ).flow
    assert (none.drop_reason_desc, none.destination.identity) == (flow_pb2.DropReason.POLICY_DENIED, 2)
    assert (rule.drop_reason_desc, rule.destination.identity) == (flow_pb2.DropReason.POLICY_DENY, 16777220)
    assert none.source.ID == 7
    assert rule.Summary == "TCP Flags: SYN, ECE"


def test_ipv6_and_other_protocols() -> None:
    line = b"Policy verdict log: flow 0x1 local EP ID 7, remote ID 5, proto %d, ingress, action audit, "
    udp = read(line % 17 + b"auth: spire, match all, [fd00::1]:53 -> [fd00::2]:9 udp").flow
    assert (udp.IP.source, udp.l4.UDP.source_port, udp.IP.ipVersion) == (
        "fd00::1",
        53,
        flow_pb2.IPVersion.IPv6,
    )
    assert udp.verdict == flow_pb2.Verdict.AUDIT
    icmp = read(line % 58 + b"auth: spire, match all, fd00::1 -> fd00::2 EchoRequest").flow
    assert (icmp.IP.destination, icmp.Summary) == ("fd00::2", "EchoRequest")
    tcp = read(DROP % b"Policy denied").flow
    assert tcp.l4.TCP.flags.SYN
    assert tcp.Summary == "TCP Flags: SYN, ACK"
    assert tcp.IP.ipVersion == flow_pb2.IPVersion.IPv6


@pytest.mark.parametrize(
    ("printed", "number"), [(b"FIB lookup failed, 7", 169), (b"159, 0", 159), (b"something new", 0), (b"", 0)]
)
def test_reasons_are_known_by_their_text(printed: bytes, number: int) -> None:
    assert read(DROP % printed).flow.drop_reason == number


def test_lost_events_are_told() -> None:
    found = read(b"CPU 01: 42 events lost")
    assert found.lost_events.num_events_lost == 42
    assert found.node_name == "node-1"


def test_other_lines_are_counted_only() -> None:
    monitor = Monitor("node-1")
    for line in (
        b"",
        b"{",
        b"[]",
        b'{"type":"trace"}',
        b"Press Ctrl-C to quit",
        b"\xff\xfe",
        b'{"type":"drop","source":"x"}',
    ):
        assert monitor.read(line, NOW) is None
    assert monitor.skipped == 6


@given(st.sampled_from(LINES), st.integers(0, 2000), st.binary(max_size=6))
def test_nothing_breaks_it(line: bytes, place: int, noise: bytes) -> None:
    Monitor("node-1").read(line[:place] + noise + line[place + 3 :], NOW)

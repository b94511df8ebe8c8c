"""Features as agents tell of them: encryption, BGP, meshes, Hubble; and which version they are."""

from __future__ import annotations

import pytest

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agent.bgp import AgentBgpRoutesV4, AgentBgpSessions
from playbooks.model.cilium.agent.encryption import AgentEncryption
from playbooks.model.cilium.agent.hubble import AgentHubble
from playbooks.model.cilium.agent.troubleshoot import AgentKvstoreTroubleshoot, AgentMeshTroubleshoot, Mark
from playbooks.model.cilium.agent.versions import AgentVersions
from playbooks.model.fact import Unreadable
from tests.model.agent.reading import answered, read, recorded
from tests.model.samples import sample_of
from tests.told import told

CRASHING = "05-agent-crashloop-bad-config"
OFF = b"BGP Control Plane is disabled\n"


@pytest.mark.parametrize("way", [0, 1])
def test_encryption_that_is_off_says_so(way: int) -> None:
    fact = recorded(AgentEncryption, way)
    assert (fact.mode, fact.is_off, fact.wireguard, fact.ipsec) == ("Disabled", True, None, None)


@pytest.mark.parametrize("argv", [(), ("-o", "json")])
def test_encryption_that_could_not_be_told_is_a_gap_though_the_command_ended_well(
    argv: tuple[str, ...],
) -> None:
    body = told(CRASHING, "cilium-dbg", "encrypt", "status", *argv, look=2)
    gap = answered(AgentEncryption, body, 0 if argv else 1)
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.FAILED
    assert "cilium.sock: connect: no such file or directory" in gap.detail


def test_wireguard_tells_its_peers() -> None:
    body = """
{"mode":"Wireguard","wireguard":{"node-encryption":"Disabled","interfaces":[{"name":"cilium_wg0","listen-port":51871,
 "peer-count":2,"peers":[{"public-key":"a=","endpoint":"192.0.2.3:51871","transfer-rx":7,
 "last-handshake-time":"2026-11-23T01:40:00.000Z","allowed-ips":["10.244.1.0/24"]},
 {"public-key":"b=","last-handshake-time":"0001-01-01T00:00:00.000Z"}]}]}}
"""
    wireguard = read(AgentEncryption, body).wireguard
    assert wireguard is not None
    first, second = (wireguard.interfaces or ())[0].peers or ()
    assert first.last_handshake is not None
    assert (first.transfer_rx, second.last_handshake) == (7, None)


def test_ipsec_tells_its_keys_and_errors() -> None:
    body = '{"mode":"IPsec","ipsec":{"keys-in-use":1,"max-seq-number":"0x1/0xffffffff","error-count":3,'
    body += '"xfrm-errors":{"inbound/other":3},"decrypt-interfaces":null}}'
    ipsec = read(AgentEncryption, body).ipsec
    assert ipsec is not None
    assert (ipsec.keys_in_use, ipsec.error_count, ipsec.xfrm_errors) == (1, 3, {"inbound/other": 3})


@pytest.mark.parametrize("body", ["{}", '{"mode":7}', "Encryption:\n", "nothing\n"])
def test_encryption_without_a_mode_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        read(AgentEncryption, body, 0 if body.startswith("{") else 1)


@pytest.mark.parametrize(
    ("said", "code", "stderr"),
    [(OFF, 0, b""), (b"", 1, b"Error: cannot get peers list: [GET /bgp/peers][501] " + OFF)],
)
def test_bgp_that_is_off_is_an_answer(said: bytes, code: int, stderr: bytes) -> None:
    for kind in (AgentBgpSessions, AgentBgpRoutesV4):
        fact = answered(kind, said, code=code, stderr=stderr)
        assert isinstance(fact, kind)
        assert (fact.is_on, fact.items) == (False, ())
    assert told("healthy", "cilium-dbg", "bgp", "peers") == OFF


def test_bgp_that_fails_is_a_gap() -> None:
    gap = answered(
        AgentBgpSessions, b"", code=1, stderr=b"Error: cannot get peers list: connection refused\n"
    )
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.FAILED


def test_a_session_tells_its_peer_and_whether_it_is_up() -> None:
    fact = read(AgentBgpSessions, sample_of("AgentBgpSessions: agent's BGP sessions") or b"")
    assert fact.is_on
    assert [(s.peer_address, s.is_established) for s in fact.items] == [
        ("192.0.2.1", True),
        ("192.0.2.9", False),
    ]
    families = fact.items[0].families or ()
    assert [(family.afi, family.advertised) for family in families] == [("ipv4", 3), ("ipv6", 0)]
    routes = read(AgentBgpRoutesV4, sample_of("AgentBgpRoutesV4: agent's BGP routes, ipv4") or b"").items
    assert [(route.prefix, route.neighbor) for route in routes] == [("10.244.0.0/24", "192.0.2.1")]


def test_a_cluster_without_a_mesh_has_nothing_to_reach() -> None:
    fact = recorded(AgentMeshTroubleshoot)
    assert (fact.found, fact.items) == (0, ())
    assert recorded(AgentKvstoreTroubleshoot).etcd is None


def test_each_cluster_of_a_mesh_tells_what_failed() -> None:
    body = sample_of("AgentMeshTroubleshoot: agent's mesh checks") or b""
    east, west = read(AgentMeshTroubleshoot, body).items
    (fault,) = east.faults
    assert fault.text.endswith("x509: certificate signed by unknown authority")
    assert fault.section == "Endpoints"
    assert [check.mark for check in east.checks] == [
        Mark.GOOD,
        Mark.GOOD,
        Mark.FAULT,
        Mark.GOOD,
        Mark.WARNING,
    ]
    assert [(check.mark, check.section) for check in west.checks] == [
        (Mark.FAULT, "Etcd client"),
        (Mark.NOTE, "Etcd client"),
    ]


def test_a_cluster_that_is_missing_from_the_answer_makes_it_unreadable() -> None:
    body = sample_of("AgentMeshTroubleshoot: agent's mesh checks") or b""
    with pytest.raises(Unreadable, match="2 clusters are configured, but 1"):
        read(AgentMeshTroubleshoot, body[: body.index(b'Cluster "west"')])
    cut = read(AgentMeshTroubleshoot, body[: body.index(b'Cluster "west"')], is_truncated=True)
    assert [etcd.cluster for etcd in cut.items] == ["east"]


def test_a_kvstore_in_use_tells_its_checks() -> None:
    body = sample_of("AgentKvstoreTroubleshoot: agent's kvstore checks") or b""
    etcd = read(AgentKvstoreTroubleshoot, body).etcd
    assert etcd is not None
    assert (len(etcd.checks), etcd.faults) == (2, ())
    missing = "Unable to read etcd configuration: /var/lib/etcd-config/etcd.config\n"
    with pytest.raises(Unreadable):
        read(AgentKvstoreTroubleshoot, missing)


def test_hubble_tells_its_buffer_and_how_fast_flows_come() -> None:
    from_json, from_text = recorded(AgentHubble), recorded(AgentHubble, 1)
    assert (from_json.flows, from_json.max_flows, from_json.seen_flows) == (4095, 4095, 71316)
    assert from_json.uptime is not None
    assert round(from_json.uptime) == 777
    assert (from_text.flows, from_text.max_flows, from_text.seen_flows) == (4095, 4095, None)
    assert (from_text.flows_per_second, from_text.uptime, from_text.version) == (91.86, None, "")


def test_hubble_that_cannot_be_reached_is_a_gap() -> None:
    stderr = b"failed to connect to 'unix:///var/run/cilium/hubble.sock': context deadline exceeded\n"
    for way in (0, 1):
        gap = answered(AgentHubble, b"", way, code=1, stderr=stderr)
        assert isinstance(gap, Gap)
        assert "hubble.sock" in gap.detail


@pytest.mark.parametrize("way", [0, 1])
def test_command_and_agent_are_of_one_build(way: int) -> None:
    fact = recorded(AgentVersions, way)
    assert (fact.client.version, fact.daemon.revision, fact.is_same) == ("1.20.2", "0000000000", True)
    old = "Client: 1.15.1 abc 2024 go\nDaemon: 1.15.0 abd 2024 go\n"
    assert not read(AgentVersions, old, 1).is_same

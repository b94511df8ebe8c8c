from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_controllers import failing, seconds_of
from playbooks.model.cilium.status_response import Controller, Counts, Pacing
from playbooks.model.fact import Fact, Unreadable
from playbooks.model.request import AgentCommand
from tests.told import told

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
JSON, TEXT = AgentStatus.ways
OK = b'{"cilium":{"state":"Ok","msg":"1.20.2 (v1.20.2-0)"}}'


def read(data: bytes, way: int = 0, exit_code: int = 0, stderr: bytes = b"") -> Fact | Gap:
    request = AgentCommand("node-1", "kube-system", "cilium-x", "cilium-agent", ("cilium-dbg", "status"))
    reader = AgentStatus.ways[way].reader()
    reader.feed(data)
    return reader.finish(request, End("cilium-dbg status", "node-1", NOW, 0.1, exit_code, stderr))


def status(data: bytes, way: int = 0) -> AgentStatus:
    fact = read(data, way)
    assert isinstance(fact, AgentStatus)
    return fact


@pytest.fixture(scope="module")
def healthy() -> AgentStatus:
    return status(told("healthy", "cilium-dbg", "status", "-o", "json"))


@pytest.fixture(scope="module")
def healthy_text() -> AgentStatus:
    return status(told("healthy", "cilium-dbg", "status", "--verbose"), 1)


def test_a_healthy_agent_has_no_bad_part(healthy: AgentStatus) -> None:
    assert healthy.version == "1.20.2"
    assert list(healthy.bad_parts) == []
    assert healthy.parts["kvstore"].state == "Disabled"
    assert healthy.response.encryption is not None
    assert healthy.response.encryption.mode == "Disabled"
    assert list(failing(healthy)) == []


def test_text_tells_what_json_tells(healthy: AgentStatus, healthy_text: AgentStatus) -> None:
    one, other = healthy.response, healthy_text.response
    assert healthy_text.version == healthy.version
    assert {c.name for c in one.controllers or ()} == {c.name for c in other.controllers or ()}
    assert set(one.proxy.redirects if one.proxy else ()) == set(other.proxy.redirects if other.proxy else ())
    assert one.routing == other.routing
    assert one.node_monitor == other.node_monitor
    assert healthy_text.parts.keys() == healthy.parts.keys() - {
        "cni-file",
        "hubble-metrics",
        "auth-certificate-provider",
    }


def test_what_text_does_not_tell_is_unknown(healthy_text: AgentStatus) -> None:
    assert healthy_text.response.cni_file is None
    assert healthy_text.response.datapath_mode == ""


def test_text_tells_failing_controllers_and_how_long_ago() -> None:
    text = told("06", "cilium-dbg", "status", "--verbose")
    controllers = status(text, 1).response.controllers or ()
    bad = [one for one in controllers if one.status.consecutive_failure_count]
    assert [one.name for one in bad] == ["endpoint-51-regeneration-recovery"]
    assert bad[0].last_success is None
    assert bad[0].last_failure is not None
    assert timedelta() < NOW - bad[0].last_failure < timedelta(minutes=1)


def test_text_of_a_sick_agent() -> None:
    text = (
        b"KVStore:                Failure   Err: quorum check failed 8 times in a row: 4m28s since last "
        b"heartbeat update has been received\n"
        b"Kubernetes:             Warning   no route\n"
        b"Cilium:                 Failure   1.16.3 (v1.16.3-abc)    Kvstore service is not ready\n"
        b'Stale status:           "kubernetes" since 2026-11-23T01:00:00.000Z, '
        b'"ipam" since 2026-11-23T01:30:00.000Z\n'
        b"NodeMonitor:            Listening for events on 2 CPUs with 64x4096 of shared memory\n"
        b"                        5 events lost, 3 unknown notifications\n"
        b"Masquerading:           IPTables [IPv4: Enabled, IPv6: Disabled]\n"
        b"Encryption:             Wireguard   [NodeEncryption: Disabled, cilium_wg0 (Peers: 2)]\n"
    )
    fact = status(text, 1)
    assert fact.version == "1.16.3"
    assert [name for name, _ in fact.bad_parts] == ["kvstore", "kubernetes", "cilium"]
    assert fact.response.stale["kubernetes"] == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert fact.response.node_monitor is not None
    assert fact.response.node_monitor.lost == 5
    assert fact.response.masquerading is not None
    assert (fact.response.masquerading.mode, fact.response.masquerading.enabled) == ("IPTables", True)
    assert fact.response.encryption is not None
    assert fact.response.encryption.mode == "Wireguard"


@pytest.mark.parametrize("way", [0, 1])
def test_an_answer_cut_anywhere_never_crashes(way: int) -> None:
    argv = (("cilium-dbg", "status", "-o", "json"), ("cilium-dbg", "status", "--verbose"))[way]
    whole = told("06", *argv)
    for end in range(0, len(whole), max(1, len(whole) // 150)):
        try:
            fact = read(whole[:end], way)
        except Unreadable:
            continue
        # Text may be cut after rows that were whole; JSON never.
        assert way == 1
        assert isinstance(fact, AgentStatus)


def test_unknown_fields_null_and_absence_are_no_fault() -> None:
    fact = status(
        b'{"cilium":{"state":"Ok","msg":null},"kvstore":null,"controllers":null,"cluster":{"nodes":null},'
        b'"proxy":{"redirects":null},"stale":null,"newthing":{"state":"Failure","msg":"x"},"other":[1,{}]}'
    )
    assert fact.version == ""
    assert fact.response.controllers is None
    assert [name for name, _ in fact.bad_parts] == ["newthing"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{" * 5000,
        b"[" * 100000,
        b'{"cilium":"Ok"}',
        b'{"cilium":{"state":1}}',
        OK[:-1] + b',"controllers":{}}',
        OK[:-1] + b',"controllers":[{"status":{"consecutive-failure-count":"5"}}]}',
        OK[:-1] + b',"controllers":[{"status":{"last-failure-timestamp":"yesterday"}}]}',
        OK[:-1] + b',"stale":["kvstore"]}',
        b"\xff\xfe" + OK,
    ],
)
def test_wrong_types_and_garbage_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


@pytest.mark.parametrize(
    "data", [b"", b"hello\n", b"KVStore: Ok\n", b"Cilium: what\n", bytes(range(256)) * 9]
)
def test_text_that_is_no_status_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data, 1)


def test_help_of_a_command_is_no_answer() -> None:
    gap = read(b"Display status\n\nUsage:\n  cilium-dbg status [flags]\n")
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_IN_THIS_VERSION


def test_an_agent_that_is_not_up_yet_says_so() -> None:
    error = (
        b"Error: Cannot get status: dial unix /var/run/cilium/cilium.sock: connect: no such file or directory"
    )
    gap = read(b"", exit_code=1, stderr=error)
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.FAILED
    assert "cilium.sock" in gap.detail
    assert gap.taken_at == NOW


def controller(
    count: int, base: str = "2s", interval: str = "", *, retry: bool = True, **times: Any
) -> Controller:
    last = times.pop("last_failure", NOW - timedelta(seconds=3))
    counts = Counts(
        consecutive_failure_count=count,
        last_failure_timestamp=last,
        last_success_timestamp=times.pop("last_success", datetime(1, 1, 1, tzinfo=UTC)),
    )
    return Controller("sync-policymap-7", Pacing(retry, base, interval), counts)


@pytest.mark.parametrize(
    ("one", "fails"),
    [
        (controller(1), False),
        (controller(2), False),
        (controller(5), True),
        (controller(3, base=""), False),
        (controller(7, base=""), True),
        (controller(3, base="", interval="1m0s", retry=False), True),
        (controller(9, last_success=NOW), False),
        (controller(9, last_failure=None), False),
        (controller(9, last_failure=datetime(1, 1, 1, tzinfo=UTC)), False),
    ],
)
def test_only_a_count_that_proves_duration_is_failing(one: Controller, fails: bool) -> None:
    data = json.loads(OK)
    fact = status(json.dumps(data).encode())
    response = type(fact.response)(controllers=(one,))
    proved = AgentStatus(provenance=fact.provenance, response=response, parts={})
    assert [each.endpoint for each in failing(proved)] == ([7] if fails else [])


@pytest.mark.parametrize(
    ("name", "endpoint", "pod"),
    [
        ("endpoint-51-regeneration-recovery", 51, None),
        ("sync-policymap-990", 990, None),
        ("sync-to-k8s-ciliumendpoint (113)", 113, None),
        ("resolve-identity-550", 550, None),
        ("resolve-labels-shop/cart-9c97f5f45-jj7v6", None, ("shop", "cart-9c97f5f45-jj7v6")),
        ("resolve-labels-/", None, None),
        ("k8s-heartbeat", None, None),
        ("endpoint-gc", None, None),
    ],
)
def test_a_controllers_name_tells_whom_it_is_about(
    name: str, endpoint: int | None, pod: tuple[str, str] | None
) -> None:
    from playbooks.model.cilium.status_controllers import Failing

    one = Failing(Controller(name), 60.0)
    assert (one.endpoint, one.pod) == (endpoint, pod)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m5.5s", 65.5), ("1h", 3600), ("250ms", 0.25), ("", 0), ("x", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


def test_absurd_numbers_are_no_crash() -> None:
    one = controller(10**18, interval="9" * 500 + "h", retry=False)
    fact = status(OK)
    proved = AgentStatus(
        provenance=fact.provenance, response=type(fact.response)(controllers=(one,)), parts={}
    )
    (found,) = failing(proved)
    assert timedelta(seconds=found.lasting) < timedelta(days=4000)
    text = (
        b"Cilium:   Ok   1.20.2\n"
        b"Controller Status:   0/1 healthy\n"
        b"  a   " + b"9" * 5000 + b"h ago   1s ago   3   x\n"
        b"  b   never   1s ago   " + "\u00b2".encode() + b"   x\n"
        b"Proxy Status:   OK, ip 1.2.3.4\n"
        b"  p   51:egress:UDP:53:   " + b"9" * 5000 + b"\n"
    )
    assert [one.name for one in status(text, 1).response.controllers or ()] == ["a"]

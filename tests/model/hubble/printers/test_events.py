"""Events that are no flows, and CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest

from playbooks.model.hubble.filters.asked import Look, Output
from playbooks.model.hubble.printers import COLUMNS, Screen, printer
from playbooks.model.hubble.proto import observer_pb2, relay_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from tests.model.hubble.printers.printing import AT, flow, printed

AGENT_EVENTS: list[tuple[dict[str, object], str]] = [
    ({"unknown": {"type": "t", "notification": "n"}}, "AGENT_EVENT_UNKNOWN (type: t, notification: n)"),
    ({"type": 2, "agent_start": {"time": AT}}, "AGENT_STARTED (start time: Nov 20 09:00:01.005)"),
    ({"type": 2, "agent_start": {}}, "AGENT_STARTED (start time: N/A)"),
    (
        {"type": 3, "policy_update": {"labels": ["a", "b"], "revision": 7, "rule_count": 1}},
        "POLICY_UPDATED (labels: [a,b], revision: 7, count: 1)",
    ),
    ({"type": 4, "policy_update": {}}, "POLICY_DELETED (labels: [], revision: 0, count: 0)"),
    ({"type": 5, "endpoint_regenerate": {"id": 3}}, "ENDPOINT_REGENERATE_SUCCESS (id: 3, labels: [])"),
    (
        {"type": 6, "endpoint_regenerate": {"id": 3, "labels": ["x"], "error": "e"}},
        "ENDPOINT_REGENERATE_FAILURE (id: 3, labels: [x], error: e)",
    ),
    (
        {"type": 7, "endpoint_update": {"id": 3, "namespace": "n", "pod_name": "p"}},
        "ENDPOINT_CREATED (id: 3, namespace: n, pod name: p)",
    ),
    ({"type": 8, "endpoint_update": {"id": 3}}, "ENDPOINT_DELETED (id: 3)"),
    (
        {
            "type": 9,
            "ipcache_update": {
                "cidr": "c",
                "identity": 2,
                "old_identity": {},
                "host_ip": "h",
                "old_host_ip": "o",
                "encrypt_key": 1,
            },
        },
        "IPCACHE_UPSERTED (cidr: c, identity: 2, old identity: 0, host ip: h, old host ip: o, "
        "encrypt key: 1)",
    ),
    ({"type": 10, "ipcache_update": {}}, "IPCACHE_DELETED (cidr: , identity: 0, encrypt key: 0)"),
    (
        {
            "type": 11,
            "service_upsert": {
                "id": 1,
                "frontend_address": {"ip": "fd00::1", "port": 80},
                "backend_addresses": [{"ip": "1.2.3.4", "port": 8}],
                "type": "T",
                "namespace": "n",
                "name": "s",
            },
        },
        "SERVICE_UPSERTED (id: 1, frontend: [fd00::1]:80, backends: [1.2.3.4:8], type: T, "
        "namespace: n, name: s)",
    ),
    ({"type": 12, "service_delete": {"id": 4}}, "SERVICE_DELETED (id: 4)"),
    ({"type": 9}, "IPCACHE_UPSERTED (UNKNOWN)"),
    ({"type": 77}, "77 (UNKNOWN)"),
]


@pytest.mark.parametrize(("event", "told"), AGENT_EVENTS)
def test_agent_events(event: dict[str, object], told: str) -> None:
    made = ExportEvent(agent_event=event, node_name="node-1", time=AT)
    assert printed(made)[0] == f"Nov 20 09:00:01.005: {told}\n"
    assert printed(made, look=Look(node_name=True))[0] == f"Nov 20 09:00:01.005 [node-1]: {told}\n"


def test_agent_events_in_other_formats() -> None:
    made = ExportEvent(agent_event={"type": 8, "endpoint_update": {"id": 3}}, node_name="n", time=AT)
    blocks, _ = printed(made, made, look=Look(Output.DICT, node_name=True))
    block = "  TIMESTAMP: Nov 20 09:00:01.005\n       NODE: n\n"
    block += "       TYPE: ENDPOINT_DELETED\n    DETAILS: id: 3\n"
    assert blocks == f"{block}------------{block}"
    table, _ = printed(made, look=Look(Output.TABLE))
    assert (
        table == "TIMESTAMP             TYPE               DETAILS\n"
        "Nov 20 09:00:01.005   ENDPOINT_DELETED   id: 3\n"
    )
    told = observer_pb2.GetAgentEventsResponse(agent_event=made.agent_event, node_name="n", time=AT)
    out: list[str] = []
    printer(Look(Output.JSONPB), out.append, out.append, Screen()).agent_event(told)
    assert json.loads("".join(out))["agent_event"] == {
        "type": "ENDPOINT_DELETED",
        "endpoint_update": {"id": "3"},
    }
    assert (
        printed(made, look=Look(Output.CSV))[0].splitlines()[1]
        == "2026-11-20T09:00:01.005Z,n,ENDPOINT_DELETED,id: 3"
    )


DEBUG_EVENTS: list[tuple[dict[str, object], str]] = [
    ({"type": 1, "message": "m"}, "N/A DBG_GENERIC MARK: N/A CPU: N/A (m)"),
    (
        {
            "type": 2,
            "source": {"ID": 5, "namespace": "n", "pod_name": "p"},
            "hash": {"value": 255},
            "cpu": {"value": 3},
        },
        "n/p (ID: 5) DBG_LOCAL_DELIVERY MARK: 0xff CPU: 03 ()",
    ),
    (
        {"source": {"ID": 5, "labels": ["reserved:host"]}},
        "reserved:host (ID: 5) DBG_EVENT_UNKNOWN MARK: N/A CPU: N/A ()",
    ),
    (
        {"source": {"ID": 5, "labels": ["k8s:a=b"]}, "hash": {}},
        "ID: 5 DBG_EVENT_UNKNOWN MARK: 0x0 CPU: N/A ()",
    ),
]


@pytest.mark.parametrize(("event", "told"), DEBUG_EVENTS)
def test_debug_events(event: dict[str, object], told: str) -> None:
    made = ExportEvent(debug_event=event, node_name="n", time=AT)
    assert printed(made)[0] == f"Nov 20 09:00:01.005: {told}\n"


def test_debug_events_in_other_formats() -> None:
    made = ExportEvent(debug_event={"type": 1, "message": "m"}, node_name="n", time=AT)
    table, _ = printed(made, look=Look(Output.TABLE))
    assert table.splitlines()[0].split() == [
        "TIMESTAMP",
        "FROM",
        "TYPE",
        "CPU/MARK",
        "MESSAGE",
    ]
    blocks, _ = printed(made, look=Look(Output.DICT))
    assert [line.split(":")[0].strip() for line in blocks.splitlines()] == [
        "TIMESTAMP",
        "TYPE",
        "FROM",
        "MARK",
        "CPU",
        "MESSAGE",
    ]
    assert printed(made, look=Look(Output.CSV))[0].splitlines()[1].endswith(",N/A,N/A,N/A,m")


def test_states_of_nodes() -> None:
    def told(state: int, count: int = 1, **look: object) -> str:
        names = [f"default/node-{number:02}" for number in range(count)]
        status = relay_pb2.NodeStatusEvent(state_change=state, node_names=names, message='no "way"')
        return printed(ExportEvent(node_status=status, node_name="relay", time=AT), look=Look(**look))[1]

    assert told(1) == told(3) == told(9) == ""
    assert told(1, debug=True).endswith("[relay]: Receiving flows from 1 nodes: default/node-00\n")
    assert told(3, debug=True).endswith("[relay]: 1 nodes removed from cluster: default/node-00\n")
    assert "unknown node status event" in told(9, debug=True)
    assert told(4).endswith('Error "no \\"way\\"" on 1 nodes: default/node-00\n')
    assert told(2, 9).endswith("9 nodes are unavailable: default/node-00, default/node-01 (and 7 more)\n")
    assert told(2, output=Output.CSV) == told(2)
    assert told(2, silent_errors=True) == ""


def _rows(*events: ExportEvent) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(printed(*events, look=Look(Output.CSV))[0])))


def test_csv_has_its_columns_and_what_was_lost_is_a_row() -> None:
    made = flow(
        verdict=2,
        drop_reason_desc=133,
        event_type={"type": 1, "sub_type": 133},
        traffic_direction=2,
        is_reply={},
        IP={"source": "1.1.1.1", "destination": "2.2.2.2"},
        l4={"TCP": {"source_port": 1234, "destination_port": 80}},
        source={
            "namespace": "shop",
            "pod_name": "cart",
            "identity": 300,
            "workloads": [{"kind": "Deployment", "name": "cart"}],
        },
        destination={"identity": 2},
        destination_names=["a.example", "b.example"],
        node_name="n",
        l7={"latency_ns": 5},
        Summary='said "a, b"',
        uuid="u",
    )
    first, second = _rows(
        made, ExportEvent(lost_events={"source": 3, "num_events_lost": 12}, node_name="n", time=AT)
    )
    assert tuple(first) == COLUMNS
    assert first["type"] == "l7-unknown_l7_type"
    assert {name: first[name] for name in ("verdict", "drop_reason", "direction", "reply", "protocol")} == {
        "verdict": "DROPPED",
        "drop_reason": "POLICY_DENIED",
        "direction": "EGRESS",
        "reply": "no",
        "protocol": "TCP",
    }
    assert (first["source_pod"], first["source_workload"], first["source_port"]) == (
        "cart",
        "Deployment/cart",
        "1234",
    )
    assert (first["destination_identity"], first["destination_identity_name"]) == ("2", "world")
    assert first["destination_names"] == "a.example b.example"
    assert first["summary"] == 'said "a, b"'
    assert (second["type"], second["node"]) == ("EVENTS LOST", "n")
    assert second["summary"].startswith("12 events lost: HUBBLE_RING_BUFFER")


def test_csv_holds_no_formula_and_no_line_break() -> None:
    (row,) = _rows(flow(Summary="=HYPERLINK(1)\nx", node_name="@a", uuid="-1"))
    assert (row["summary"], row["node"], row["uuid"]) == ("'=HYPERLINK(1)\\nx", "'@a", "'-1")

"""Flows in few words."""

from __future__ import annotations

from typing import Any

from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.seen import Reader, Seen

T0 = 1_800_000_000
SECOND = 10**9
_reader = Reader("home")


def pod(name: str, namespace: str = "shop") -> dict[str, Any]:
    workload = name.rsplit("-", 1)[0]
    return {
        "namespace": namespace,
        "pod_name": name,
        "workloads": [{"name": workload, "kind": "Deployment"}],
        "labels": [f"k8s:app={workload}", f"k8s:io.kubernetes.pod.namespace={namespace}"],
        "identity": 7000,
    }


def seen(at: float = 0, **fields: Any) -> Seen:
    """A forwarded TCP packet from `web-1` port 40000 to `cart-1` port 80, but for what is given."""
    flow: dict[str, Any] = {
        "time": {"seconds": T0 + int(at), "nanos": round(at % 1 * SECOND)},
        "node_name": "home/node-1",
        "verdict": 1,
        "IP": {"source": "10.0.0.1", "destination": "10.0.0.2", "ipVersion": 1},
        "l4": {"TCP": {"source_port": 40000, "destination_port": 80, "flags": {"ACK": True}}},
        "source": pod("web-1"),
        "destination": pod("cart-1"),
        "event_type": {"type": 4},
        "is_reply": {"value": False},
        **fields,
    }
    event = _reader.read(
        ExportEvent(flow={key: value for key, value in flow.items() if value is not None}).SerializeToString()
    )
    assert isinstance(event, Seen)
    return event


def answer(at: float = 0, **fields: Any) -> Seen:
    """The packet back."""
    return seen(
        at,
        **{
            "IP": {"source": "10.0.0.2", "destination": "10.0.0.1", "ipVersion": 1},
            "l4": {"TCP": {"source_port": 80, "destination_port": 40000, "flags": {"ACK": True}}},
            "source": pod("cart-1"),
            "destination": pod("web-1"),
            "is_reply": {"value": True},
            **fields,
        },
    )


def tcp(source: int = 40000, destination: int = 80, **flags: bool) -> dict[str, Any]:
    return {"TCP": {"source_port": source, "destination_port": destination, "flags": flags}}


def drop(at: float = 0, *, verdict: bool = False, **fields: Any) -> Seen:
    """A drop, or the policy verdict that goes with it."""
    return seen(
        at,
        **{
            "verdict": 2,
            "drop_reason_desc": 133,
            "event_type": {"type": 5 if verdict else 1},
            "traffic_direction": 1,
            "is_reply": None,
            "l4": tcp(SYN=True),
            **fields,
        },
    )


def http(
    at: float = 0, url: str = "http://cart/api/7", *, code: int = 0, ms: float = 0, **fields: Any
) -> Seen:
    """An HTTP request; with a code its response."""
    record = {"code": code, "method": "GET", "url": url, "protocol": "HTTP/1.1", **fields.pop("record", {})}
    l7 = {"type": 2 if code else 1, "latency_ns": int(ms * 1e6), "http": record}
    kind = answer if code else seen
    return kind(at, l7=l7, event_type={"type": 129}, traffic_direction=1, **fields)


def dns(
    at: float = 0, query: str = "cart.shop.", *, rcode: int | None = None, port: int = 5000, **fields: Any
) -> Seen:
    """A DNS question; with a return code its answer."""
    record = {"query": query, "qtypes": ["A"], **fields.pop("record", {})}
    common = {"event_type": {"type": 129}, "traffic_direction": 2}
    if rcode is None:
        l4 = {"UDP": {"source_port": port, "destination_port": 53}}
        return seen(
            at, l4=l4, l7={"type": 1, "dns": record}, destination=pod("coredns-1"), **common, **fields
        )
    l4 = {"UDP": {"source_port": 53, "destination_port": port}}
    l7 = {"type": 2, "dns": {**record, "rcode": rcode}}
    return answer(at, l4=l4, l7=l7, source=pod("coredns-1"), **common, **fields)

"""Flows of about 770 bytes, from raw messages to the text of each format, on one core.

Run: .venv/bin/python -m tests.bench.bench_flow_formats [FLOWS]
Beside it stand the real hubble command's figures for 300,000 such flows from one such core.
"""

from __future__ import annotations

import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator

from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.filters.asked import Look, Output
from playbooks.model.hubble.jsonpb import Reader
from playbooks.model.hubble.printers import Screen, printer
from playbooks.model.hubble.proto import flow_pb2, observer_pb2

FLOWS = 300_000
BEGIN = 1_795_000_000
HUBBLE = {"jsonpb": 24_000, "compact": 75_000, "dict": 66_000}
TARGETS = {"jsonpb": 24_000, "compact": 45_000}
PODS = 400
APPS = ("frontend", "checkout", "cart", "payments", "orders", "users", "search", "stock")


def endpoint(number: int) -> flow_pb2.Endpoint:
    """A pod with the labels that a Deployment of a chart has."""
    app = APPS[number % len(APPS)]
    return flow_pb2.Endpoint(
        ID=number + 100,
        identity=20_000 + number % 60,
        namespace="shop",
        cluster_name="default",
        labels=[
            f"k8s:app.kubernetes.io/name={app}",
            "k8s:app.kubernetes.io/part-of=shop",
            f"k8s:io.cilium.k8s.policy.serviceaccount={app}",
            "k8s:io.cilium.k8s.policy.cluster=default",
            "k8s:io.kubernetes.pod.namespace=shop",
        ],
        pod_name=f"{app}-7d9f8b6c5-{number:05x}",
        workloads=[flow_pb2.Workload(name=app, kind="Deployment")],
    )


def flows(count: int) -> Iterator[bytes]:
    """Flows between random pods from random ports; every tenth is HTTP, every twentieth a drop."""
    chance = random.Random(7)
    pods = [endpoint(number) for number in range(PODS)]
    for number in range(count):
        at = Timestamp(seconds=BEGIN + number // 5000, nanos=chance.randrange(1_000_000_000))
        left, right = chance.sample(range(PODS), 2)
        is_http, is_drop = number % 10 == 0, number % 20 == 1
        flow = flow_pb2.Flow(
            time=at,
            uuid=str(uuid.UUID(int=chance.getrandbits(128))),
            verdict=flow_pb2.DROPPED if is_drop else flow_pb2.FORWARDED,
            ethernet={"source": f"a2:00:00:00:00:{left % 256:02x}", "destination": "b2:00:00:00:00:02"},
            IP={
                "source": f"10.0.{left // 250}.{left % 250}",
                "destination": f"10.0.{right // 250}.{right % 250}",
                "ipVersion": flow_pb2.IPv4,
            },
            l4={
                "TCP": {
                    "source_port": chance.randrange(32768, 61000),
                    "destination_port": 8080,
                    "flags": {"ACK": True},
                }
            },
            source=pods[left],
            destination=pods[right],
            Type=flow_pb2.L7 if is_http else flow_pb2.L3_L4,
            node_name=f"default/worker-{left % 20}",
            event_type={"type": 129} if is_http else {"type": 1, "sub_type": 133} if is_drop else {"type": 4},
            traffic_direction=flow_pb2.INGRESS,
            trace_observation_point=flow_pb2.TO_ENDPOINT,
            Summary="TCP Flags: ACK",
        )
        flow.is_reply.value = bool(number % 2)
        if is_drop:
            flow.drop_reason, flow.drop_reason_desc = 133, flow_pb2.POLICY_DENIED
        if is_http:
            flow.l7.type, flow.l7.latency_ns = flow_pb2.RESPONSE, chance.randrange(1_000_000, 90_000_000)
            flow.l7.http.code, flow.l7.http.method = 200, "GET"
            flow.l7.http.url = f"http://cart.shop:8080/v1/items/{chance.randrange(100_000)}"
            flow.Summary = f"HTTP/1.1 200 {number % 90}ms (GET {flow.l7.http.url})"
        yield observer_pb2.GetFlowsResponse(flow=flow, node_name=flow.node_name, time=at).SerializeToString()


def rate(work: Callable[[bytes], object], raws: list[bytes]) -> float:
    """Messages a second of this process's own time."""
    begin = time.process_time()
    for raw in raws:
        work(raw)
    return len(raws) / (time.process_time() - begin)


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FLOWS
    # No more than a third at once: what is measured is no test of memory.
    raws = list(flows(min(count, FLOWS // 3)))
    rounds = max(1, count // len(raws))
    size = sum(map(len, raws)) / len(raws)
    say = sys.stdout.write
    say(f"{rounds * len(raws):,} flows of {size:.0f} bytes\n")
    say(f"{'format':<10}{'flows/s':>10}{'MB/s out':>10}{'hubble':>10}{'target':>10}\n")
    with open(os.devnull, "w", encoding="utf-8") as sink:
        for output in (Output.JSONPB, Output.COMPACT, Output.DICT, Output.CSV):
            out = [0]

            def written(text: str, out: list[int] = out) -> None:
                out[0] += len(text)
                sink.write(text)

            made = printer(Look(output), written, written, Screen())
            begin = time.process_time()
            best = max(rate(made.response, raws) for _ in range(rounds))
            spent = time.process_time() - begin
            known, target = HUBBLE.get(output), TARGETS.get(output)
            row = f"{output.value:<10}{best:>10,.0f}{out[0] / spent / 1e6:>10.1f}"
            say(f"{row}{f'{known:,}' if known else '-':>10}{f'{target:,}' if target else '-':>10}\n")
    lines: list[bytes] = []
    made = printer(Look(Output.JSONPB), lambda text: lines.append(text.encode()), lambda text: None, Screen())
    for raw in raws[:20_000]:
        made.response(raw)
    say(f"{'(reading JSON lines':<10}{rate(Reader().raw, lines):>9,.0f}/s)\n")


if __name__ == "__main__":
    main()

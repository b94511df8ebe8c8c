"""Flows of ordinary size: read, counted and kept, on one core; then a million of them kept.

Run: .venv/bin/python -m tests.bench.bench_flows_kept [FLOWS]
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from playbooks.model.hubble.proto.flow_pb2 import Endpoint, Workload
from playbooks.model.hubble.proto.observer_pb2 import GetFlowsResponse

PODS, SERVERS = 400, 60
BATCH = 1000
TARGET = (
    "target: 2 to 3 us a flow for reading, ring and four counters; 1M flows: 90 MB of RSS, 300 MB of disk"
)


@cache
def endpoint(name: str, number: int) -> Endpoint:
    return Endpoint(
        ID=1000 + number,
        identity=20000 + number,
        cluster_name="bench",
        namespace="shop",
        labels=[
            f"k8s:app={name}",
            "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop",
            "k8s:io.cilium.k8s.policy.cluster=bench",
            "k8s:io.kubernetes.pod.namespace=shop",
        ],
        pod_name=f"{name}-7d9f8b6c5-{number:05d}",
        workloads=[Workload(name=name, kind="Deployment")],
    )


def flow(number: int) -> bytes:
    """A flow: of a connection of ten packets, every twentieth dropped with a reason, every fiftieth HTTP."""
    # Many connections at once: what follows each other has little in common.
    chance = random.Random(number)
    connection = (number // 2000) * 200 + chance.randrange(200)
    client, server = connection * 7 % PODS, connection * 11 % SERVERS
    is_reply = chance.random() < 0.5
    ends = [
        (
            endpoint(f"client-{client % 40}", client),
            f"10.1.{client // 250}.{client % 250}",
            32768 + connection % 28000,
        ),
        (endpoint(f"server-{server % 20}", PODS + server), f"10.2.0.{server}", 8080),
    ]
    (source, address, port), (destination, to, to_port) = reversed(ends) if is_reply else ends
    at = {
        "seconds": 1_800_000_000 + number // 20_000,
        "nanos": number % 20_000 * 50_000 + chance.randrange(50_000),
    }
    node = f"bench/node-{client % 20}"
    is_drop = number % 20 == 0
    told = {
        "time": at,
        "uuid": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "verdict": 2 if is_drop else 1,
        "drop_reason_desc": 133 if is_drop else 0,
        "ethernet": {
            "source": f"0a:58:0a:01:{client % 256:02x}:01",
            "destination": f"0a:58:0a:02:{server:02x}:01",
        },
        "IP": {"source": address, "destination": to, "ipVersion": 1},
        "l4": {
            "TCP": {
                "source_port": port,
                "destination_port": to_port,
                "flags": {"ACK": True, "PSH": not is_reply},
            }
        },
        "source": source,
        "destination": destination,
        "node_name": node,
        "event_type": {"type": 1 if is_drop else 4},
        "traffic_direction": 2,
        "trace_observation_point": 101,
        "trace_reason": 2,
        "is_reply": {"value": is_reply},
        "Type": 1,
        "emitter": {"name": "Hubble", "version": "1.20.2"},
        "interface": {"index": 10 + client, "name": f"lxc{client:012x}"},
    }
    if number % 50 == 7:
        told |= {
            "event_type": {"type": 129},
            "Type": 2,
            "l7": {
                "type": 2,
                "latency_ns": 1_000_000 + number % 5_000_000,
                "http": {
                    "code": 200,
                    "method": "GET",
                    "url": f"http://server/api/{number}",
                    "protocol": "HTTP/1.1",
                },
            },
        }
    return GetFlowsResponse(flow=told, node_name=node, time=at).SerializeToString()  # type: ignore[arg-type]


def batches(raws: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for at in range(0, len(raws), BATCH):
        yield raws[at : at + BATCH]


def memory() -> float:
    """MB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def measured(what: str, raws: Sequence[bytes], work: Callable[[Sequence[bytes]], object]) -> None:
    """The best of five rounds, by CPU time: what else runs on the machine shall not count."""
    best = 1e9
    for _ in range(5):
        began = time.process_time()
        for batch in batches(raws):
            work(batch)
        best = min(best, time.process_time() - began)
    print(f"{what:58} {best / len(raws) * 1e6:6.2f} us/flow  {len(raws) / best / 1000:6.0f}k/s")


def plain(raws: Sequence[bytes]) -> None:
    """The same 18 attributes from the whole schema."""
    for raw in raws:
        flow = GetFlowsResponse.FromString(raw).flow
        source, destination, l4 = flow.source, flow.destination, flow.l4.TCP
        _ = (
            flow.time.seconds,
            flow.time.nanos,
            flow.node_name,
            flow.verdict,
            flow.drop_reason_desc,
            flow.uuid,
        )
        _ = (source.pod_name, source.namespace, source.identity, flow.IP.source, l4.source_port)
        _ = (destination.pod_name, destination.namespace, destination.identity, flow.IP.destination)
        _ = (l4.destination_port, flow.event_type.type, flow.is_reply.value)


def speed(raws: Sequence[bytes]) -> None:
    from playbooks.model.hubble.aggregation import Metrics, Totals, Traffic
    from playbooks.model.hubble.seen import Reader, Seen
    from playbooks.model.hubble.seen.order import Duplicates
    from playbooks.model.hubble.seen.ring import Ring

    reader, ring, counters = Reader(), Ring(), [Counter[object]() for _ in range(4)]

    def hot(batch: Sequence[bytes]) -> None:
        events = reader.read_all(batch)
        ring.extend(events, 0)
        flows = [event for event in events if type(event) is Seen]
        counters[0].update([flow.verdict for flow in flows])
        counters[1].update([flow.drop_reason for flow in flows])
        counters[2].update([flow.source.workload for flow in flows])
        counters[3].update([flow.destination.workload for flow in flows])

    measured("whole schema, 18 attributes", raws, plain)
    measured("read", raws, reader.read_all)
    measured("read, ring, four counters", raws, hot)
    events = reader.read_all(raws)
    by_batch = dict(zip((batch[0] for batch in batches(raws)), batches(events), strict=True))  # type: ignore[arg-type]
    traffic, metrics, totals = Traffic(), Metrics(), Totals()
    measured("   traffic by lane, with attempts", raws, lambda batch: traffic.add(by_batch[batch[0]]))
    measured("   Hubble's seven metrics", raws, lambda batch: metrics.add(by_batch[batch[0]]))
    measured("   all aggregators", raws, lambda batch: totals.add(by_batch[batch[0]]))
    measured("   duplicates", raws, lambda batch: Duplicates().among(batch, by_batch[batch[0]]))


def kept(total: int, *, in_journal: bool) -> None:
    from playbooks.model.hubble.seen import Reader
    from playbooks.sources.journal.flows import FlowStore

    folder = Path(tempfile.mkdtemp(prefix="flows-"))
    # Libraries and what makes the flows are there already.
    Reader().read_all([flow(number) for number in range(100)])
    gc.collect()
    empty = memory()
    store = FlowStore.in_journal(folder) if in_journal else FlowStore.in_memory()
    reader = Reader()
    try:
        for at in range(0, total, BATCH):
            raws = [flow(number) for number in range(at, min(total, at + BATCH))]
            store.add(raws, reader.read_all(raws))
            store.flush()
        keeping = store.keeping
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(
            f"{total} flows kept {'in a journal' if in_journal else 'in memory'}: "
            f"{memory() - empty:.0f} MB of RSS above the empty process, {size / 1e6:.0f} MB on disk, "
            f"{keeping.size / 1e6:.0f} MB in {keeping.segments} segments, {keeping.dropped} dropped"
        )
        began, found = time.process_time(), 0
        for _ in store.between(1_800_000_000 * 10**9, 1_800_000_001 * 10**9):
            found += 1
        print(
            f"   {found} flows of a second read again in {(time.process_time() - began) * 1e3:.0f} ms of CPU"
        )
    finally:
        store.close()
        shutil.rmtree(folder)


def main() -> None:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        kept(total, in_journal=sys.argv[2] == "journal")
        return
    raws = [flow(number) for number in range(min(total, 20_000))]
    print(f"{TARGET}\n{len(raws)} flows of {sum(map(len, raws)) / len(raws):.0f} bytes", flush=True)
    speed(raws)
    sys.stdout.flush()
    for where in ("journal", "memory"):
        # In a process of its own, whose memory nothing else has used.
        subprocess.run([sys.executable, "-m", __spec__.name, str(total), where], check=True)


if __name__ == "__main__":
    main()

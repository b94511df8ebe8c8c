"""Flows received, decoded and aggregated, on one core; the server sends frames made before on another.

Run: .venv/bin/python -m tests.bench.bench_flows_receive [FLOWS]
The first row is the server's own ceiling: what a bare socket that only counts bytes gets out of it.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from playbooks.model.hubble.proto import observer_pb2
from playbooks.sources.hubble import Batch, Dropped
from playbooks.sources.hubble.dial import Target
from playbooks.sources.hubble.dialled import Dialled
from playbooks.sources.hubble.stream import Step, Stream
from playbooks.sources.hubble.wish import Wish
from tests.sources.hubble.framing import PREFACE, SETTINGS, WINDOW, frame

FLOWS = 400_000
SERVER_CORE, OUR_CORE = 0, 1
WIDE = 2**31 - 1
TARGET = 70_000


class Server:
    """The server as a child."""

    def __init__(self, count: int, mode: str) -> None:
        command = [sys.executable, "-m", "tests.bench.framed_server", str(SERVER_CORE), str(count), mode]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        self.authority = self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def ceiling(port: int, count: int) -> int:
    """Count frames with as little as possible around them: windows wide open, bytes thrown away."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        wide = frame(SETTINGS, 0, 0, b"\x00\x04" + WIDE.to_bytes(4, "big"))
        wide += frame(WINDOW, 0, 0, (WIDE - 65_535).to_bytes(4, "big"))
        connection.sendall(PREFACE + wide + frame(1, 4, 1, b"") + frame(1, 4, 3, b""))
        buffer, tail = bytearray(1 << 20), b""
        while size := connection.recv_into(buffer):
            # The end of the stream is the only thing looked for: the trailers' name, in its last bytes.
            tail = (tail + bytes(buffer[max(0, size - 64) : size]))[-64:]
            if b"grpc-status" in tail and size < len(buffer) and b"\x01\x05\x00\x00\x00\x03" in tail:
                break
    return count


def plain(port: int) -> int:
    """The loop that everybody writes first: default channel, parsed messages, four counters."""
    import grpc

    counts = [Counter[object]() for _ in range(4)]
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    channel.unary_unary("/observer.Observer/ServerStatus")(b"")
    call = channel.unary_stream(
        "/observer.Observer/GetFlows",
        request_serializer=observer_pb2.GetFlowsRequest.SerializeToString,
        response_deserializer=observer_pb2.GetFlowsResponse.FromString,
    )
    for response in call(observer_pb2.GetFlowsRequest()):
        flow = response.flow
        source, destination, tcp = flow.source, flow.destination, flow.l4.TCP
        counts[0][source.namespace, source.pod_name, destination.namespace, destination.pod_name] += 1
        counts[1][flow.verdict, flow.drop_reason_desc, flow.event_type.type, flow.event_type.sub_type] += 1
        counts[2][flow.IP.source, tcp.source_port, flow.IP.destination, tcp.destination_port] += 1
        counts[3][response.node_name, flow.traffic_direction, flow.is_reply.value, flow.time.seconds] += 1
    channel.close()
    return counts[0].total()


def drained(stream: Stream, use: Callable[[Sequence[bytes]], object]) -> int:
    """All of a stream, batch by batch; the number of flows that arrived, dropped ones too."""
    count = dropped = 0
    with stream:
        for events in stream.events():
            for event in events:
                if isinstance(event, Batch):
                    count += len(event.raws)
                    use(event.raws)
                elif isinstance(event, Dropped):
                    dropped += event.count
    if dropped:
        print(f"  {dropped} were dropped by us")
    return count


def aggregating() -> Callable[[Sequence[bytes]], object]:
    """Decode and count everything that the model counts."""
    from playbooks.model.hubble.aggregation.totals import Totals
    from playbooks.model.hubble.seen import Reader

    reader, totals = Reader(), Totals()
    return lambda raws: totals.add(reader.read_all(raws))


def dialled(port: int, is_fast: bool) -> Step:
    return Dialled(Target(f"127.0.0.1:{port}", "the server"), is_fast=is_fast)


def forwarded(server: Server, folder: str) -> Step:
    from playbooks.sources.access import ConnectOptions, load
    from playbooks.sources.hubble.api import Api
    from playbooks.sources.hubble.relay import Forwarded

    cluster = {"server": f"https://127.0.0.1:{server.port}", "certificate-authority-data": server.authority}
    document = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    path = Path(folder, "kubeconfig")
    path.write_text(json.dumps(document))
    return Forwarded(Api(load(ConnectOptions(kubeconfig=(str(path),)), {})))


def measured(name: str, count: int, run: Callable[[], int], base: float = 0.0) -> float:
    """Print a row; flows for each second of our CPU, which on an idle machine is the same as by the clock."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert found == count, f"{found} of {count} arrived"
    rate = count / cpu
    times = f"{rate / base:>10.1f}" if base else f"{'':>10}"
    print(f"{name:<62}{count / wall:>10,.0f}{rate:>14,.0f}{cpu / count * 1e6:>12.1f}{times}", flush=True)
    return rate


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FLOWS
    os.sched_setaffinity(0, {OUR_CORE})
    # As the program itself does once it has started.
    gc.freeze()
    gc.disable()
    wish = Wish(observer_pb2.GetFlowsRequest(number=count))
    print(f"{count:,} flows, target {TARGET:,}/s and 3 times the plain loop")
    print(f"{'what':<62}{'flows/s':>10}{'per CPU s':>14}{'CPU µs each':>12}{'× plain':>10}")
    server = Server(count, "plain")
    measured("the server's ceiling (a bare socket)", count, lambda: ceiling(server.port, count))
    base = measured("plain loop over default grpcio, four counters", count, lambda: plain(server.port))
    for is_fast, how in ((False, " by grpcio, raw, in one thread"), (True, "")):
        for name, use in ((f"received{how}", len), (f"received{how}, decoded, aggregated", aggregating())):
            stream = Stream([dialled(server.port, is_fast)], wish)
            measured(name, count, lambda stream=stream, use=use: drained(stream, use), base)  # type: ignore[misc]
    server.close()
    server = Server(count, "forward")
    with tempfile.TemporaryDirectory() as folder:
        for name, use in (("received", len), ("received, decoded, aggregated", aggregating())):
            stream = Stream([forwarded(server, folder)], wish)
            label = f"{name}, by the forward (TLS, websocket)"
            measured(label, count, lambda stream=stream, use=use: drained(stream, use), base)  # type: ignore[misc]
    server.close()


if __name__ == "__main__":
    main()

"""A bare API server for benchmarks: answers at once, with as little Python as possible, in its own process.

Serves exec by websocket (any command) and `/api/v1/pods` in pages of 250. Prints the port, then on each line
read from standard input the CPU seconds used so far, from which its own ceiling follows.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import struct
import sys
import time

from tests.sources.certificates import loopback

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
CONTINUE = re.compile(rb"continue=(\d+)")
OUTPUT = b'{"cilium":{"state":"Ok","msg":"1.20.2"}}' * 25
PAGE = 250


def pod(number: int) -> dict[str, object]:
    """A pod of about 5 kB, as a chart of the usual kind makes it."""
    env = [{"name": f"VARIABLE_{n}", "value": f"value-{n}-{number}"} for n in range(8)]
    env.append(
        {"name": "NODE", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}
    )
    managed = {f"f:field{n}": {".": {}, "f:inner": {}, "f:other": {}} for n in range(24)}
    conditions = [
        {"lastProbeTime": None, "lastTransitionTime": "2026-11-23T01:40:13Z", "status": "True", "type": kind}
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    probe = {"failureThreshold": 12, "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}}
    return {
        "metadata": {
            "name": f"shop-{number:05d}",
            "namespace": f"team-{number % 40}",
            "uid": f"fe54b9e6-9f61-4b42-a3e7-{number:012d}",
            "labels": {"app": "shop", "pod-template-hash": "56d94f498f", "team": f"team-{number % 40}"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"env": env})}
            if number % 10 == 0
            else {"checksum/config": "0" * 64},
            "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": managed}],
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop", "uid": "9ab6"}
            ],
        },
        "spec": {
            "containers": [
                {
                    "name": "shop",
                    "image": "registry.example/shop:1.2.3",
                    "args": ["--listen=:8080", "--database=postgres://shop@db/shop"],
                    "env": env,
                    "livenessProbe": probe,
                    "readinessProbe": probe,
                    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                    "volumeMounts": [{"mountPath": f"/data/{n}", "name": f"volume-{n}"} for n in range(6)],
                }
            ],
            "nodeName": f"node-{number % 200}",
            "tolerations": [
                {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists"}
            ],
            "volumes": [
                {"name": f"volume-{n}", "configMap": {"name": f"configuration-{n}"}} for n in range(6)
            ],
        },
        "status": {
            "conditions": conditions,
            "phase": "Running",
            "podIP": "10.244.0.252",
            "containerStatuses": [
                {
                    "name": "shop",
                    "image": "registry.example/shop:1.2.3",
                    "imageID": "registry.example/shop@sha256:" + "4" * 64,
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-11-23T01:40:12Z"}},
                }
            ],
        },
    }


def pages(count: int) -> list[bytes]:
    """All pages of the list, ready to send."""
    made = []
    for start in range(0, count, PAGE):
        metadata = {"resourceVersion": "7"}
        if start + PAGE < count:
            metadata["continue"] = str(start + PAGE)
        items = [pod(number) for number in range(start, min(count, start + PAGE))]
        page = {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}
        body = json.dumps(page, separators=(",", ":")).encode() + b"\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        made.append(head.encode() + body)
    return made


def frame(channel: int, data: bytes) -> bytes:
    """One binary websocket frame."""
    size = len(data) + 1
    head = struct.pack("!BB", 0x82, size) if size < 126 else struct.pack("!BBH", 0x82, 126, size)
    return head + bytes([channel]) + data


ANSWER = frame(1, OUTPUT) + frame(3, b'{"metadata":{},"status":"Success"}')
PAGES: list[bytes] = []


class Connection(asyncio.Protocol):
    """One connection; a request is expected to arrive in one piece."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"GET "):
            return
        if key := KEY.search(data):
            accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\nSec-WebSocket-Accept: "
                + accept
                + b"\r\n\r\n"
                + ANSWER
            )
            self.transport.close()
            return
        start = CONTINUE.search(data)
        self.transport.write(PAGES[int(start[1]) // PAGE if start else 0])


async def main(count: int) -> None:
    """Serve until standard input ends."""
    PAGES.extend(pages(count))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, ssl=loopback().server_context())
    print(server.sockets[0].getsockname()[1], flush=True)
    print(authority_pem(), flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(time.process_time(), flush=True)


def authority_pem() -> str:
    """The CA on one line."""
    from tests.sources.certificates import authority

    return base64.b64encode(authority().pem).decode()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

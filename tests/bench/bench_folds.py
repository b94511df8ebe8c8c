"""Half a million conntrack and NAT entries, folded while they stream in chunks of 32 kB.

Run: .venv/bin/python -m tests.bench.bench_folds [ENTRIES]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from playbooks.model.answer import End, Gap
from playbooks.model.bpf.conntrack import Conntrack
from playbooks.model.bpf.nat import NatTable
from playbooks.model.fact import Fact, Way
from playbooks.model.request import AgentCommand

REQUEST = AgentCommand("n", "kube-system", "cilium-x", "cilium-agent", ("cilium-dbg",), True)
END = End("cilium-dbg", "n", datetime(2026, 1, 1, tzinfo=UTC), 0.1)
CHUNK = 32 * 1024
TARGET = "target: 1.5 s and 40 MB extra"


def keys(number: int) -> str:
    """The key of an entry: 500 pods talk to 300 services and each other, from ports of their own."""
    source, target = number * 7 % 500, number * 11 % 300
    port = (36895, 20480, 13568)[target % 3]
    return (
        f'{{"DestAddr":[10,244,{source // 250},{source % 250}],'
        f'"SourceAddr":[10,96,{target // 250},{target % 250}],'
        f'"DestPort":{port},"SourcePort":{number * 31 % 65536},"NextHeader":{17 if port == 13568 else 6},'
        f'"Flags":{(0, 1, 0, 1, 4)[number % 5]}}}'
    )


def conntrack(entries: int) -> Iterator[str]:
    for number in range(entries):
        seen = 0 if number % 50 == 0 else 27
        yield (
            f'{{"Key":{keys(number)},"Value":{{"Union0":[0,0],"Packets":0,"Bytes":0,'
            f'"Lifetime":{5000 + number % 21600},'
            f'"Flags":19,"RevNAT":0,"NatPort":0,"TxFlagsSeen":27,"RxFlagsSeen":{seen},'
            f'"SourceSecurityID":{65536 + number % 900},"LastTxReport":{number % 600},"LastRxReport":5225}}}}'
        )


def conntrack_text(entries: int) -> Iterator[str]:
    for number in range(entries):
        source, target = number * 7 % 500, number * 11 % 300
        yield (
            f"TCP OUT 10.244.{source // 250}.{source % 250}:{number * 31 % 65536} -> "
            f"10.96.{target // 250}.{target % 250}:8080 "
            f"expires={5000 + number % 21600} Packets=0 Bytes=0 RxFlagsSeen=0x1b LastRxReport=5225 "
            f"TxFlagsSeen=0x1b LastTxReport=5225 Flags=0x0013 [ RxClosing TxClosing SeenNonSyn ] RevNAT=0 "
            f"SourceSecurityID={65536 + number % 900} BackendID=0 NatPort=0 "
        )


def nat(entries: int) -> Iterator[str]:
    for number in range(entries):
        yield (
            f'{{"Key":{keys(number)},"Value":{{"Created":{number % 90000},"NeedsCT":0,"Pad1":0,"Pad2":0,'
            f'"Addr":[198,51,100,1],"Port":{number * 31 % 65536}}}}}'
        )


def chunks(rows: Iterator[str], between: bytes, first: bytes, last: bytes) -> Iterator[bytes]:
    """The dump in pieces, made as it goes, so that it is never whole in memory."""
    piece = bytearray(first)
    for number, row in enumerate(rows):
        piece += between * bool(number) + row.encode()
        while len(piece) >= CHUNK:
            yield bytes(piece[:CHUNK])
            del piece[:CHUNK]
    yield bytes(piece) + last


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, way: Way, dump: Iterator[bytes]) -> Fact:
    """Feed a dump to a way, from a file: what makes the dump must not push the fold out of the caches."""
    with tempfile.TemporaryFile() as file:
        size = sum(file.write(chunk) for chunk in dump)
        file.seek(0)
        reader, before = way.reader(), memory()
        begin, work = time.perf_counter(), time.process_time()
        while chunk := file.read(CHUNK):
            reader.feed(chunk)
        fact = reader.finish(REQUEST, END)
        spent, cpu = time.perf_counter() - begin, time.process_time() - work
    assert not isinstance(fact, Gap)
    print(
        f"{name}: {size / 1e6:.0f} MB in {spent:.2f} s ({cpu:.2f} s of one core), "
        f"{memory() - before:.0f} MB extra ({TARGET})"
    )
    return fact


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    table = measure("conntrack JSON", Conntrack.ways[0], chunks(conntrack(entries), b",", b"[", b"]\n"))
    assert isinstance(table, Conntrack)
    assert table.entries == entries
    measure("conntrack text", Conntrack.ways[2], chunks(conntrack_text(entries), b"\n", b"", b"\n"))
    measure("NAT JSON", NatTable.ways[0], chunks(nat(entries), b",", b"[", b"]\n"))


if __name__ == "__main__":
    main()

"""A large sysdump: how long it takes to open and to check, and how much memory that needs.

Run: .venv/bin/python -m tests.bench.bench_sysdump [--nodes 200] [--pods 5000] [--megabytes 1000] [--full]
Without a word it makes a small one; `--full` is 200 nodes, 5,000 pods and 1 GB of zip. The archive is made
from the small real one of the tests, in a temporary folder. Memory is that of all processes together.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.model.answer import End
from playbooks.model.kube import resources
from playbooks.model.request import Objects, Resource
from playbooks.sources.scrubber import Scrubber
from playbooks.sources.sysdump import SysdumpSource
from tests.recorded import archive_of

REAL = archive_of("healthy")
STAMP = "20261123-014229"
ROOT = f"cilium-sysdump-{STAMP}"
MIB = 1024 * 1024
LOCAL = "lab-node-1"
PADDING = 60
"""Files of an agent that a check never reads: tc, ethtool, state. They fill the archive's directory."""


class Real:
    """What the large archive is made from."""

    def __init__(self) -> None:
        with zipfile.ZipFile(REAL) as archive:
            files = {info.filename: archive.read(info) for info in archive.infolist()}
        self.top = {path.split("/")[1]: data for path, data in files.items() if path.count("/") == 1}
        self.agent = {path.split("/", 2)[2]: data for path, data in files.items() if path.count("/") > 1}
        pods = self.items("k8s-pods")
        self.agent_pod = next(pod for pod in pods if b"k8s-app: cilium\n" in pod)
        self.pod = next(pod for pod in pods if b"\n    namespace: shop\n" in pod)
        self.pod_name = re.search(rb"\n    name: (cilium-\w+)\n", self.agent_pod)[1]  # type: ignore[index]

    def items(self, stem: str) -> list[bytes]:
        """The items of a list."""
        body = self.top[f"{stem}-{STAMP}.yaml"].partition(b"items:\n")[2].rpartition(b"\nkind: ")[0] + b"\n"
        return re.split(rb"(?m)^(?=- )", body)[1:]


def renamed(item: bytes, number: int, node: int | None = None) -> bytes:
    """A copy of an item under another name, in its own namespace, on a node."""
    item = re.sub(rb"(?m)^(    name: \S+)$", rb"\1-%05d" % number, item, count=1)
    return item if node is None else item.replace(LOCAL.encode(), b"node-%03d" % node)


def write(archive: zipfile.ZipFile, name: str, data: bytes | str, *, is_packed: bool = True) -> None:
    """Add a file to the archive."""
    info = zipfile.ZipInfo(f"{ROOT}/{name}", (2026, 11, 23, 1, 42, 30))
    info.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
    archive.writestr(info, data, compresslevel=1)


def write_list(archive: zipfile.ZipFile, stem: str, kind: str, items: Iterator[bytes]) -> None:
    """Add a list."""
    end = b'kind: %sList\nmetadata:\n  resourceVersion: "1"\n' % kind.encode()
    write(archive, f"{stem}-{STAMP}.yaml", b"apiVersion: v1\nitems:\n" + b"".join(items) + end)


def generate(path: Path, nodes: int, pods: int, megabytes: int) -> None:
    """Write a sysdump of so many nodes and pods, and fill it up with profiles."""
    real = Real()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in real.top.items():
            if not re.match(
                r"k8s-(pods|nodes|events)-.*yaml|cilium(endpoints|nodes|identities)-|logs-cilium-zhqmw", name
            ):
                write(archive, name, data)
        agents = (
            renamed(real.agent_pod, n)
            .replace(real.pod_name + b"-%05d" % n, b"cilium-%03d" % n)
            .replace(LOCAL.encode(), b"node-%03d" % n)
            for n in range(nodes)
        )
        others = (renamed(real.pod, n, n % nodes) for n in range(pods - nodes))
        write_list(archive, "k8s-pods", "Pod", (item for group in (agents, others) for item in group))
        node = real.items("k8s-nodes")[0]
        write_list(
            archive,
            "k8s-nodes",
            "Node",
            (node.replace(LOCAL.encode(), b"node-%03d" % n) for n in range(nodes)),
        )
        for stem, kind, count in (
            ("k8s-events", "Event", pods),
            ("ciliumendpoints", "CiliumEndpoint", pods),
            ("ciliumidentities", "CiliumIdentity", pods // 10),
        ):
            item = real.items(stem)[0]
            write_list(archive, stem, kind, (renamed(item, n, n % nodes) for n in range(count)))
        each = max(0, megabytes * MIB // nodes - 500_000)
        for n in range(nodes):
            write_agent(archive, real, n, each)


def write_agent(archive: zipfile.ZipFile, real: Real, number: int, profile: int) -> None:
    """Add what there is of one agent."""
    log = real.top[f"logs-cilium-zhqmw-cilium-agent-{STAMP}.log"]
    write(archive, f"logs-cilium-{number:03}-cilium-agent-{STAMP}.log", log)
    write(
        archive,
        f"cilium-{number:03}-cilium-agent-pprof-heap-{STAMP}.pprof",
        os.urandom(profile),
        is_packed=False,
    )
    folder = f"cilium-bugtool-cilium-{number:03}-{STAMP}"
    for name, data in real.agent.items():
        write(archive, f"{folder}/{name}", data)
    for n in range(PADDING):
        write(archive, f"{folder}/cmd/state/{n // 6:05}/{n % 6}.json", b"", is_packed=False)


class Memory(Thread):
    """Watches how much memory this process and its children hold."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._is_over = Event()

    def run(self) -> None:
        """Look ten times a second."""
        while not self._is_over.wait(0.1):
            self.peak = max(self.peak, sum(map(resident, family(os.getpid()))))

    def stop(self) -> int:
        """MiB at the peak."""
        self._is_over.set()
        self.join()
        return self.peak // MIB


def family(process: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        threads = [
            entry.name for entry in Path(f"/proc/{process}/task").iterdir() if entry.name != str(process)
        ]
        for thread in threads:
            children += Path(f"/proc/{process}/task/{thread}/children").read_text().split()
    except OSError:
        return []
    return [process, *(one for child in children for one in family(int(child)))]


def resident(process: int) -> int:
    """Bytes of memory of a process."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


async def check(path: Path, size: int) -> None:
    """Open, check and list everything, and print how long that takes."""
    memory = Memory()
    memory.start()
    begin = time.perf_counter()
    source = SysdumpSource(path)
    opened = time.perf_counter() - begin
    print(f"opened   {opened:6.2f} s  ({len(source.files):,} files, {size // MIB:,} MiB)")
    begin = time.perf_counter()
    order = Order(catalogue().rules, all_nodes=True)
    snapshot = await Run(Scrubber(source), order).start()
    checked = time.perf_counter() - begin
    progress = snapshot.progress
    print(f"checked  {checked:6.2f} s  ({len(order.rules)} rules, {len(snapshot.nodes)} nodes, "
          f"{progress.answered:,} answers, {progress.failed:,} gaps)")  # fmt: skip
    print(f"memory   {memory.stop():6} MiB at the peak of the check, all processes")
    for resource in (resources.PODS, resources.CILIUM_ENDPOINTS, resources.EVENTS):
        begin = time.perf_counter()
        size = await listed(source, resource)
        print(
            f"listed   {time.perf_counter() - begin:6.2f} s  ({resource.plural}, {size // 1000:,} kB of JSON)"
        )
    await source.close()


async def listed(source: SysdumpSource, resource: Resource) -> int:
    """The size of a list."""
    size = 0
    async for piece in source.open(Objects(resource), 1):
        if isinstance(piece, bytes):
            size += len(piece)
        else:
            assert isinstance(piece, End), piece
    return size


def main() -> None:
    """Make the archive in a process of its own, so that its memory is not counted, and check it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--pods", type=int, default=500)
    parser.add_argument("--megabytes", type=int, default=0)
    parser.add_argument("--full", action="store_true", help="200 nodes, 5,000 pods, 1 GB")
    parser.add_argument("--generate", type=Path, help="only write the archive there")
    options = parser.parse_args()
    sizes = (200, 5000, 1000) if options.full else (options.nodes, options.pods, options.megabytes)
    if options.generate:
        generate(options.generate, *sizes)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{ROOT}.zip")
        words = ["--nodes", sizes[0], "--pods", sizes[1], "--megabytes", sizes[2], "--generate", path]
        begin = time.perf_counter()
        status = os.spawnv(
            os.P_WAIT, sys.executable, [sys.executable, "-m", "tests.bench.bench_sysdump", *map(str, words)]
        )
        assert status == 0, status
        print(f"made     {time.perf_counter() - begin:6.2f} s  ({sizes[0]} nodes, {sizes[1]:,} pods)")
        asyncio.run(check(path, path.stat().st_size))


if __name__ == "__main__":
    main()

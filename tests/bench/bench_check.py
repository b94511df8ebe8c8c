"""A check of 100 practice agents at 50 ms per command; the servers run in a process of their own.

Run: .venv/bin/python -m tests.bench.bench_check [NODES] [MILLISECONDS]
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.tui.command import ROOT, environment

SERVER = """
import sys
from playbooks.practice import scenarios
from tui.commands.practice_server import PracticeServer
world = scenarios.load("healthy").world(nodes=int(sys.argv[1]))
world.exec_delay = float(sys.argv[2]) / 1000
with PracticeServer(world) as server:
    print(server.serving.kubeconfig, flush=True)
    sys.stdin.read()
    done = server.serving.requests
    print(len(done), sum(one.path.endswith("/exec") for one in done), flush=True)
"""


@contextmanager
def served(nodes: str, delay: str) -> Iterator[str]:
    """A practice cluster's kubeconfig; what it was asked is printed at the end."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, nodes, delay],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    assert server.stdin
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        print("requests, commands:", server.stdout.readline().strip())
        server.wait()


def main() -> None:
    given = sys.argv[1:]
    nodes, delay = given[0] if given else "100", given[1] if len(given) > 1 else "50"
    with served(nodes, delay) as kubeconfig:
        for looks in ("1", "2"):
            check(kubeconfig, looks, f"{nodes} agents at {delay} ms")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"largest process: {used.ru_maxrss / 1024:.0f} MB; cores: {os.cpu_count()}")


def check(kubeconfig: str, looks: str, what: str) -> None:
    begin = time.perf_counter()
    words = ["check", "agent", "--kubeconfig", kubeconfig, "--looks", looks, "-o", "json"]
    ran = subprocess.run(
        [sys.executable, "-m", "tui", *words],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        check=False,
    )
    taken = time.perf_counter() - begin
    report = json.loads(ran.stdout)
    print(
        f"{what}, --looks {looks}: {taken:.1f} s (target of the first look: 10 s), "
        f"exit {report['exit']}, {len(report['gaps'])} gaps"
    )


if __name__ == "__main__":
    main()

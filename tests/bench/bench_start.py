"""Start of the command: from the shell to the end, warm, median and worst of twenty.

Run: .venv/bin/python -m tests.bench.bench_start
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.tui.command import ROOT, environment, recording

RUNS = 20
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "--version": ["-m", "tui", "--version"],
    "--help": ["-m", "tui", "--help"],
    "check --help": ["-m", "tui", "check", "--help"],
    "explain AGT020": ["-m", "tui", "explain", "AGT020"],
    "practice --list": ["-m", "tui", "practice", "--list"],
    "check --input": ["-m", "tui", "check", "--input", recording("healthy")],
}


def seconds(words: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - begin


def main() -> None:
    print(f"{'command':<18}{'median':>10}{'worst':>10}   (target of --help and --version: 80 ms)")
    for name, words in COMMANDS.items():
        seconds(words)
        taken = [seconds(words) for _ in range(RUNS)]
        print(f"{name:<18}{statistics.median(taken) * 1000:>7.0f} ms{max(taken) * 1000:>7.0f} ms")


if __name__ == "__main__":
    main()

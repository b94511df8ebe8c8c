"""Runs every benchmark beside this file, each in a process of its own, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run them; 1 when one of them broke."""
    wanted = sys.argv[1:]
    broken = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        if wanted and path.stem.removeprefix("bench_") not in wanted:
            continue
        sys.stdout.write(f"\n=== {path.stem.removeprefix('bench_')}\n")
        sys.stdout.flush()
        broken |= subprocess.run([sys.executable, "-m", f"tests.bench.{path.stem}"], check=False).returncode
    return int(broken != 0)


if __name__ == "__main__":
    sys.exit(main())

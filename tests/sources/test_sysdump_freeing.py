"""What an archive's answers took is given back to the system once they are gone."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from pathlib import Path
from playbooks.sources.sysdump.freeing import give_back

def resident():
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * 4096 if told.exists() else 0

give_back()
before = resident()
pieces, stays = [], []
for number in range(400):
    pieces.append(bytes([1]) * 200_000)
    stays.append(bytes([1]) * 2_000)
pieces.clear()
print(resident() - before)
"""


def test_large_pieces_are_given_back_though_small_ones_between_them_stay() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 20_000_000

"""Runs the command as a person or a script would: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLUSTERS = ROOT / "tests" / "clusters"


_DROPPED = ("KUBE", "NO_COLOR", "COLUMNS", "LINES")
"""What would lead to a real cluster, or tell another size than the terminal has."""


def environment(**more: str) -> dict[str, str]:
    """Ours, without anything that leads to a real cluster."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    return ours | {"KUBECONFIG": "/nonexistent/kubeconfig", "PYTHONPATH": str(ROOT)} | more


def honeyguide(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, without a terminal; `more` is added to the environment."""
    return subprocess.run(
        [sys.executable, "-m", "tui", *words],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def start(*words: str, **more: str) -> subprocess.Popen[str]:
    """Start it, without a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "tui", *words],
        cwd=ROOT,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def recording(name: str) -> str:
    """The folder of a recorded cluster."""
    found = [folder for folder in CLUSTERS.iterdir() if folder.name.startswith(name)]
    return str(found[0] / "journal")


def read_some(descriptor: int) -> bytes:
    """What a terminal has to say next; nothing when everybody has left it."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""

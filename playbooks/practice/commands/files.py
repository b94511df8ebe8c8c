"""Files in an agent's container, as `cat` prints them."""

from __future__ import annotations

from collections.abc import Callable

from playbooks.practice.catalog import NODES
from playbooks.practice.commands.view import AgentView
from playbooks.practice.naming import stable

_MIB = 1024 * 1024


def printed(view: AgentView, names: tuple[str, ...]) -> tuple[str, str]:
    """What `cat` prints of files, and what it says of those that are not there."""
    found = "".join(_FILES[name](view) for name in names if name in _FILES)
    return found, "".join(f"cat: {name}: No such file or directory\n" for name in names if name not in _FILES)


def used(view: AgentView) -> int:
    """Bytes of memory that an agent has taken: more with every pod that it knows."""
    return (180 + stable(view.boot, 0, 40)) * _MIB + 16 * 1024 * len(view.world.runs)


def _memory(view: AgentView) -> str:
    node = view.world.store.get(NODES, "", view.node)
    total = int(node["status"]["capacity"]["memory"].removesuffix("Ki")) if node else 0
    available = max(total // 2 - used(view) // 1024, 0)
    return (
        f"MemTotal:       {total} kB\nMemFree:        {available // 2} kB\nMemAvailable:   {available} kB\n"
    )


_FILES: dict[str, Callable[[AgentView], str]] = {
    "/proc/meminfo": _memory,
    "/sys/fs/cgroup/memory.current": lambda view: f"{used(view)}\n",
    "/sys/fs/cgroup/memory.max": lambda _view: "max\n",
}

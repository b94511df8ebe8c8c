"""What lies where in an archive: the sysdump's own files, and each agent's bugtool output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from playbooks.sources.sysdump.container import Index
from playbooks.sources.sysdump.trouble import Damaged

STAMP = r"\d{8}-\d{6}"
LOG = "cilium-sysdump.log"
"""What the collector said while it collected."""
_STAMPED = re.compile(rf"(?P<stem>.+)-(?P<stamp>{STAMP})(?P<previous>-prev)?(?P<end>\.[a-z]+)")
_BUGTOOL = re.compile(rf"cilium-bugtool-(?P<pod>.+?)-{STAMP}(?P<packed>\.tar\.gz|\.tgz|\.tar)?")
_TELLING = re.compile(rf"(k8s-[a-z-]+|cilium-configmap|cilium[a-z0-9]+)-{STAMP}\.(yaml|txt)")
COMMANDS = "cmd"
"""The folder of a bugtool archive with what commands printed."""


@dataclass(slots=True)
class Layout:
    """Where things are; paths are folder and name."""

    root: str = ""
    """The folder of the sysdump's own files."""
    stamp: str = ""
    """When collection began, `YYYYMMDD-HHMMSS` in the collector's time zone; empty when no name tells."""
    files: dict[str, str] = field(default_factory=dict)
    """Names in `root` by what they are without the stamp, such as `k8s-pods.yaml`."""
    bugtools: dict[str, str] = field(default_factory=dict)
    """Folders with `cmd` in them, by the agent's pod; the pod is empty where there is only one agent."""
    packed: dict[str, str] = field(default_factory=dict)
    """Names in `root` of bugtool archives that were left packed, by pod."""
    is_bugtool: bool = False
    """Whether there is nothing but one agent's bugtool output."""


def layout_of(index: Index) -> Layout:
    """Find a sysdump, or else a bugtool archive. Raises `Damaged` when neither is there, or more than one."""
    roots = [folder for folder, names in index.folders.items() if _is_root(names)]
    if len(roots) > 1:
        names = ", ".join(sorted(root or "." for root in roots)[:5])
        raise Damaged(f"it holds {len(roots)} sysdumps ({names})", "unpack it, and give the folder of one")
    if not roots:
        return _bugtool_alone(index)
    layout = Layout(roots[0])
    for name in sorted(index.folders[layout.root]):
        _take_name(layout, name)
    layout.bugtools = {pod: folder for pod, folder in _bugtools(index, layout.root) if pod}
    return layout


def log_name(pod: str, container: str, *, is_previous: bool) -> str:
    """What a container's log is called, without the stamp."""
    return f"logs-{pod}-{container}{'-prev' if is_previous else ''}.log"


def _is_root(names: dict[str, int]) -> bool:
    return LOG in names or any(_TELLING.fullmatch(name) for name in names)


def _take_name(layout: Layout, name: str) -> None:
    if match := _BUGTOOL.fullmatch(name):
        layout.packed[match["pod"]] = name
    elif match := _STAMPED.fullmatch(name):
        layout.stamp = match["stamp"]
        layout.files[f"{match['stem']}{match['previous'] or ''}{match['end']}"] = name
    else:
        layout.files[name] = name


def _bugtools(index: Index, below: str) -> Iterator[tuple[str, str]]:
    """Pod and folder of each unpacked bugtool output; the pod is empty where no name tells."""
    for folder in index.folders:
        if folder.rpartition("/")[2] != COMMANDS:
            continue
        path = PurePosixPath(folder)
        if below and not path.is_relative_to(below):
            continue
        if any(part == COMMANDS for part in path.parts[:-1]):
            continue
        named = (_BUGTOOL.fullmatch(part) for part in reversed(path.parts[:-1]))
        pod = next((match["pod"] for match in named if match and not match["packed"]), "")
        yield pod, "" if str(path.parent) == "." else str(path.parent)


def _bugtool_alone(index: Index) -> Layout:
    found = list(_bugtools(index, ""))
    if len(found) > 1:
        raise Damaged(
            f"it holds the bugtool output of {len(found)} agents and no sysdump", "give one of them"
        )
    if not found:
        raise Damaged(
            "it holds neither a sysdump nor the output of cilium-bugtool",
            "collect one with `cilium sysdump`, or give the archive that it wrote",
        )
    _, folder = found[0]
    return Layout(folder, bugtools={"": folder}, stamp=_stamp(folder), is_bugtool=True)


def _stamp(folder: str) -> str:
    match = re.search(STAMP, PurePosixPath(folder).name)
    return match[0] if match else ""

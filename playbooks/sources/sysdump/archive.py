"""An opened archive: its files by what they hold, and when each was written."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from threading import Lock

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.collector import Complaints
from playbooks.sources.sysdump.container import TWICE, Container, Member, path_of
from playbooks.sources.sysdump.cursor import Cursor, read_head
from playbooks.sources.sysdump.layout import COMMANDS, LOG, Layout, layout_of
from playbooks.sources.sysdump.moment import (
    anchor_of,
    began_at,
    debuginfo_time,
    is_within,
    moment,
    newest_lease,
)
from playbooks.sources.sysdump.opening import open_container
from playbooks.sources.sysdump.tarred import Tarred
from playbooks.sources.sysdump.trouble import Damaged, UnreadableArchive

_CLUSTER_NAME = re.compile(rb'^ +cluster-name: ["\']?([A-Za-z0-9][\w.-]*)', re.MULTILINE)
_AGENT_CLUSTER_NAME = re.compile(rb"^ClusterName +: (\S+)", re.MULTILINE)
_NAMELESS = "default"
"""The chart's value for a cluster that nobody named."""
_HEAD = 4 * limits.MIB
_KEPT_OPEN = 256
"""Bugtool archives within the archive whose marks are kept."""
_SAMPLE = 50
"""Files whose times are looked at."""


@dataclass(frozen=True, slots=True)
class AgentFiles:
    """What cilium-bugtool wrote in one agent."""

    container: Container
    """Where it lies."""
    folder: str
    """The folder that has `cmd` in it."""
    label: str
    """What stands before a file's path when it is shown."""

    def member(self, names: tuple[str, ...]) -> Member | None:
        """The first of these files below `cmd` that is there. Raises `Damaged`."""
        folder = path_of(self.folder, COMMANDS)
        found = (self.container.member(folder, name) for name in names)
        return next((member for member in found if member), None)

    def names(self) -> tuple[str, ...]:
        """The names of the files below `cmd`."""
        return tuple(self.container.index.folders.get(path_of(self.folder, COMMANDS), {}))


class Archive:
    """A sysdump, or the bugtool output of one agent."""

    def __init__(self, path: Path) -> None:
        """Open it and find out what lies where. Raises `UnreadableArchive`."""
        self.path = path
        self.label = path.resolve().name or str(path)
        self.container = open_container(path)
        try:
            self.layout: Layout = layout_of(self.container.index)
            self.began = self._began(path)
        except Damaged as error:
            self.container.close()
            raise UnreadableArchive(str(error), str(path), error.remedy) from error
        self._packed: dict[str, AgentFiles] = {}
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    @cached_property
    def cluster(self) -> str:
        """The cluster's name, or the archive's where the cluster has none."""
        if self.layout.is_bugtool:
            agent = self.agent("")
            found = _AGENT_CLUSTER_NAME.search(_head_of(agent, "cilium-dbg-config--a.md") if agent else b"")
        else:
            found = _CLUSTER_NAME.search(self._head("cilium-configmap.yaml"))
        name = found[1].decode("utf-8", "replace") if found else ""
        return self.label if name in ("", _NAMELESS) else name

    @cached_property
    def complaints(self) -> Complaints:
        """What the collector could not collect."""
        return Complaints(self._head(LOG).decode("utf-8", "replace"))

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the archive as a whole, one sentence each."""
        found = [f"{self.label}: {self.container.problem}"] if self.container.problem else []
        if left_out := self.container.index.left_out:
            what = "links, devices or names that lead out of it"
            found.append(f"{self.label}: {left_out} entries were left out ({what})")
        return tuple(found)

    def file(self, name: str) -> Member | None:
        """One of the sysdump's own files, by its name without the stamp. Raises `Damaged`."""
        actual = self.layout.files.get(name)
        return (
            self.container.member(self.layout.root, actual) if actual and not self.layout.is_bugtool else None
        )

    def cursor(self, member: Member) -> Cursor:
        """The beginning of a file's content. Raises `Damaged`."""
        return self.container.cursor(member)

    def agent(self, pod: str) -> AgentFiles | None:
        """What there is of an agent, by its pod. Raises `Damaged`."""
        layout = self.layout
        folder = layout.bugtools.get("" if layout.is_bugtool else pod)
        if folder is not None:
            return AgentFiles(self.container, folder, f"{self.label}: ")
        name = layout.packed.get(pod)
        return self._packed_agent(pod, name) if name else None

    def taken_at(self, member: Member | None = None) -> datetime:
        """When a file was written, as far as that can be believed; else when collection began."""
        if member and not member.is_local_time and is_within(self.began, member.modified):
            return moment(member.modified)
        return moment(self.began)

    def where(self, *members: Member) -> str:
        """What is shown as the place of an answer."""
        return f"{self.label}: {', '.join(member.path for member in members)}"

    def close(self) -> None:
        """Let go of the file."""
        self.container.close()

    def _packed_agent(self, pod: str, name: str) -> AgentFiles | None:
        # Going through takes as long as unpacking, so two commands of an agent must not both do it.
        with self._locks[pod]:
            found = self._packed.pop(pod, None) or self._gone_through(name)
            self._packed[pod] = found
        if len(self._packed) > _KEPT_OPEN:
            self._packed.pop(next(iter(self._packed)), None)
        return found

    def _gone_through(self, name: str) -> AgentFiles:
        member = self.container.member(self.layout.root, name)
        if member is None:
            raise Damaged(f"{name} is not there any more")
        inner = Tarred.packed(self.container.cursor(member))
        layout = layout_of(inner.index)
        if not layout.is_bugtool:
            raise Damaged(f"{name} holds no output of cilium-bugtool")
        return AgentFiles(inner, layout.root, f"{self.label}: {member.path}: ")

    def _began(self, path: Path) -> float:
        layout = self.layout
        if layout.is_bugtool:
            began = began_at(layout.stamp, 0)
            return began or self._oldest() or path.stat().st_mtime
        names = (
            name
            for folder in islice(layout.bugtools.values(), _SAMPLE)
            for name in self.container.index.folders[path_of(folder, COMMANDS)]
        )
        lease = newest_lease(self._head("k8s-leases.yaml"))
        anchor = anchor_of(debuginfo_time(names), lease, self._oldest())
        return began_at(layout.stamp, anchor) or path.stat().st_mtime

    def _oldest(self) -> float:
        """The oldest time among some files, where the container knows them in UTC."""
        layout = self.layout
        folder = path_of(layout.root, COMMANDS) if layout.is_bugtool else layout.root
        names = list(self.container.index.folders[folder].items())[:_SAMPLE]
        found = (self.container.member(folder, name) for name, place in names if place != TWICE)
        return min(
            (one.modified for one in found if one and one.modified and not one.is_local_time), default=0.0
        )

    def _head(self, name: str) -> bytes:
        """The beginning of a file; nothing where it is missing or damaged, since it only adorns."""
        try:
            member = self.file(name)
            return read_head(self.cursor(member), _HEAD) if member else b""
        except Damaged:
            return b""


def _head_of(agent: AgentFiles, name: str) -> bytes:
    try:
        member = agent.member((name,))
        return read_head(agent.container.cursor(member), _HEAD) if member else b""
    except Damaged:
        return b""

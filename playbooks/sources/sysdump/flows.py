"""The flows that `cilium sysdump` collected: a file of JSON lines for each agent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.archive import Archive
from playbooks.sources.sysdump.container import Member

_FLOWS = re.compile(r"hubble-flows-(?P<pod>.+)\.json")


@dataclass(frozen=True, slots=True)
class FlowFile:
    """The flows of one agent."""

    archive: Archive
    """Where it lies."""
    member: Member
    """The file."""
    pod: str
    """The agent."""

    @property
    def where(self) -> str:
        """The archive and the file's path in it."""
        return self.archive.where(self.member)

    def chunks(self) -> Iterator[bytes]:
        """Its content, piece by piece. Raises `Damaged`."""
        cursor = self.archive.cursor(self.member)
        while chunk := cursor.read(limits.CHUNK):
            yield chunk


def flow_files(path: Path) -> tuple[FlowFile, ...]:
    """The files with flows of an archive; none when Hubble gave none.

    Raises `UnreadableArchive` or `Damaged`.
    """
    archive = Archive(path)
    found = []
    for name in sorted(archive.layout.files):
        match = _FLOWS.fullmatch(name)
        member = archive.file(name) if match else None
        if match and member:
            found.append(FlowFile(archive, member, match["pod"]))
    return tuple(found)

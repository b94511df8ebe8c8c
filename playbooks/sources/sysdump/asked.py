"""One request to an archive, with the words in which it is answered or not."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.request import Request
from playbooks.sources.sysdump.archive import Archive
from playbooks.sources.sysdump.container import Member
from playbooks.sources.sysdump.trouble import Damaged

ELSEWHERE = "run the command on the cluster, or collect another sysdump"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the archive that is to answer it."""

    archive: Archive
    """Who is asked."""
    request: Request
    """What is asked."""

    def gap(self, kind: GapKind, detail: str, remedy: str = "") -> Gap:
        """Why there is no answer."""
        request = self.request
        return Gap(kind, detail, request.command(), remedy, request.node, self.archive.taken_at())

    def missing(self, detail: str, remedy: str = ELSEWHERE) -> Gap:
        """There is no answer because the archive has none."""
        return self.gap(GapKind.NOT_RECORDED, f"{self.archive.label} {detail}", remedy)

    def unreadable(self, error: Damaged, name: str = "") -> Gap:
        """There is no answer because its file is damaged."""
        what = f"{name} in {self.archive.label}" if name else self.archive.label
        return self.gap(GapKind.UNREADABLE, f"{what} cannot be read: {error}", error.remedy)

    def end(self, *members: Member, where: str = "", exit_code: int = 0, is_truncated: bool = False) -> End:
        """The end of an answer from these files."""
        archive = self.archive
        return End(
            self.request.command(),
            where or archive.where(*members),
            archive.taken_at(members[0]),
            0.0,
            exit_code,
            is_truncated=is_truncated,
        )


def pattern_of(name: str) -> str:
    """A file's name as it is looked for, whatever its stamp."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem.removesuffix('-prev')}-*{'-prev' if stem.endswith('-prev') else ''}{dot}{ending}"

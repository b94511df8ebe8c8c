"""Answers that lie within another command's output: a table in the dump of all, a part of debuginfo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from playbooks.model.answer import GapKind
from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.commands import Ended, Failed, debuginfo_names, file_names, printed
from playbooks.sources.sysdump.cursor import Cursor

_LIMIT = 64 * limits.MIB
"""Bytes of an output that is read whole to find a part of it; the dump of a busy agent has a few."""
_PARTS = {
    ("status", "-o", "json"): "cilium-status",
    ("endpoint", "list", "-o", "json"): "endpoint-list",
    ("service", "list", "-o", "json"): "service-list",
}
"""Commands whose JSON is a part of debuginfo."""
_PROGRAMS = ("cilium-dbg", "cilium")


@dataclass(frozen=True, slots=True)
class Within:
    """Where a command's answer can be found when its own output was not kept."""

    whole: tuple[str, ...]
    """The command whose output holds it."""
    key: str
    """Under which key of its JSON."""

    def names(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """The names under which that output may lie, given those of all files."""
        return (*file_names(self.whole), *debuginfo_names(self.whole, files))

    def answer(self, cursor: Cursor) -> Iterator[bytes | Ended | Failed]:
        """Yield the part, then how it ended. Raises `Damaged`."""
        chunks: list[bytes] = []
        size = 0
        for piece in printed(cursor, self.whole[0]):
            if isinstance(piece, Failed):
                yield piece
                return
            if isinstance(piece, bytes):
                chunks.append(piece)
                size += len(piece)
            if size > _LIMIT:
                yield Failed(
                    GapKind.TOO_LARGE, f"it is larger than {_LIMIT // limits.MIB} MiB and holds {self.key}"
                )
                return
        yield from self._part(b"".join(chunks))

    def _part(self, body: bytes) -> Iterator[bytes | Ended | Failed]:
        try:
            part = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get(self.key)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            yield Failed(GapKind.UNREADABLE, f"it is no JSON, so {self.key} is not found: {error}")
            return
        if part is None:
            yield Failed(GapKind.NOT_IN_THIS_VERSION, f"this version has no {self.key}")
            return
        yield bytes(part)
        yield Ended()


def within(argv: tuple[str, ...]) -> Within | None:
    """Where else a command's answer may be."""
    program, words = argv[0], argv[1:]
    if program not in _PROGRAMS:
        return None
    if words[:3] == ("shell", "--", "db/show") and words[4:] == ("-f", "json"):
        return Within((program, "statedb", "dump"), words[3])
    if len(words) == 2 and words[0] == "statedb" and words[1] != "dump":
        return Within((program, "statedb", "dump"), words[1])
    part = _PARTS.get(words)
    return Within((program, "debuginfo", "-o", "json"), part) if part else None

"""Where `honeyguide flows` reads: JSON lines of a file or a sysdump, the messages of a recording."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from playbooks.model.hubble.filters.asked import Observe
from playbooks.model.hubble.jsonpb import Reader, Unreadable
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from tui.commands.flows_trouble import Unavailable
from tui.commands.options import Options

if TYPE_CHECKING:
    from tui.commands.flows_output import Output

_CHUNK = 1 << 16
_LONGEST = 64 << 20
"""Bytes of a line, at most: a message of 16 MB may be three times as long in JSON."""
_UNKNOWN = "unknown field detected, upgrade the Hubble CLI to get rid of this warning"
_UNREADABLE = "Failed to unmarshal json to flow"
# What protobuf for Go puts before its errors: a blank that does not break.
_PROTO = "proto:\u00a0"


class Told(Protocol):
    """Who hears of what could not be read."""

    def warn(self, message: str, error: str, line: bytes | None = None) -> None:
        """Something was left out."""


class Input(Protocol):
    """Where events come from."""

    is_prompt: bool
    """Whether what has come is to be printed before more is waited for."""
    is_selected: bool
    """Whether there is only what was asked for; otherwise it has to be picked out."""

    def batches(self) -> Iterator[Sequence[bytes]]:
        """Serialized events, those together that came together. Raises `Unavailable`."""


def opened(asked: Observe, output: Output, options: Options) -> Input:
    """What the arguments name. Raises `Unavailable`."""
    if asked.input_file == "-":
        is_file = stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode)
        return _Lines(_chunks(sys.stdin.buffer), output, is_prompt=not is_file)
    if asked.input_file:
        return _Lines(_chunks(_file(asked.input_file)), output, is_prompt=asked.follow)
    if asked.input:
        return archived(Path(asked.input), output)
    from tui.commands.flows_live import Live

    return Live(asked, output, options)


def _file(path: str) -> IO[bytes]:
    try:
        return open(path, "rb", buffering=0)
    except OSError as error:
        raise Unavailable(f"open {path}: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    read = getattr(file, "read1", file.read)
    while True:
        try:
            chunk = read(_CHUNK)
        except OSError as error:
            raise Unavailable(f"read {file.name}: {_reason(error)}") from None
        if not chunk:
            return
        yield chunk


class _Lines:
    """JSON lines, from pieces of any length."""

    is_selected = False

    def __init__(self, chunks: Iterable[bytes], output: Told, *, is_prompt: bool = False) -> None:
        self.is_prompt = is_prompt
        self._chunks, self._output, self._reader = chunks, output, Reader()

    def batches(self) -> Iterator[Sequence[bytes]]:
        """The events of each piece."""
        for lines in whole_lines(self._chunks):
            yield [raw for line in lines if (raw := self._raw(line))]

    def _raw(self, line: bytes) -> bytes | None:
        if not line.strip():
            return None
        had_unknown = bool(self._reader.unknown)
        try:
            raw = self._reader.raw(line)
        except Unreadable as error:
            self._output.warn(_UNREADABLE, f"{_PROTO}{error}", line)
            return None
        if self._reader.unknown and not had_unknown:
            self._output.warn(_UNKNOWN, f"{_PROTO}{self._reader.unknown}")
        return raw


def whole_lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines that each piece completes; of a line that is far too long only the beginning."""
    rest, is_skipping = b"", False
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if is_skipping and lines:
            del lines[0]
            is_skipping = False
        if is_skipping:
            rest = b""
        elif len(rest) > _LONGEST:
            lines.append(rest[:_CHUNK])
            rest, is_skipping = b"", True
        yield lines
    if rest:
        yield [rest]


def archived(path: Path, output: Told) -> Input:
    """The flows of a recording or an archive. Raises `Unavailable`."""
    from playbooks.sources.journal import is_journal

    return _Recorded(path, output) if is_journal(path) else _sysdump(path, output)


def _sysdump(path: Path, output: Told) -> Input:
    from playbooks.sources.sysdump import UnreadableArchive
    from playbooks.sources.sysdump.flows import flow_files
    from playbooks.sources.sysdump.trouble import Damaged

    try:
        files = flow_files(path)
    except (UnreadableArchive, Damaged) as error:
        raise Unavailable(
            f"{path}: {error}\n  to do: {error.remedy}; --input-file reads JSON lines"
        ) from None
    if not files:
        remedy = "take one with Hubble switched on, and without --quick"
        raise Unavailable(f"{path}: it holds no flows of any agent\n  to do: {remedy}")
    return _Merged([_Lines(file.chunks(), output) for file in files])


class _Merged:
    """Events of several files, each in its order, by time."""

    is_prompt = False
    is_selected = False

    def __init__(self, parts: Sequence[Input]) -> None:
        self._parts = parts

    def batches(self) -> Iterator[Sequence[bytes]]:
        """One event at a time. Raises `Unavailable`."""
        from playbooks.sources.sysdump.trouble import Damaged

        single = (((raw,) for batch in part.batches() for raw in batch) for part in self._parts)
        try:
            if len(self._parts) == 1:
                yield from self._parts[0].batches()
            else:
                yield from merge(*single, key=lambda one: _moment(one[0]))
        except Damaged as error:
            raise Unavailable(f"{error}\n  to do: {error.remedy}") from None


def _moment(raw: bytes) -> tuple[int, int]:
    time = ExportEvent.FromString(raw).time
    return time.seconds, time.nanos


class _Recorded:
    """The flows that a session of ours kept."""

    is_prompt = False
    is_selected = False

    def __init__(self, path: Path, output: Told) -> None:
        from playbooks.sources.journal import UnreadableJournal
        from playbooks.sources.journal.archive import FlowArchive

        self._output = output
        try:
            self._archive = FlowArchive(path)
        except UnreadableJournal as error:
            raise Unavailable(f"{error.what}: {error.where}\n  to do: {error.remedy}") from None
        self._path = path

    def batches(self) -> Iterator[Sequence[bytes]]:
        """One event at a time; what is missing is said on standard error."""
        for problem in self._archive.problems:
            self._output.warn("flows are missing", problem)
        dropped, _ = self._archive.dropped
        if dropped:
            self._output.warn(
                "flows are missing", f"{dropped} older ones were let go to stay within the limit"
            )
        is_empty = True
        for found in self._archive.between():
            if isinstance(found, str):
                self._output.warn("flows are missing", found)
            else:
                is_empty = False
                yield (found[0],)
        if is_empty:
            raise Unavailable(f"{self._path}: this recording holds no flows")

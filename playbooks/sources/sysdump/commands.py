"""What cilium-bugtool kept of a command: under which name, and how the command ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from playbooks.model.answer import GapKind
from playbooks.model.text import decoded
from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.cursor import Cursor, read_head

_ENDINGS = (".md", ".html")
_PROGRAMS = {"cilium-dbg": ("cilium-dbg", "cilium"), "cilium": ("cilium", "cilium-dbg")}
_FLAGS = {
    "-n": "--numeric", "-v": "--verbose", "-d": "--time-diff", "-a": "--all",
    "--numeric": "-n", "--verbose": "-v", "--time-diff": "-d", "--all": "-a",
}  # fmt: skip
_SAME = {
    # Numbers instead of labels make no difference in JSON, and `global` is what is listed without it.
    "ip list -o json": ("ip list -n -o json",),
    "bpf ct list global": ("bpf ct list",),
    "bpf ct list global -d": ("bpf ct list -d",),
    "bpf ct list global --time-diff": ("bpf ct list --time-diff",),
    "statedb dump": ("statedb",),
    "statedb": ("statedb dump",),
}
_DEBUGINFO = re.compile(r"cilium-debuginfo-[\d.+-]+UTC(?P<ending>\.md|\.json)")

_HEAD = 64 * 1024
"""Bytes up to which an output is judged before any of it is given."""
_HELD_BACK = 4096
"""Bytes at the end in which the word about a failure stands."""
_OLD_HEADING = re.compile(rb"\A# [^\n]*\n\s*```[a-z]*\n")
_OLD_FENCE = re.compile(rb"\n?```\s*\Z")
_FAILED = re.compile(rb"> Error while running '(?P<command>.*)':  (?P<why>[^\n]*)\s*(```)?\s*\Z", re.DOTALL)
_FAILED_FIRST = re.compile(rb"\A(# [^\n]*\n\s*)?> Error while running '[^\n]*':  (?P<why>[^\n]*)\n+")
_EXIT = re.compile(rb"exit status (\d+)")
_USAGE = re.compile(rb"^Usage:", re.MULTILINE)
_USAGE_WITHIN = 4096
_UNKNOWN = re.compile(rb"unknown (command|flag|shorthand flag)|table \S+ not found")
_NO_PROGRAM = re.compile(rb"command not found|executable file not found|: not found\s*\Z")
_MISSING = re.compile(rb"no such file or directory|\[404\]|NotFound")
_TOO_SLOW = re.compile(rb"timeout|timed out|deadline exceeded|signal: killed")
_COMPLAINT = re.compile(
    rb"\A\s*(error|cannot|could not|failed|unable|unknown|bash:|sh:|exec)\b", re.IGNORECASE
)
_SHORT = 400
"""Bytes of one line that, from a command that failed, are its complaint, whatever they say."""
_QUOTED = 300


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    exit_code: int = 0
    """Its exit code."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A command that gave no answer."""

    kind: GapKind
    """Why, as a live cluster would have said it."""
    detail: str
    """The same in words."""


def file_names(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The names under which a command's output may lie, the most exact first."""
    program, *words = _with_plain_output(argv)
    spellings = [" ".join(spelled) for spelled in product(*map(_spellings, words))]
    same = [other for spelling in spellings for other in (spelling, *_SAME.get(spelling, ()))]
    lines = [f"{name} {words}" for words in same for name in _PROGRAMS.get(program, (program,))]
    names = (re.sub("[/ ]", "-", line) + ending for line in lines for ending in _ENDINGS)
    return tuple(dict.fromkeys(names))


def debuginfo_names(argv: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of the files is the agent's debuginfo, where that is asked for: its name holds the time."""
    program, *words = _with_plain_output(argv)
    endings = {("debuginfo",): ".md", ("debuginfo", "-o", "json"): ".json"}
    ending = endings.get(tuple(words)) if program in _PROGRAMS else None
    found = (match for match in map(_DEBUGINFO.fullmatch, names) if match and match["ending"] == ending)
    return tuple(sorted(match[0] for match in found))


def printed(cursor: Cursor, program: str) -> Iterator[bytes | Ended | Failed]:
    """Yield what a command printed, then how it ended. Raises `Damaged`."""
    head = read_head(cursor, _HEAD)
    if first := _FAILED_FIRST.match(head):
        rest = _without_frame(head[first.end() :])
        yield _failure(rest, first["why"], program)
        return
    is_fenced = bool(heading := _OLD_HEADING.match(head))
    held = head[heading.end() :] if heading else head
    is_whole = len(head) < _HEAD
    if is_whole:
        yield from _short(held, program, is_fenced=is_fenced)
        return
    while data := cursor.read(limits.CHUNK):
        held += data
        if len(held) > _HELD_BACK:
            yield held[:-_HELD_BACK]
            held = held[-_HELD_BACK:]
    body, why = _split(held, is_fenced=is_fenced)
    if body:
        yield body
    yield Ended(_exit_code(why))


def _with_plain_output(argv: tuple[str, ...]) -> list[str]:
    """The words, with `-o json` however it was spelled."""
    words: list[str] = []
    for word in argv:
        if word == "--output":
            words.append("-o")
        elif match := re.fullmatch(r"(?:--output=|-o=?)(\w+)", word):
            words += ["-o", match[1]]
        else:
            words.append(word)
    return words or [""]


def _spellings(word: str) -> tuple[str, ...]:
    return (word, _FLAGS[word]) if word in _FLAGS else (word,)


def _short(held: bytes, program: str, *, is_fenced: bool) -> Iterator[bytes | Ended | Failed]:
    body, why = _split(held, is_fenced=is_fenced)
    if why and _is_complaint(body):
        yield _failure(body, why, program)
        return
    if _USAGE.search(body, 0, _USAGE_WITHIN) and not body.lstrip().startswith((b"{", b"[")):
        yield Failed(
            GapKind.NOT_IN_THIS_VERSION, "this version does not have the command: it printed its help"
        )
        return
    if body:
        yield body
    yield Ended(_exit_code(why))


def _split(held: bytes, *, is_fenced: bool) -> tuple[bytes, bytes]:
    """The output, and why the command failed; that is empty when it did not."""
    start = held.rfind(b"> Error while running '")
    match = _FAILED.match(held, start) if start >= 0 else None
    body = held[:start] if match else held
    return _OLD_FENCE.sub(b"\n", body) if is_fenced else body, match["why"].strip() if match else b""


def _without_frame(text: bytes) -> bytes:
    heading = _OLD_HEADING.match(text) or re.match(rb"\s*```[a-z]*\n", text)
    return _OLD_FENCE.sub(b"\n", text[heading.end() :] if heading else text)


def _is_complaint(body: bytes) -> bool:
    text = body.strip()
    return bool(_COMPLAINT.match(text)) or (len(text) < _SHORT and b"\n" not in text)


def _failure(body: bytes, why: bytes, program: str) -> Failed:
    said = body.strip() or why
    line = decoded(said.splitlines()[0])[:_QUOTED] if said else "nothing"
    if _UNKNOWN.search(body):
        return Failed(GapKind.NOT_IN_THIS_VERSION, f"this version does not have the command: {line}")
    if _TOO_SLOW.search(why):
        return Failed(GapKind.TIMED_OUT, "the command did not end in time when this was collected")
    if _NO_PROGRAM.search(body) or _NO_PROGRAM.search(why):
        return Failed(GapKind.NOT_FOUND, f"the image has no program `{program}`")
    if _MISSING.search(body):
        return Failed(GapKind.NOT_FOUND, line)
    return Failed(GapKind.FAILED, f"the command ended with {_exit_code(why)}: {line}")


def _exit_code(why: bytes) -> int:
    if not why:
        return 0
    match = _EXIT.search(why)
    return min(int(match[1][:3]), 255) if match else 1

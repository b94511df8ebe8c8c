"""What agent commands print, read so that null is absent and a refusal is told from an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.fact import Unreadable
from playbooks.model.text import decoded

S = TypeVar("S")

_HELP = re.compile(r"^Usage:", re.MULTILINE)
_UNKNOWN = re.compile(r"unknown (command|flag|shorthand flag)|table \S+ not found|command not found")
_NO_SUCH = re.compile(r"\]\[404\]")
"""What the agent's API says of an object that it does not have."""
_LOOKED_AT = 4096
"""Bytes at the beginning in which a refusal shows."""
_DIGITS = 20
"""As many as the largest number of 64 bits has."""


def refusal(answer: Answer) -> Gap | None:
    """Why the command gave no answer of its own, if it did not.

    An unknown command of a group prints its help and exits 0, so the exit code alone tells nothing.
    """
    head = decoded(answer.body[:_LOOKED_AT])
    complaint = decoded(answer.end.stderr[:_LOOKED_AT]).strip()
    if head.lstrip().startswith(("{", "[")):
        return None
    # What an answer quotes may speak of unknown commands too, so only a failed one is searched for them.
    is_unknown = answer.end.exit_code and _UNKNOWN.search(f"{head}\n{complaint}")
    if is_unknown or _HELP.search(f"{head}\n{complaint}"):
        return _gap(answer, GapKind.NOT_IN_THIS_VERSION, "this version does not have the command")
    if answer.end.exit_code and _NO_SUCH.search(complaint):
        return _gap(
            answer, GapKind.NOT_FOUND, f"the agent has no such thing: {complaint.splitlines()[0][:300]}"
        )
    if answer.end.exit_code:
        said = (complaint or head.strip() or "nothing").splitlines()[0]
        return _gap(answer, GapKind.FAILED, f"the command ended with {answer.end.exit_code}: {said[:300]}")
    return None


def struct_of(answer: Answer, kind: type[S]) -> S:
    """The one JSON document of an answer. Raises `Unreadable`."""
    try:
        return msgspec.convert(without_nulls(msgspec.json.decode(answer.body)), kind, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"not what the command prints: {error}") from error


def rows_of(answer: Answer, kind: type[S]) -> tuple[S, ...]:
    """The one JSON list of an answer; `null` is an empty one. Raises `Unreadable`."""
    if answer.body.strip() == b"null":
        return ()
    try:
        # Most lists have no null where it matters, and large ones are read much faster so.
        return msgspec.json.decode(answer.body, type=tuple[kind, ...])  # type: ignore[valid-type]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return struct_of(answer, tuple[kind, ...])  # type: ignore[valid-type]


def text_of(answer: Answer) -> str:
    """The text of an answer, whole lines only. Raises `Unreadable` where it ends in the middle of one."""
    text = decoded(answer.body)
    whole, _, rest = text.rpartition("\n")
    if rest and not answer.end.is_truncated:
        raise Unreadable("the answer ends in the middle of a line", len(answer.body))
    return whole


def number_of(text: str) -> int | None:
    """A number as text, if it is one that a program would print."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    return int(text) if is_number else None


def documents_of(answer: Answer) -> Iterator[object]:
    """JSON documents one after the other without anything between them. Raises `Unreadable`."""
    text = decoded(answer.body)
    decoder = json.JSONDecoder()
    # Hundreds of documents, and most answers hold no null at all: looking once is cheaper than walking each.
    has_nulls = "null" in text
    at = _after_blanks(text, 0)
    while at < len(text):
        try:
            document, end = decoder.raw_decode(text, at)
            clean = without_nulls(document) if has_nulls else document
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"not JSON: {error}", len(text[:at].encode("utf-8", "replace"))) from error
        yield clean
        at = _after_blanks(text, end)


def without_nulls(value: object) -> object:
    """The same without null: Go prints null for what it does not know and for empty lists."""
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_nulls(part) for part in value if part is not None]
    return value


def _after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _gap(answer: Answer, kind: GapKind, detail: str) -> Gap:
    return Gap(kind, detail, answer.end.command, node=answer.request.node, taken_at=answer.end.taken_at)

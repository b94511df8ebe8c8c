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

_UNKNOWN = re.compile(
    r"unknown (command|flag|shorthand flag)|^Usage:|table \S+ not found|command not found", re.MULTILINE
)
_LOOKED_AT = 4096
"""Bytes at the beginning in which a refusal shows."""


def refusal(answer: Answer) -> Gap | None:
    """Why the command gave no answer of its own, if it did not.

    An unknown command of a group prints its help and exits 0, so the exit code alone tells nothing.
    """
    head = decoded(answer.body[:_LOOKED_AT])
    complaint = decoded(answer.end.stderr[:_LOOKED_AT]).strip()
    if not head.lstrip().startswith(("{", "[")) and _UNKNOWN.search(f"{head}\n{complaint}"):
        return _gap(answer, GapKind.NOT_IN_THIS_VERSION, "this version does not have the command")
    if answer.end.exit_code and not head.lstrip().startswith(("{", "[")):
        said = (complaint or head.strip() or "nothing").splitlines()[0]
        return _gap(answer, GapKind.FAILED, f"the command ended with {answer.end.exit_code}: {said[:300]}")
    return None


def struct_of(answer: Answer, kind: type[S]) -> S:
    """The one JSON document of an answer. Raises `Unreadable`."""
    try:
        return msgspec.convert(without_nulls(msgspec.json.decode(answer.body)), kind, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"not what the command prints: {error}") from error


def documents_of(answer: Answer) -> Iterator[object]:
    """JSON documents one after the other without anything between them. Raises `Unreadable`."""
    text = decoded(answer.body)
    decoder = json.JSONDecoder()
    at = _after_blanks(text, 0)
    while at < len(text):
        try:
            document, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"not JSON: {error}", len(text[:at].encode())) from error
        yield without_nulls(document)
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

"""What the text of a command tells of a fact, held against the JSON of the same recording, field by field.

`python -m tests.fields` writes the table of fields that text cannot hold anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path

import msgspec

from playbooks.model.answer import Answer, Gap, Source, answer
from playbooks.model.fact import Fact, Unreadable, Way
from playbooks.model.request import AgentCommand, Request
from playbooks.sources.sysdump import SysdumpSource
from tests import recorded
from tests.recorded import archive_of
from tests.walk import Asker
from tests.walk import askers_of as askers_in_journal
from tests.walk_archive import askers_of as askers_in_archive

HERE = Path(__file__).parent
TABLE = HERE / "fields.md"
UNEQUAL = HERE / "unequal.tsv"
CASE = "healthy"
HEAD = """# Fields that text cannot hold

Written by `python -m tests.fields`; a test compares it. Of every fact that the recording `healthy` tells as
JSON and as text, one of both in its sysdump, these fields are told by JSON only: where an archive has text
alone they are absent, and no rule may take that for an answer. All other fields are equal, but for those of
`tests/unequal.tsv`, each with its reason.

| fact | read as text by | fields that only JSON tells |
|---|---|---|
"""

LOOK = 2
"""The look of the journal that ended when the archive was begun."""


@dataclass(frozen=True)
class Pair:
    """A fact by JSON and by text, of the same recording."""

    kind: type[Fact]
    json: Fact
    text: Fact
    way: str
    """The way by text."""

    @property
    def name(self) -> str:
        return self.kind.__name__

    @property
    def only_json(self) -> tuple[str, ...]:
        """Fields that text leaves empty wherever it is read, and JSON does not."""
        told, known = told_in(self.text), told_in(self.json)
        return tuple(sorted(known - told))

    @property
    def only_text(self) -> tuple[str, ...]:
        """The same the other way round."""
        told, known = told_in(self.json), told_in(self.text)
        return tuple(sorted(known - told))

    def unequal(self, left_out: Iterable[str]) -> tuple[str, ...]:
        """Fields that both tell, differently; of a list without those left out, as a whole."""
        skipped = {*left_out, *self.only_json, *self.only_text}
        if plain(self.json, "", skipped) == plain(self.text, "", skipped):
            return ()
        return tuple(sorted(_differing(self.json, self.text, skipped))) or ("(which belongs to which)",)


def _parts(value: object) -> Iterator[tuple[str, object]] | None:
    if is_dataclass(value) and not isinstance(value, type):
        return ((part.name, getattr(value, part.name)) for part in fields(value) if part.name != "provenance")
    if isinstance(value, msgspec.Struct):
        return ((name, getattr(value, name)) for name in value.__struct_fields__)
    return None


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _keyed(path: str, key: object) -> str:
    """The field of a mapping; within rows, where there are many mappings, all their keys together."""
    return f"{path}{{}}" if "[]" in path else f"{path}{{{key}}}"


def told_in(value: object, path: str = "") -> set[str]:
    """The fields that hold anything but nothing, in any row."""
    parts = _parts(value)
    if parts is not None:
        return {found for name, part in parts for found in told_in(part, _below(path, name))}
    if isinstance(value, Mapping):
        below = {found for key, part in value.items() for found in told_in(part, _keyed(path, key))}
        return below | ({f"{path} (names)"} if value and "[]" in path else set())
    if isinstance(value, list | tuple | set | frozenset):
        return {found for part in value for found in told_in(part, f"{path}[]")}
    return {path} if value else set()


def plain(value: object, path: str, skipped: set[str]) -> object:
    """A value as one that can be compared: without some fields, and rows in an order of their own."""
    parts = _parts(value)
    if path in skipped:
        return None
    if parts is not None:
        found = ((name, plain(part, _below(path, name), skipped)) for name, part in parts)
        return tuple((name, part) for name, part in found if part)
    if isinstance(value, Mapping):
        if f"{path} (names)" in skipped:
            return None
        rows = ((str(key), plain(part, _keyed(path, key), skipped)) for key, part in value.items())
        return tuple(sorted(((key, part) for key, part in rows if part), key=repr))
    if isinstance(value, list | tuple | set | frozenset):
        # Of a row that nothing is left of it does not matter how often it is there.
        left = (plain(part, f"{path}[]", skipped) for part in value)
        return tuple(sorted((part for part in left if part), key=repr))
    return value.value if isinstance(value, Enum) else value


def _differing(one: object, other: object, skipped: set[str]) -> Iterator[str]:
    """The fields whose values, taken by themselves, differ."""
    mine, theirs = _values(one, ""), _values(other, "")
    for path in mine.keys() | theirs.keys():
        if not any(path.startswith(left_out) for left_out in skipped) and sorted(
            mine.get(path, []), key=repr
        ) != sorted(theirs.get(path, []), key=repr):
            yield path


def _values(value: object, path: str) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    parts = _parts(value)
    if parts is not None:
        below = [(_below(path, name), part) for name, part in parts]
    elif isinstance(value, Mapping):
        below = [(_keyed(path, key), part) for key, part in value.items()]
    elif isinstance(value, list | tuple | set | frozenset):
        below = [(f"{path}[]", part) for part in value]
    else:
        return {path: [value]} if value else {}
    for name, part in below:
        for key, values in _values(part, name).items():
            found.setdefault(key, []).extend(values)
    return found


# Where they come from


@dataclass(frozen=True)
class Told:
    """A fact as one way told it."""

    kind: type[Fact]
    way: Way
    fact: Fact
    is_json: bool
    is_kept: bool
    """Whether an archive told it; else the journal."""


def pairs() -> tuple[Pair, ...]:
    """Every fact that is told as JSON and as text in the recording, one of both in its archive."""
    return asyncio.run(_pairs())


async def _pairs() -> tuple[Pair, ...]:
    journal, archive = recorded.source(CASE), SysdumpSource(archive_of(CASE))
    asked = [request for look, request in journal.asked if look == LOOK]
    told = [
        *await _read(archive, 1, await askers_in_archive(archive), is_kept=True),
        *await _read(journal, LOOK, await askers_in_journal(journal, LOOK, asked), is_kept=False),
    ]
    await archive.close()
    return tuple(_paired(told))


def _paired(told: Sequence[Told]) -> Iterator[Pair]:
    """Of each way the archive's answer, where it has one."""
    for kind in sorted({one.kind for one in told}, key=lambda kind: kind.__name__):
        mine = [one for one in told if one.kind is kind]
        json = next((one for one in mine if one.is_json), None)
        for name in dict.fromkeys(one.way.name for one in mine if not one.is_json):
            text = next(one for one in mine if one.way.name == name and not one.is_json)
            if json and (json.is_kept or text.is_kept):
                yield Pair(kind, json.fact, text.fact, name)


async def _read(
    source: Source, look: int, askers: Mapping[Request, list[Asker]], *, is_kept: bool
) -> list[Told]:
    found = []
    for request, ways in askers.items():
        told = await answer(source, request, look) if isinstance(request, AgentCommand) else None
        if isinstance(told, Answer):
            is_json = told.body.lstrip()[:1] in (b"{", b"[")
            facts = ((kind, way, _fact(way, told)) for kind, way in ways)
            found += [Told(kind, way, fact, is_json, is_kept) for kind, way, fact in facts if fact]
    return found


def _fact(way: Way, told: Answer) -> Fact | None:
    reader = way.reader()
    try:
        reader.feed(told.body)
        result = reader.finish(told.request, told.end)
    except Unreadable:
        return None
    return None if isinstance(result, Gap) else result


# The table


def table(found: Iterable[Pair]) -> str:
    """The fields that only JSON tells, by fact and way."""
    rows = [
        f"| {one.name} | {one.way} | {', '.join(f'`{path}`' for path in one.only_json) or 'none'} |\n"
        for one in found
    ]
    return HEAD + "".join(rows)


def unequal() -> dict[str, dict[str, str]]:
    """The fields that are not compared: by fact and field, why."""
    found: dict[str, dict[str, str]] = {}
    for line in UNEQUAL.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            fact, field, why = line.split("\t")
            found.setdefault(fact, {})[field] = why
    return found


def main() -> None:
    """Write the table."""
    found = pairs()
    TABLE.write_text(table(found), "utf-8")
    left_out = unequal()
    for one in found:
        if fields_ := one.unequal(left_out.get(one.name, {})):
            print(one.name, one.way, *fields_, sep="\t")


if __name__ == "__main__":
    main()

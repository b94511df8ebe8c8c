"""Every way of every fact with an answer that it reads, and ways to damage such answers."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from typing import Any

import msgspec

from playbooks.model.answer import Answer, End, Gap, GapKind, answer
from playbooks.model.bpf.conntrack import Conntrack
from playbooks.model.bpf.nat import NatTable
from playbooks.model.cilium.agent.one_endpoint import endpoint_detail, endpoint_health, endpoint_log
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.fact import Fact, Unreadable, Way
from playbooks.model.kube.meta import Pages
from playbooks.model.request import AgentCommand, ContainerLog, Objects, Request, Resource
from tests.facts import LONG_AGO, every_kind
from tests.model.examples import example_of
from tests.model.samples import LOG, sample_of
from tests.recorded import source
from tests.walk import askers_of, bare, named, size_of

SOURCES = ("healthy", "06-regeneration-failing", "05-agent-crashloop-bad-config")
"""Recordings in which answers are looked for, in this order."""
LIMIT = 64 * 1024
"""Bytes of an answer that is damaged."""

_COMMAND = AgentCommand("node-1", "kube-system", "cilium-abcde", "cilium-agent", ("cilium-dbg",))
_LOG = ContainerLog("kube-system", "cilium-abcde", "cilium-agent")
_OBJECTS = Objects(Resource("example.io", "v1", "examples", "Example"))


@dataclass(frozen=True)
class Subject:
    """One way with an answer that it reads."""

    kind: type[Fact]
    way: Way
    request: Request
    body: bytes

    @property
    def name(self) -> str:
        return named(self.kind, self.way)

    def read(self, body: bytes, pieces: int = 1, *, is_truncated: bool = False) -> Fact | Gap:
        """What the way makes of an answer. Whatever is raised but `Unreadable` is a fault of the decoder."""
        end = End(self.request.command(), "node-1", LONG_AGO, 0.1, is_truncated=is_truncated)
        reader = self.way.reader()
        step = max(1, -(-len(body) // pieces))
        try:
            for start in range(0, len(body), step):
                reader.feed(body[start : start + step])
            result = reader.finish(self.request, end)
        except Unreadable as error:
            return Gap(GapKind.UNREADABLE, str(error))
        assert isinstance(result, Gap | self.kind), f"{self.name} is read as {type(result).__name__}"
        return result

    @cached_property
    def fact(self) -> Fact:
        """The fact that the answer holds."""
        result = self.read(self.body)
        assert isinstance(result, Fact), f"{self.name}: {result}"
        return result

    @cached_property
    def documents(self) -> tuple[Any, ...]:
        """The answer's JSON documents; none for text."""
        try:
            return tuple(_documents(self.body))
        except ValueError:
            return ()

    @property
    def is_log(self) -> bool:
        """Whether anything at all is an answer, or lines are only counted."""
        return issubclass(self.kind, Log | Conntrack | NatTable)

    @property
    def is_object(self) -> bool:
        """Whether the API server answers, which leaves out what has its default value."""
        return isinstance(self.request, Objects)


@cache
def subjects() -> tuple[Subject, ...]:
    """Every way of every fact for which there is an answer."""
    return tuple(_small(subject) for subject in _every().values() if subject)


def without_answer() -> tuple[str, ...]:
    """The ways that were never recorded and have no answer in `samples.py`."""
    return tuple(name for name, subject in _every().items() if not subject)


@cache
def _every() -> Mapping[str, Subject | None]:
    recorded, requests = asyncio.run(_find_recorded())
    found: dict[str, Subject | None] = {}
    for kind in _kinds():
        for way in kind.ways:
            name = named(kind, way)
            written, request = sample_of(name), requests.get(name)
            if written is not None:
                found[name] = Subject(kind, way, request or _COMMAND, written)
            else:
                found[name] = recorded.get(name) or _made(kind, way, request)
    return found


def _kinds() -> tuple[type[Fact], ...]:
    return (*every_kind(), endpoint_detail(51), endpoint_log(51), endpoint_health(51))


async def _find_recorded() -> tuple[Mapping[str, Subject], Mapping[str, Request]]:
    """The ways whose answer was recorded, and what every way that can be asked asks."""
    found: dict[str, Subject] = {}
    requests: dict[str, Request] = {}
    for name in SOURCES:
        cluster = source(name)
        asked = [request for look, request in cluster.asked if look == 1]
        askers = await askers_of(cluster, 1, asked)
        requests |= {named(*asker): request for request, ways in askers.items() for asker in ways}
        for request in asked:
            for kind, way in askers.get(bare(request), ()):
                if named(kind, way) in found:
                    continue
                told = await answer(cluster, request, 1)
                subject = Subject(kind, way, request, told.body) if isinstance(told, Answer) else None
                if subject and isinstance(subject.read(subject.body), Fact) and size_of(subject.fact):
                    found.setdefault(subject.name, subject)
    return found, requests


def _made(kind: type[Fact], way: Way, request: Request | None) -> Subject | None:
    reader = way.reader()
    if isinstance(reader, Pages):
        page = {"kind": "ExampleList", "items": [example_of(reader.item)]}
        return Subject(kind, way, request or _OBJECTS, json.dumps(page).encode() + b"\n")
    if issubclass(kind, Log):
        return Subject(kind, way, _LOG, LOG.removeprefix("\n").encode())
    return None


def _small(subject: Subject) -> Subject:
    """The same with an answer of at most `LIMIT` bytes."""
    if len(subject.body) <= LIMIT:
        return subject
    if subject.documents:
        keep = 64
        body = subject.body
        while len(body) > LIMIT:
            keep //= 2
            body = encoded([shortened(document, keep) for document in subject.documents[: keep * 8]])
    else:
        body = subject.body[:LIMIT].rpartition(b"\n")[0] + b"\n"
    return Subject(subject.kind, subject.way, subject.request, body)


# JSON


def _documents(body: bytes) -> Iterator[Any]:
    if not body.lstrip().startswith((b"{", b"[")):
        return
    decoder, text, at = json.JSONDecoder(), body.decode("utf-8", "replace"), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        document, at = decoder.raw_decode(text, at)
        yield document


def encoded(documents: Sequence[Any]) -> bytes:
    """JSON documents as an answer."""
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def shortened(document: Any, keep: int) -> Any:
    """The same with at most so many items in each list."""
    if isinstance(document, dict):
        return {key: shortened(value, keep) for key, value in document.items()}
    return [shortened(item, keep) for item in document[:keep]] if isinstance(document, list) else document


Path = tuple[str, ...]
"""Keys from the outside in; lists are passed through."""
GONE: Any = object()
"""In place of a value: the key is taken out."""


def paths_in(document: Any, above: Path = ()) -> Iterator[Path]:
    """Where values are, each place once."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield (*above, key)
            yield from paths_in(value, (*above, key))
    elif isinstance(document, list):
        for item in document:
            yield from paths_in(item, above)


def replaced(document: Any, path: Path, value: Any) -> Any:
    """The same with another value in one place, wherever it is."""
    if isinstance(document, list):
        return [replaced(item, path, value) for item in document]
    if not isinstance(document, dict) or path[0] not in document:
        return document
    rest = {key: part for key, part in document.items() if key != path[0]}
    if len(path) == 1:
        return rest if value is GONE else {**document, path[0]: value}
    return {**document, path[0]: replaced(document[path[0]], path[1:], value)}


def enriched(document: Any) -> Any:
    """The same with a field in every object that nobody knows."""
    if isinstance(document, dict):
        told = {key: enriched(value) for key, value in document.items()}
        is_map = all(isinstance(value, str) for value in document.values())
        return {"unheardOf": "x" if is_map else {"of": ["this", 1, None]}, **told}
    return [enriched(item) for item in document] if isinstance(document, list) else document


# Facts


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Everything that a fact tells, by the names of fields, without where it comes from."""
    if is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            if part.name != "provenance":
                yield from leaves(getattr(value, part.name), part.name)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from leaves(getattr(value, field), field)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield (f"{name} key", key)
            yield from leaves(part, name)
    elif isinstance(value, tuple | list | frozenset | set):
        for item in value:
            yield from leaves(item, name)
    elif value is not None and value not in ("", b""):
        yield name, value


def invented(result: Fact, original: Fact) -> set[tuple[str, Any]]:
    """What a damaged answer tells that the whole one did not."""
    known = {_hashable(leaf) for leaf in leaves(original)}
    return {leaf for leaf in map(_hashable, leaves(result)) if leaf not in known}


def _hashable(leaf: tuple[str, Any]) -> tuple[str, Any]:
    name, value = leaf
    return name, (type(value).__name__, repr(value))


def look_everywhere(value: Any, depth: int = 0) -> None:
    """Read every property of a fact and of what it holds, so that none raises."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for item in value[:3]:
            look_everywhere(item, depth + 1)
        return
    if depth > 6 or not (is_dataclass(value) or isinstance(value, msgspec.Struct)):
        return
    properties, held = _parts_of(type(value))
    for name in properties:
        found = getattr(value, name)
        if isinstance(found, Iterator):
            tuple(found)
    for name in held:
        look_everywhere(getattr(value, name), depth + 1)


@cache
def _parts_of(kind: type) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of a type's properties, and of its fields."""
    members = inspect.getmembers_static(kind)
    properties = tuple(name for name, member in members if isinstance(member, property | cached_property))
    if issubclass(kind, msgspec.Struct):
        return properties, kind.__struct_fields__
    return properties, tuple(part.name for part in fields(kind))

"""Objects: lists in pages, and single ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TypeVar
from urllib.parse import quote

import msgspec

from playbooks.model.answer import GapKind
from playbooks.model.request import ApiPath, Objects
from playbooks.sources.live.status import NoAnswer, Refused
from playbooks.sources.live.transport import Transport

PAGE = 250
GONE = 410

T = TypeVar("T")
"""What is read of a body."""


class _ListMeta(msgspec.Struct, frozen=True):
    next_page: str = msgspec.field(default="", name="continue")


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""


class _Item(msgspec.Struct, frozen=True):
    metadata: _Meta


class _Page(msgspec.Struct, frozen=True):
    metadata: _ListMeta
    items: list[_Item] | None = None


class _RawItems(msgspec.Struct, frozen=True, rename="camel"):
    kind: str = ""
    api_version: str = ""
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    items: list[msgspec.Raw] | None = None


_single = msgspec.json.Decoder(_Item)
_page = msgspec.json.Decoder(_Page)
_raw = msgspec.json.Decoder(_RawItems)


def path_of(request: Objects) -> str:
    """The URL path of a list or of one object."""
    words = [request.resource.path]
    if request.namespace:
        words += ["namespaces", quote(request.namespace, safe="")]
    words.append(request.resource.plural)
    if request.name:
        words.append(quote(request.name, safe=""))
    return "/" + "/".join(words)


async def objects(transport: Transport, request: Objects) -> AsyncGenerator[bytes, None]:
    """One JSON document a line: each page of a list, or the one object. Raises `Refused`, `NoAnswer`."""
    if request.name:
        body = await transport.read(path_of(request))
        _checked(body, _single)
        yield _line(body)
        return
    pages = _Pages(transport, request)
    while not pages.is_done:
        yield await pages.next_page()


async def raw(transport: Transport, request: ApiPath) -> AsyncGenerator[bytes, None]:
    """The body of one path. Raises `Refused`, `NoAnswer`."""
    yield await transport.read(request.path)


class _Pages:
    """A list on its way: where it stands, and what was handed out already."""

    def __init__(self, transport: Transport, request: Objects) -> None:
        self.is_done = False
        self._transport = transport
        self._path = path_of(request)
        self._selectors = [
            (name, value)
            for name, value in (("labelSelector", request.labels), ("fieldSelector", request.fields))
            if value
        ]
        self._token = ""
        self._seen: set[_Meta] = set()
        self._is_restarted = False

    async def next_page(self) -> bytes:
        """The next page as one line; after a restart without what was handed out before it."""
        try:
            body = await self._read()
        except Refused as refused:
            if refused.code != GONE or self._is_restarted:
                raise
            # The snapshot that the token names is compacted away: list anew, but hand nothing out twice.
            self._is_restarted, self._token = True, ""
            body = await self._read()
        page = _checked(body, _page)
        self._token = page.metadata.next_page
        self.is_done = not self._token
        names = [item.metadata for item in page.items or ()]
        if self._is_restarted:
            return self._unseen(body, names)
        if self._token:
            self._seen.update(names)
        return _line(body)

    async def _read(self) -> bytes:
        query = [("limit", str(PAGE)), *self._selectors]
        if self._token:
            query.append(("continue", self._token))
        return await self._transport.read(self._path, query)

    def _unseen(self, body: bytes, names: list[_Meta]) -> bytes:
        page = _checked(body, _raw)
        kept = [item for item, name in zip(page.items or (), names, strict=True) if name not in self._seen]
        return _line(msgspec.json.encode(msgspec.structs.replace(page, items=kept)))


def _checked(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as the list machinery reads it; what is no JSON object of that shape is no answer."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        begin = " ".join(body[:80].decode("utf-8", errors="replace").split())
        what = f"what came is not the JSON of a Kubernetes API: {error}; it begins with {begin!r}"
        raise NoAnswer(
            GapKind.UNREADABLE, what, "check the server's URL and what stands before it"
        ) from error


def _line(body: bytes) -> bytes:
    """A JSON document on one line: a line break outside of strings is only a blank, inside there is none."""
    return body.strip().replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"

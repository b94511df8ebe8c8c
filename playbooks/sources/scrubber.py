"""Stands between a live cluster and everything else, and lets no secret pass."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import replace

from playbooks.model.answer import End, Gap, GapKind, Source
from playbooks.model.request import ApiPath, Objects, Request
from playbooks.sources.redaction import redacted_objects, redacted_text, secrets_in
from playbooks.sources.stream import Before, Closing, Piece

LONG_LINE = 64 * 1024
TAIL = 4 * 1024
KEY_LIMIT = 16 * 1024

_SECRETS_PATH = re.compile(r"/secrets(?:[/?#]|$)")
_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


class Scrubber(Before):
    """A source without secrets: Secrets are refused, and what is secret elsewhere is replaced."""

    def __init__(self, source: Source, kubectl: str = "kubectl") -> None:
        """`source` is asked; `kubectl` begins the commands in gaps."""
        super().__init__(source)
        self._kubectl = kubectl

    async def open(self, request: Request, look: int) -> AsyncGenerator[Piece, None]:
        """Yield the answer's chunks without secrets, then exactly one `End` or `Gap`."""
        if _is_for_secrets(request):
            shown = request.command(self._kubectl)
            yield Gap(
                GapKind.FORBIDDEN, "Secrets are never read", shown, "look at it by hand", taken_at=self.now
            )
            return
        text: _Documents | _Text = _Documents() if isinstance(request, Objects) else _Text()
        async with Closing(self._source.open(request, look)) as pieces:
            async for piece in pieces:
                if isinstance(piece, bytes):
                    if clean := text.feed(piece):
                        yield clean
                    continue
                if rest := text.rest():
                    yield rest
                yield _clean_end(piece)


def _is_for_secrets(request: Request) -> bool:
    if isinstance(request, Objects):
        return request.resource.plural == "secrets" and not request.resource.group
    return isinstance(request, ApiPath) and _SECRETS_PATH.search(request.path) is not None


def _clean_end(piece: End | Gap) -> End | Gap:
    if isinstance(piece, Gap):
        return replace(piece, detail=_clean(piece.detail), remedy=_clean(piece.remedy))
    return replace(piece, stderr=redacted_text(piece.stderr)) if piece.stderr else piece


def _clean(words: str) -> str:
    return redacted_text(words.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


class _Documents:
    """JSON documents, one a line."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """All whole documents so far."""
        data = self._held + chunk if self._held else chunk
        cut = data.rfind(b"\n") + 1
        self._held = data[cut:]
        return redacted_objects(data[:cut] if self._held else data) if cut else b""

    def rest(self) -> bytes:
        """What came after the last line break."""
        held, self._held = self._held, b""
        return redacted_objects(held)


class _Text:
    """Lines of a log or of an output; only an unfinished line is held back, and a very long one is cut."""

    def __init__(self) -> None:
        self._held = b""
        self._is_json: bool | None = None

    def feed(self, chunk: bytes) -> bytes:
        """All whole lines so far."""
        data = self._held + chunk if self._held else chunk
        if self._is_json is None and (first := data.lstrip()[:1]):
            self._is_json = first in b"{["
        cut = _before_key(data, data.rfind(b"\n") + 1)
        if len(data) - cut > LONG_LINE:
            cut = self._within_line(data)
        self._held = data[cut:]
        return redacted_text(data[:cut], bool(self._is_json)) if cut else b""

    def _within_line(self, data: bytes) -> int:
        """Where a long line may be cut: behind a comma, where no name is parted from its value."""
        cut = len(data) - TAIL
        cut = data.rfind(b",", 0, cut) + 1 or cut
        for begin, _, end in reversed(secrets_in(data, bool(self._is_json))):
            if begin < cut < end:
                cut = begin
        return cut

    def rest(self) -> bytes:
        """What came after the last line break."""
        held, self._held = self._held, b""
        return redacted_text(held, bool(self._is_json))


def _before_key(data: bytes, cut: int) -> int:
    """Where to cut so that a private key, which is several lines, stays in one piece."""
    at = data.rfind(b"PRIVATE KEY-----", 0, cut)
    if at < 0 or cut - at > KEY_LIMIT:
        return cut
    begins = [match.start() for match in _KEY_BEGIN.finditer(data, max(0, at - 64), cut)]
    return begins[-1] if begins and b"-----END" not in data[begins[-1] : cut] else cut

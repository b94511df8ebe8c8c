"""A recorded cluster with chosen changes: log lines put in, objects changed, evidence taken away.

    cluster = edited(source("healthy"), log_lines('level=fatal msg="…"', container="cilium-agent"))
    cluster = edited(source("healthy"), each("nodes", not_ready), gap(command("cilium-dbg", "status")))

Edits apply in their order, to answers and to gaps; several may change one answer.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from playbooks.model.answer import Answer, End, Gap, GapKind, Source, answer
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request
from playbooks.sources.stream import Before

Which = Callable[[Request], bool]
"""Chooses requests."""

Edit = Callable[[Request, int, Answer | Gap], Answer | Gap]
"""Gives another answer for a request in a look."""

Object = dict[str, Any]


class Edited(Before):
    """A source whose answers pass through edits."""

    def __init__(self, source: Source, edits: tuple[Edit, ...]) -> None:
        super().__init__(source)
        self._edits = edits

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        told = await answer(self._source, request, look)
        for edit in self._edits:
            told = edit(request, look, told)
        if isinstance(told, Gap):
            yield told
            return
        if told.body:
            yield told.body
        yield told.end


def edited(source: Source, *edits: Edit) -> Edited:
    """A source that answers like another one, but for the edits."""
    return Edited(source, edits)


# Which requests


def everything(request: Request) -> bool:
    return True


def of(plural: str, namespace: str = "") -> Which:
    """Lists and gets of a kind of objects, such as `pods`; of one namespace if given."""

    def chosen(request: Request) -> bool:
        if not isinstance(request, Objects) or request.resource.plural != plural:
            return False
        return not namespace or request.namespace == namespace

    return chosen


def command(*argv: str, node: str = "") -> Which:
    """Agent commands that begin with these words, on one node if given; without words, all of them."""

    def chosen(request: Request) -> bool:
        if not isinstance(request, AgentCommand) or request.argv[: len(argv)] != argv:
            return False
        return not node or request.node_name == node

    return chosen


def log(container: str = "", pod: str = "", *, previous: bool | None = None) -> Which:
    """Logs of a container, of pods whose name begins with `pod`; current and previous, or one of them."""

    def chosen(request: Request) -> bool:
        if not isinstance(request, ContainerLog) or not request.pod.startswith(pod):
            return False
        return container in ("", request.container) and previous in (None, request.is_previous)

    return chosen


def path(start: str) -> Which:
    """Reads of API paths that begin so."""
    return lambda request: isinstance(request, ApiPath) and request.path.startswith(start)


# What becomes of them


def body(which: Which, change: Callable[[bytes], bytes]) -> Edit:
    """Change the bytes of answers; gaps stay."""

    def edit(request: Request, look: int, told: Answer | Gap) -> Answer | Gap:
        if isinstance(told, Gap) or not which(request):
            return told
        return replace(told, body=change(told.body))

    return edit


def answered(which: Which, bytes_: bytes, exit_code: int = 0, stderr: bytes = b"") -> Edit:
    """Answer so, whatever was there; a gap becomes an answer at the time at which it was tried."""

    def edit(request: Request, look: int, told: Answer | Gap) -> Answer | Gap:
        if not which(request):
            return told
        if isinstance(told, Gap):
            if told.taken_at is None:
                raise LookupError(f"not recorded, so its time is not known: {request.command()}")
            end = End(request.command(), f"{request.node or 'API server'} (edited)", told.taken_at, 0.1)
        else:
            end = told.end
        return Answer(request, bytes_, replace(end, exit_code=exit_code, stderr=stderr, is_truncated=False))

    return edit


def log_lines(
    *lines: str, container: str = "cilium-agent", pod: str = "", previous: bool = False, at_end: bool = True
) -> Edit:
    """Put verbatim lines at the end (or the beginning) of a container's log; of its previous log if asked.

    A previous log that does not exist becomes one with only these lines.
    """
    inserted = "".join(f"{line}\n" for line in lines).encode()
    which = log(container, pod, previous=previous)

    def edit(request: Request, look: int, told: Answer | Gap) -> Answer | Gap:
        if not which(request):
            return told
        if isinstance(told, Gap):
            return answered(everything, inserted)(request, look, told) if previous else told
        kept = told.body if told.body.endswith(b"\n") or not told.body else told.body + b"\n"
        return replace(told, body=kept + inserted if at_end else inserted + told.body)

    return edit


def each(plural: str, change: Callable[[Object], Object | None]) -> Edit:
    """Change every object of a kind, in lists and alone; None takes it out (alone: the gap *not found*).

    `change` may alter the object that it is given and return it.
    """
    which = of(plural)

    def edit(request: Request, look: int, told: Answer | Gap) -> Answer | Gap:
        if isinstance(told, Gap) or not which(request):
            return told
        documents = [_changed(json.loads(line), change) for line in told.body.splitlines() if line.strip()]
        if None in documents:
            return Gap(
                GapKind.NOT_FOUND, f"{plural} not found", request.command(), taken_at=told.end.taken_at
            )
        return replace(told, body=b"".join(json.dumps(document).encode() + b"\n" for document in documents))

    return edit


def added(plural: str, *objects: Object) -> Edit:
    """Put objects at the end of every list of a kind."""

    def change(bytes_: bytes) -> bytes:
        page = json.loads(bytes_)
        page["items"] += objects
        return json.dumps(page).encode() + b"\n"

    return body(lambda request: of(plural)(request) and not getattr(request, "name", ""), change)


def gap(which: Which, kind: GapKind = GapKind.FORBIDDEN, detail: str = "taken away by the test") -> Edit:
    """Turn answers into a gap."""

    def edit(request: Request, look: int, told: Answer | Gap) -> Answer | Gap:
        if not which(request):
            return told
        taken_at = told.taken_at if isinstance(told, Gap) else told.end.taken_at
        return Gap(kind, detail, request.command(), "", request.node, taken_at)

    return edit


def in_look(number: int, edit: Edit) -> Edit:
    """Apply an edit in one look only."""
    return lambda request, look, told: edit(request, look, told) if look == number else told


def _changed(document: Object, change: Callable[[Object], Object | None]) -> Object | None:
    if not document.get("kind", "").endswith("List"):
        return change(document)
    kept = [changed for item in document["items"] or () if (changed := change(item)) is not None]
    return {**document, "items": kept}

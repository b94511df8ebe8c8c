"""The world as a source: asked in process, with the bytes that the servers would send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request
from playbooks.practice import answering, commands, discovery
from playbooks.practice.answering import NoContainer, Silence
from playbooks.practice.commands.following import Following
from playbooks.practice.objects import Json
from playbooks.practice.refusals import Refused
from playbooks.practice.world import World

PAGE = 500
"""Objects in a page, as clients ask for them."""

_KINDS = {403: GapKind.FORBIDDEN, 404: GapKind.NOT_FOUND}


class WorldSource:
    """A `Source` over a world; nothing sleeps, a pause moves the world's clock."""

    def __init__(self, world: World, name: str = "practice") -> None:
        """`name` is the cluster's name as a person knows it."""
        self.world = world
        self._name = name

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self._name

    @property
    def now(self) -> datetime:
        """The world's clock."""
        return self.world.now

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        """Yield the answer's chunks, then how it ended; every look asks the world anew."""
        del look
        try:
            chunks, end = self._answer(request)
        except Refused as refusal:
            yield self._gap(
                request, _KINDS.get(refusal.code, GapKind.FAILED), refusal.message, _remedy(refusal)
            )
            return
        for chunk in chunks:
            yield chunk
        yield end

    async def pause(self, seconds: float) -> None:
        """Let the world's time pass."""
        self.world.advance(seconds)

    async def close(self) -> None:
        """Nothing is held."""

    def _answer(self, request: Request) -> tuple[list[bytes], End | Gap]:
        if isinstance(request, Objects):
            return self._objects(request), self._end(request, "API server")
        if isinstance(request, ContainerLog):
            return [self._log(request)], self._end(
                request, f"{request.node}/{request.namespace}/{request.pod}"
            )
        if isinstance(request, AgentCommand):
            return self._command(request)
        return [self._path(request)], self._end(request, "API server")

    def _objects(self, request: Objects) -> list[bytes]:
        resource = request.resource
        kind = answering.kind_at(self.world, resource.group, resource.version, resource.plural)
        if request.name:
            item = answering.one(self.world, kind, resource.version, request.namespace, request.name)
            return [answering.encoded(item) + b"\n"]
        query = {"labelSelector": request.labels, "fieldSelector": request.fields, "limit": str(PAGE)}
        pages = []
        while True:
            page: Json = answering.page(self.world, kind, resource.version, request.namespace, query)
            pages.append(answering.encoded(page) + b"\n")
            if "continue" not in page["metadata"]:
                return pages
            query["continue"] = page["metadata"]["continue"]

    def _log(self, request: ContainerLog) -> bytes:
        query = {"container": request.container, "tailLines": str(request.tail)}
        if request.is_previous:
            query["previous"] = "true"
        if request.since_seconds:
            query["sinceSeconds"] = str(request.since_seconds)
        lines = answering.log(self.world, request.namespace, request.pod, query)
        return answering.log_bytes(lines, with_times=False)

    def _command(self, request: AgentCommand) -> tuple[list[bytes], End | Gap]:
        ran = answering.execute(self.world, request.namespace, request.pod, request.container, request.argv)
        if isinstance(ran, (Silence, Following)):
            return [], self._gap(request, GapKind.TIMED_OUT, f"{request.pod} did not answer in time")
        if isinstance(ran, NoContainer):
            return [], self._gap(request, GapKind.NOT_RUNNING, f"{ran.message} in {request.pod}")
        if isinstance(ran, commands.NoProgram):
            return [], self._gap(request, GapKind.NOT_FOUND, ran.message)
        where = f"{request.node}/{request.namespace}/{request.pod}"
        end = self._end(request, where, exit_code=ran.exit_code, stderr=ran.stderr)
        return ([ran.stdout] if ran.stdout else []), end

    def _path(self, request: ApiPath) -> bytes:
        answer = discovery.document(self.world, request.path.partition("?")[0])
        return answer.encode() if isinstance(answer, str) else answering.encoded(answer)

    def _end(self, request: Request, where: str, exit_code: int = 0, stderr: bytes = b"") -> End:
        return End(request.command(), where, self.now, 0.0, exit_code, stderr)

    def _gap(self, request: Request, kind: GapKind, detail: str, remedy: str = "") -> Gap:
        return Gap(kind, detail, request.command(), remedy, request.node, self.now)


def _remedy(refusal: Refused) -> str:
    return "ask for a role that permits it" if refusal.code == 403 else ""

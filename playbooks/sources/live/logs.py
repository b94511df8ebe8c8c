"""Container logs, as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import quote

from playbooks.model.request import ContainerLog
from playbooks.sources.live.transport import Transport


async def log(transport: Transport, request: ContainerLog) -> AsyncGenerator[bytes, None]:
    """The log in pieces. Raises `Refused`, `NoAnswer`."""
    path = f"/api/v1/namespaces/{quote(request.namespace, safe='')}/pods/{quote(request.pod, safe='')}/log"
    query = [("container", request.container), ("tailLines", str(request.tail))]
    if request.is_previous:
        query.append(("previous", "true"))
    if request.since_seconds:
        query.append(("sinceSeconds", str(request.since_seconds)))
    async with transport.stream(path, query) as pieces:
        async for piece in pieces:
            yield piece

"""What is known of the agents' images: which programs they lack, which commands their version lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from playbooks.model.request import AgentCommand
from playbooks.sources.live.status import NoAnswer, Refused
from playbooks.sources.live.transport import Transport

TIMEOUT = "timeout"


@dataclass(slots=True)
class Image:
    """What was learned about one image."""

    lacks: set[str] = field(default_factory=set)
    """Programs that are not in it."""
    unknown: set[tuple[str, ...]] = field(default_factory=set)
    """Commands that its version does not know."""

    @property
    def has_timeout(self) -> bool:
        """Whether a command can be given a time limit inside the container."""
        return TIMEOUT not in self.lacks


class _ContainerStatus(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    image_id: str = msgspec.field(default="", name="imageID")
    image: str = ""


class _PodStatus(msgspec.Struct, frozen=True, rename="camel"):
    container_statuses: list[_ContainerStatus] | None = None


class _Pod(msgspec.Struct, frozen=True):
    status: _PodStatus = _PodStatus()


_pod = msgspec.json.Decoder(_Pod)


class Images:
    """Remembers images; asks which image a pod runs only once some image turned out to lack something."""

    def __init__(self, transport: Transport) -> None:
        """Pods are looked up over `transport`."""
        self._transport = transport
        self._images: dict[str, Image] = {}
        self._image_of: dict[tuple[str, str, str], str] = {}

    async def known(self, request: AgentCommand) -> Image:
        """What is known of the image that will run the command."""
        if not self._images:
            return Image()
        return await self.learning(request)

    async def learning(self, request: AgentCommand) -> Image:
        """The same, to be added to."""
        key = (request.namespace, request.pod, request.container)
        name = self._image_of.get(key)
        if name is None:
            name = self._image_of[key] = await self._ask(request)
        return self._images.setdefault(name, Image())

    async def _ask(self, request: AgentCommand) -> str:
        # A pod that cannot be read stands for an image of its own: then each pod is found out about alone.
        own = f"pod {request.namespace}/{request.pod}/{request.container}"
        path = f"/api/v1/namespaces/{quote(request.namespace, safe='')}/pods/{quote(request.pod, safe='')}"
        try:
            pod = _pod.decode(await self._transport.read(path))
        except (Refused, NoAnswer, msgspec.DecodeError, UnicodeDecodeError):
            return own
        for status in pod.status.container_statuses or ():
            if status.name == request.container:
                return status.image_id or status.image or own
        return own

"""The API server, asked from a thread of its own: lists, the one Secret, commands and forwards for Hubble."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, Protocol, TypeVar

import msgspec

from playbooks.model.answer import Gap, GapKind
from playbooks.model.request import ApiPath, Objects
from playbooks.sources.access import Access
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.live.images import Images
from playbooks.sources.live.lists import objects
from playbooks.sources.live.patience import Patience
from playbooks.sources.live.status import NoAnswer, Refused, no_answer
from playbooks.sources.live.transport import Transport

T = TypeVar("T")
"""What is asked for."""


class Closing(Protocol):
    """Something open on the loop."""

    async def close(self) -> None:
        """Let go of it."""


class Api:
    """One transport on one loop in one thread, begun when it is first needed."""

    def __init__(self, access: Access, patience: Patience | None = None) -> None:
        """Opens nothing; `patience.dump` limits how long a command may be followed."""
        self.access = access
        self._patience = patience or Patience.of(access.options)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._transport: Transport | None = None
        self._images: Images | None = None
        self._held: set[Closing] = set()

    @property
    def transport(self) -> Transport:
        """To be used on the loop only."""
        assert self._transport is not None
        return self._transport

    @property
    def images(self) -> Images:
        """What is known of images; to be used on the loop only."""
        assert self._images is not None
        return self._images

    def run(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run something on the loop and wait for it. Raises `Broken`."""
        try:
            return asyncio.run_coroutine_threadsafe(ask(), self._started()).result()
        except NoAnswer as error:
            raise broken_by(error) from error
        except concurrent.futures.CancelledError as error:
            gap = Gap(GapKind.UNREACHABLE, "the connection to the API server was closed")
            raise Broken(gap, is_final=True) from error

    def begin(self, ask: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
        """Let something run on the loop; what ends it, from any thread."""
        return asyncio.run_coroutine_threadsafe(ask(), self._started()).cancel

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._transport = Transport(self.access, self._patience)
                self._images = Images(self._transport)
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop,), name="hubble", daemon=True
                )
                self._thread.start()
            return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(self._end())
        loop.close()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in self._held), return_exceptions=True)
        self._held.clear()
        await self.transport.close()

    def hold(self, one: Closing) -> None:
        """Close this before the connection to the API server, at the latest."""
        self._held.add(one)

    def release(self, one: Closing) -> None:
        """Close this now, unless it is done already."""

        async def close() -> None:
            if one in self._held:
                self._held.discard(one)
                await one.close()

        with contextlib.suppress(Broken):
            if self._loop is not None:
                self.run(close)

    def close(self) -> None:
        """End the thread and all that runs in it."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join(2.0)

    async def items(self, request: Objects, kind: type[T]) -> list[T]:
        """A list, or the one object named. Raises `NoAnswer`; on the loop only."""
        page = msgspec.json.Decoder(_page_of(kind))
        found: list[T] = []
        try:
            async with aclosing(objects(self.transport, request)) as pieces:
                async for piece in pieces:
                    if request.name:
                        found.append(msgspec.json.decode(piece, type=kind))
                    else:
                        found.extend(page.decode(piece).items or ())
        except Refused as refused:
            raise no_answer(request, refused) from refused
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = f"{request.command()} gave something else than {request.resource.plural}: {error}"
            raise NoAnswer(GapKind.UNREADABLE, what) from error
        return found


def _page_of(kind: type[T]) -> Any:
    return msgspec.defstruct("Page", [("items", list[kind] | None, None)])  # type: ignore[valid-type]


def broken_by(error: NoAnswer) -> Broken:
    """An answer that was not given, as the end of a try: what is refused or missing stays so."""
    is_final = error.kind not in (GapKind.UNREACHABLE, GapKind.TIMED_OUT)
    return Broken(Gap(error.kind, error.detail, remedy=error.remedy), is_final=is_final)


def refused_by(path: str, refused: Refused, role: str) -> NoAnswer:
    """A refusal of a subresource, and the role to ask for."""
    error = no_answer(ApiPath(path), refused)
    is_role = error.kind is GapKind.FORBIDDEN and refused.code == 403
    return NoAnswer(error.kind, error.detail, role if is_role else error.remedy)

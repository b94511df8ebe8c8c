"""The servers of a practice cluster, on a thread and loop of their own, for as long as they are needed."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tui.commands.trouble import CANNOT_CONNECT, Trouble

if TYPE_CHECKING:
    from playbooks.practice.serving import Serving
    from playbooks.practice.world import World

_ENDING = 5.0
"""Seconds that the servers may take to end."""


class PracticeServer:
    """Serves a world while entered."""

    def __init__(self, world: World) -> None:
        """Nothing is started yet."""
        self._world = world
        self._started: Future[Serving] = Future()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="practice", daemon=True)

    def __enter__(self) -> Self:
        """Start to start; `serving` waits until it is done."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End the servers and remove their folder."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(_ENDING)

    @property
    def serving(self) -> Serving:
        """The servers, once they listen. Raises `Trouble`."""
        try:
            return self._started.result()
        except OSError as error:
            what = f"the practice cluster cannot be served: {error.strerror or error}"
            raise Trouble(what, "loopback, or the folder for temporary files", "", CANNOT_CONNECT) from error

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001  whoever waits for the servers must hear of it
            if not self._started.done():
                self._started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        from playbooks.practice.serving import serve

        with tempfile.TemporaryDirectory(prefix="hg-") as folder:
            async with serve(self._world, Path(folder)) as serving:
                self._started.set_result(serving)
                await self._end.wait()

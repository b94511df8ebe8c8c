"""Credentials that run out while we work: renewed once for all who wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from playbooks.model.answer import GapKind
from playbooks.sources.access import Access, CannotConnect
from playbooks.sources.live.status import NoAnswer


class Renewal:
    """The way in that is in use."""

    def __init__(self, access: Access, pause: float) -> None:
        """`pause` is the least time between two renewals, in seconds."""
        self.access = access
        self._pause = pause
        self._next_at = 0.0
        self._running: asyncio.Task[NoAnswer | None] | None = None

    async def current(self) -> Access:
        """The way in, renewed if it knows itself to be too old. Raises `NoAnswer`."""
        if self.access.is_expired(datetime.now(UTC)):
            await self.renewed(self.access)
        return self.access

    async def renewed(self, refused: Access) -> bool:
        """Renew what was refused; False when there is nothing to renew or it was tried just now.

        Raises `NoAnswer` when the renewal itself fails.
        """
        if refused.credentials.is_absent:
            return False
        if self.access is not refused:
            return True
        if self._running is None:
            if time.monotonic() < self._next_at:
                return False
            self._next_at = time.monotonic() + self._pause
            self._running = asyncio.create_task(self._renew(refused))
        # Who waits may run out of time; the login of a slow plug-in is kept for those who come after.
        if error := await asyncio.shield(self._running):
            raise error
        return True

    async def _renew(self, refused: Access) -> NoAnswer | None:
        try:
            self.access = await _in_thread(refused.refreshed)
        except CannotConnect as error:
            what = f"the credentials have expired and cannot be renewed: {error.what} ({error.where})"
            return NoAnswer(GapKind.FORBIDDEN, what, error.remedy)
        finally:
            self._running = None
        return None

    def close(self) -> None:
        """Stop waiting for a renewal."""
        if self._running is not None:
            self._running.cancel()


async def _in_thread(call: Callable[[], Access]) -> Access:
    """Run `call` in a thread that never keeps the program from ending, unlike those of an executor."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Access] = loop.create_future()

    def settle(result: Access | CannotConnect) -> None:
        if done.cancelled():
            return
        if isinstance(result, Access):
            done.set_result(result)
        else:
            done.set_exception(result)

    def run() -> None:
        try:
            result: Access | CannotConnect = call()
        except CannotConnect as error:
            result = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name="credentials", daemon=True).start()
    return await done

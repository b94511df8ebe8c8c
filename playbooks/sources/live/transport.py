"""One HTTP session for everything: credentials, time limits, retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote_plus

import aiohttp
from yarl import URL

from playbooks.model.answer import GapKind
from playbooks.sources.access import Access
from playbooks.sources.live.faults import FAULTS, fault_of
from playbooks.sources.live.patience import Patience, Pressure
from playbooks.sources.live.renewal import Renewal
from playbooks.sources.live.status import NoAnswer, Refused

Query = Sequence[tuple[str, str]]
"""Parameters of a URL; a name may come more than once."""

BUSY = frozenset({429, 500, 502, 503, 504})
"""Answers of a busy or failing API server: worth another try."""
BUSY_NODE = BUSY - {500}
"""The same where the answer may come from a kubelet, whose 500 says that it cannot do what was asked."""

READ_LIMIT = 128 * 1024 * 1024
REFUSAL_LIMIT = 64 * 1024
MESSAGE_LIMIT = 16 * 1024 * 1024

T = TypeVar("T")
"""What an attempt yields."""

# A thousand agents are asked the same few words.
_quoted = lru_cache(4096)(quote_plus)


class Transport:
    """Sends requests over one session; every failure is `Refused` or `NoAnswer`."""

    def __init__(self, access: Access, patience: Patience) -> None:
        """Nothing is opened before the first request."""
        self.patience = patience
        self.pressure: Pressure | None = None
        self._session: aiohttp.ClientSession | None = None
        self._faults: tuple[type[BaseException], ...] = FAULTS
        self._renewal = Renewal(access, patience.renewal)

    @property
    def access(self) -> Access:
        """The way in, with the credentials in use."""
        return self._renewal.access

    async def read(self, path: str, query: Query = (), post: bytes | None = None, tries: int = 0) -> bytes:
        """The whole body, with as many tries as usual unless said. Raises `Refused`, `NoAnswer`."""
        seconds = self.patience.page

        async def attempt(access: Access) -> bytes:
            async with self._request(access, path, query, post) as response:
                return await _whole(response)

        try:
            async with asyncio.timeout(seconds):
                return await self._tried(attempt, BUSY, time.monotonic() + seconds, tries)
        except TimeoutError as error:
            raise NoAnswer(
                GapKind.TIMED_OUT, f"the API server did not answer within {seconds:g} s"
            ) from error

    @asynccontextmanager
    async def stream(self, path: str, query: Query) -> AsyncIterator[AsyncIterator[bytes]]:
        """A body in pieces. Raises `Refused`, `NoAnswer`."""
        seconds = self.patience.page

        async def attempt(access: Access) -> aiohttp.ClientResponse:
            return await self._request(access, path, query, None, silence=seconds)

        response = await self._tried(attempt, BUSY_NODE, time.monotonic() + seconds)
        try:
            yield self._pieces(response)
        finally:
            response.close()

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for piece in response.content.iter_any():
                size += len(piece)
                yield piece
        except TimeoutError as error:
            what = f"nothing more came for {self.patience.page:g} s, after {size} bytes"
            raise NoAnswer(GapKind.TIMED_OUT, what) from error
        except self._faults as error:
            raise NoAnswer(
                GapKind.UNREACHABLE, f"the answer broke off after {size} bytes", "ask again"
            ) from error

    async def upgrade(
        self, path: str, query: Query, protocols: Sequence[str], deadline: float
    ) -> aiohttp.ClientWebSocketResponse:
        """A websocket, opened before `deadline` (monotonic). Raises `Refused`, `NoAnswer`, `TimeoutError`."""

        async def attempt(access: Access) -> aiohttp.ClientWebSocketResponse:
            return await self._open().ws_connect(
                self._url(access, path, query),
                protocols=protocols,
                headers=access.headers,
                proxy=self._http_proxy(access),
                ssl=access.credentials.tls or True,
                # Who closes has got all that matters; waiting for the other side only costs time.
                timeout=aiohttp.ClientWSTimeout(ws_close=0.0),
                max_msg_size=MESSAGE_LIMIT,
            )

        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            return await self._tried(attempt, BUSY_NODE, deadline)

    async def close(self) -> None:
        """Close the session."""
        self._renewal.close()
        if self._session is not None:
            await self._session.close()

    async def _tried(
        self,
        attempt: Callable[[Access], Awaitable[T]],
        busy: frozenset[int],
        deadline: float,
        tries: int = 0,
    ) -> T:
        """Try until it works, until it is plain that it will not, or until time or tries are used up."""
        is_renewed = False
        pause = self.patience.first_pause
        for left in range(tries or self.patience.tries, 0, -1):
            access = await self._renewal.current()
            wanted: float | None = None
            try:
                try:
                    return await attempt(access)
                except Refused as refused:
                    if refused.code != 401 or is_renewed or not await self._renewal.renewed(access):
                        raise
                    is_renewed = True
                    return await attempt(self.access)
            except Refused as refused:
                if refused.code not in busy:
                    raise
                self._press(f"HTTP {refused.code}")
                wanted = refused.retry_after
                if left == 1 or time.monotonic() + max(pause, wanted or 0.0) > deadline:
                    raise
            except self._faults as error:
                fault = fault_of(error, access)
                if not fault.is_transient or left == 1 or time.monotonic() + pause > deadline:
                    raise fault.no_answer() from error
            await asyncio.sleep(min(max(pause, wanted or 0.0), self.patience.longest_pause))
            pause *= 2
        raise AssertionError("tries is at least one")

    def _press(self, reason: str) -> None:
        if self.pressure is not None:
            self.pressure(reason)

    def _request(
        self, access: Access, path: str, query: Query, post: bytes | None, silence: float | None = None
    ) -> aiohttp.client._RequestContextManager:
        headers = [*access.headers, ("Accept", "application/json, */*")]
        if post is not None:
            headers.append(("Content-Type", "application/json"))
        return self._open().request(
            "GET" if post is None else "POST",
            self._url(access, path, query),
            data=post,
            headers=headers,
            proxy=self._http_proxy(access),
            ssl=access.credentials.tls or True,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=self.patience.connect, sock_read=silence),
        )

    @staticmethod
    def _url(access: Access, path: str, query: Query) -> URL:
        words = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in query])
        return URL(f"{access.server}{path}{'?' if query else ''}{words}", encoded=True)

    @staticmethod
    def _http_proxy(access: Access) -> str | None:
        return access.proxy if access.proxy.startswith("http") else None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                headers={"User-Agent": "honeyguide"},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.patience.connect),
                raise_for_status=_refuse,
            )
        return self._session

    def _connector(self) -> aiohttp.TCPConnector:
        # Who asks bounds how much is asked; a second limit here would only hide waiting.
        if not self.access.proxy.startswith("socks"):
            return aiohttp.TCPConnector(limit=0)
        import aiohttp_socks

        self._faults = (
            *FAULTS,
            aiohttp_socks.ProxyError,
            aiohttp_socks.ProxyConnectionError,
            aiohttp_socks.ProxyTimeoutError,
        )
        url = self.access.proxy.replace("socks5h://", "socks5://", 1)
        connector: aiohttp.TCPConnector = aiohttp_socks.ProxyConnector.from_url(url, limit=0, rdns=True)
        return connector


async def _refuse(response: aiohttp.ClientResponse) -> None:
    """Turn every answer but the good ones into `Refused`, with its body, also for websockets."""
    is_upgrade = "Upgrade" in response.request_info.headers
    if response.status == 101 if is_upgrade else 200 <= response.status < 300:
        return
    body = b""
    while len(body) < REFUSAL_LIMIT and (piece := await response.content.read(REFUSAL_LIMIT)):
        body += piece
    response.close()
    raise Refused(
        response.status,
        body[:REFUSAL_LIMIT],
        _seconds(response.headers.get("Retry-After", "")),
        response.headers.get("Location", "")[:200],
    )


def _seconds(retry_after: str) -> float | None:
    if retry_after.isdecimal():
        return float(retry_after[:6])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > READ_LIMIT:
            what = f"the answer is larger than {READ_LIMIT // 1024 // 1024} MiB"
            raise NoAnswer(GapKind.TOO_LARGE, what, "ask for less at once")
        pieces.append(piece)
    return b"".join(pieces)

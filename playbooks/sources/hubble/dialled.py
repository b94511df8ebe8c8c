"""The first rung: a server that somebody named."""

from __future__ import annotations

import ssl
import threading

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.hubble.dial import Target, handshake
from playbooks.sources.hubble.events import Rung
from playbooks.sources.hubble.feed import Feed, GrpcFeed
from playbooks.sources.hubble.wish import Wish


class Dialled:
    """Hubble at an address."""

    rung = Rung.SERVER
    is_dear = False

    def __init__(self, target: Target, *, is_fast: bool = True) -> None:
        """Nothing is opened yet; `is_fast` reads streams ourselves instead of by the library."""
        self._target = target
        self._is_fast = is_fast

    def open(self, wish: Wish, stop: threading.Event) -> Feed:  # noqa: ARG002
        """Dial. Raises `Broken`."""
        return GrpcFeed(
            self._target, wish, lambda error: diagnosed(error, self._target), is_fast=self._is_fast
        )

    def close(self) -> None:
        """There is nothing to close."""


def diagnosed(error: Broken, target: Target) -> Broken:
    """Why a connection closes without a word: gRPC tells neither a missing certificate nor a missing TLS."""
    if "Socket closed" not in error.gap.detail and "reset" not in error.gap.detail:
        return error
    if not target.is_tls:
        if not _speaks_tls(target):
            return error
        gap = Gap(
            GapKind.UNREACHABLE,
            f"{target.shown} speaks TLS",
            remedy="begin the server with tls://, or give --tls",
        )
        return Broken(gap, is_final=True)
    if not _wants_certificate(target):
        return error
    if target.certificate:
        what = f"{target.shown} does not accept the client certificate"
        remedy = "check --tls-client-cert-file: is it signed by whom this server trusts, and still valid?"
    else:
        what = f"{target.shown} wants a client certificate"
        remedy = "give --tls-client-cert-file and --tls-client-key-file"
    return Broken(Gap(GapKind.FORBIDDEN, what, remedy=remedy), is_final=True)


def _speaks_tls(target: Target) -> bool:
    try:
        with handshake(target):
            return True
    except OSError:
        return False


def _wants_certificate(target: Target) -> bool:
    """Whether the server hangs up on who has no certificate; in TLS 1.3 only after the handshake."""
    try:
        with handshake(target) as connection:
            return connection.recv(1) == b""
    except ssl.SSLError as error:
        return "CERTIFICATE" in str(error).upper()
    except OSError:
        return False

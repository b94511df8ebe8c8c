"""The second rung: Relay, by a forward through the API server; plain, then TLS, then with certificates."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.hubble.api import Api, broken_by
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.hubble.dial import Target
from playbooks.sources.hubble.dialled import diagnosed
from playbooks.sources.hubble.events import Rung
from playbooks.sources.hubble.feed import Feed, GrpcFeed
from playbooks.sources.hubble.forward import Forward
from playbooks.sources.hubble.places import Choice, RelayPlace, client_certificates, relays
from playbooks.sources.hubble.wish import Wish

SERVER_NAME = "ui.hubble-relay.cilium.io"
"""A name that the certificate of Relay's server is for, as the charts make it."""


class Forwarded:
    """Relay behind the API server."""

    rung = Rung.RELAY
    is_dear = True

    def __init__(self, api: Api, choice: Choice | None = None, trust: Target | None = None) -> None:
        """`trust` is whom to trust and who we are where a person said so; its address is not used."""
        self._api = api
        self._choice = choice or Choice()
        self._trust = trust
        # What worked is tried first after a break.
        self._good: Target | None = None

    def open(self, wish: Wish, stop: threading.Event) -> Feed:  # noqa: ARG002
        """Find a pod, forward, dial. Raises `Broken`."""
        places = self._api.run(lambda: relays(self._api, self._choice))
        error: Broken | None = None
        for place in places:
            try:
                return self._opened(place, wish)
            except Broken as broken:
                error = broken
                if broken.is_our_fault:
                    raise
        assert error is not None
        raise error

    def _opened(self, place: RelayPlace, wish: Wish) -> Feed:
        forward = self._api.run(lambda: self._forward(place))
        try:
            return _ForwardedFeed(self._dialled(forward, place, wish), forward, self._api)
        except BaseException:
            self._api.release(forward)
            raise

    async def _forward(self, place: RelayPlace) -> Forward:
        forward = Forward(self._api.transport, place.namespace, place.pod, place.port)
        await forward.open()
        self._api.hold(forward)
        return forward

    def _dialled(self, forward: Forward, place: RelayPlace, wish: Wish) -> GrpcFeed:
        """Dial as the service says, then otherwise. Raises `Broken`."""
        seconds = self._api.transport.patience.page
        plain = Target(
            f"unix:{forward.path}", f"Relay in pod {place.namespace}/{place.pod}", seconds=min(seconds, 15.0)
        )
        if self._good is not None:
            target, self._good = replace(self._good, address=plain.address, shown=plain.shown), None
            try:
                return self._tried(forward, target, wish)
            except Broken as error:
                # A Relay that was changed meanwhile is asked as if it were new.
                if not error.is_final or error.is_our_fault:
                    raise
        first, second = plain, self._secured(plain)
        if place.is_tls:
            first, second = second, first
        try:
            return self._tried(forward, first, wish)
        except Broken as error:
            if not _is_about_tls(error):
                raise
        try:
            return self._tried(forward, second, wish)
        except Broken as error:
            if error.gap.kind is not GapKind.FORBIDDEN or (self._trust and self._trust.certificate):
                raise
        return self._tried(forward, self._with_certificates(self._secured(plain), place), wish)

    def _tried(self, forward: Forward, target: Target, wish: Wish) -> GrpcFeed:
        def diagnose(error: Broken) -> Broken:
            if forward.trouble is not None:
                return broken_by(forward.trouble)
            return diagnosed(error, target)

        forward.trouble = None
        feed = GrpcFeed(target, wish, diagnose)
        self._good = target
        return feed

    def _secured(self, target: Target) -> Target:
        """With TLS: whom a person said to trust, or else the pod to which the API server forwards."""
        trust = self._trust
        if trust is None or (trust.authorities is None and trust.certificate is None):
            return replace(target, is_tls=True, takes_any=True)
        return replace(
            target,
            is_tls=True,
            server_name=trust.server_name or SERVER_NAME,
            authorities=trust.authorities,
            certificate=trust.certificate,
            key=trust.key,
            takes_any=trust.takes_any,
        )

    def _with_certificates(self, target: Target, place: RelayPlace) -> Target:
        """With what the Secret holds, read now and kept in memory only. Raises `Broken`."""
        try:
            found = self._api.run(lambda: client_certificates(self._api, place.namespace))
        except Broken as error:
            what = f"Relay wants a client certificate, and {error.gap.detail}"
            remedy = "give --tls-client-cert-file, --tls-client-key-file and --tls-ca-cert-files"
            raise Broken(Gap(error.gap.kind, what, remedy=remedy), is_final=True) from error
        return replace(
            target,
            takes_any=False,
            server_name=target.server_name or SERVER_NAME,
            authorities=found.authority,
            certificate=found.certificate,
            key=found.key,
        )

    def close(self) -> None:
        """Forget the certificates, and end the connection to the API server."""
        self._good = None
        self._api.close()


def _is_about_tls(error: Broken) -> bool:
    return (
        "speaks TLS" in error.gap.detail
        or "not speak TLS" in error.gap.detail
        or "TLS handshake" in error.gap.detail
    )


class _ForwardedFeed:
    """A feed that ends its forward with itself."""

    def __init__(self, feed: GrpcFeed, forward: Forward, api: Api) -> None:
        self._feed = feed
        self._forward = forward
        self._api = api
        self._is_closed = False
        self.detail = feed.detail

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._feed)

    def oldest(self) -> Mapping[str, int] | None:
        return self._feed.oldest()

    def stop(self) -> None:
        self._feed.stop()

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._feed.close()
            self._api.release(self._forward)

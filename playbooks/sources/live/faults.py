"""Connections that fail: what the many exceptions mean to a person."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from playbooks.model.answer import GapKind
from playbooks.sources.access import Access
from playbooks.sources.access.proxy import without_userinfo
from playbooks.sources.live.status import NoAnswer, websockets_refused

FAULTS = (aiohttp.ClientError, OSError, TimeoutError)
"""What a failing connection raises."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed connection."""

    what: str
    """What happened."""
    remedy: str
    """What to do about it."""
    is_transient: bool = False
    """Whether trying again may help."""
    is_slow: bool = False
    """Whether it failed by taking too long."""

    def no_answer(self) -> NoAnswer:
        """As the reason why one request got no answer."""
        return NoAnswer(GapKind.TIMED_OUT if self.is_slow else GapKind.UNREACHABLE, self.what, self.remedy)


def fault_of(error: BaseException, access: Access) -> Fault:
    """What a failing connection means."""
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError)):
        return _certificate(error)
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)) or "SSL" in str(error):
        return _tls(error)
    if proxy := _proxy(error, access):
        return proxy
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        name = urlsplit(access.server).hostname
        return Fault(
            f"the name {name} is not known", "check the server's URL, DNS and VPN", is_transient=True
        )
    if isinstance(error, aiohttp.SocketTimeoutError):
        return Fault("the API server did not answer in time", "ask again; is it overloaded?", is_slow=True)
    if isinstance(error, TimeoutError):
        what = "nobody answers at the API server's address"
        return Fault(what, "check the route: VPN, firewall, the server's address")
    if isinstance(error, aiohttp.WSServerHandshakeError):
        refused = websockets_refused(error.message)
        return Fault(refused.detail, refused.remedy)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _unconnected(error.os_error)
    what = f"the connection broke off: {_words(error)}"
    return Fault(what, "ask again; look at the API server or what stands before it", is_transient=True)


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _certificate(error: BaseException) -> Fault:
    cause = getattr(error, "certificate_error", error)
    reason = getattr(cause, "verify_message", "") or _words(cause)
    if "match" in reason:
        remedy = "check the server's URL, or set tls-server-name to the name that the certificate is for"
    elif "expired" in reason or "not yet valid" in reason:
        remedy = "renew the API server's certificate, and check the clock of this machine"
    else:
        remedy = "check certificate-authority: is it this cluster's CA, or does a proxy open the connection?"
    return Fault(f"the API server's certificate is not trusted: {reason}", remedy)


def _tls(error: BaseException) -> Fault:
    # The connector's own words hold the address of a Python object.
    words = _words(error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error)
    if "WRONG_VERSION_NUMBER" in words or "HTTP_REQUEST" in words or "RECORD_LAYER" in words:
        return Fault(
            f"this port does not speak TLS: {words}", "check the port, or begin the server with http://"
        )
    if "ALERT" in words.upper():
        what = f"the API server broke off the TLS handshake: {words}"
        return Fault(what, "check the client certificate and tls-server-name; log in again")
    return Fault(f"TLS failed: {words}", "check the server's URL and what stands before it")


def _proxy(error: BaseException, access: Access) -> Fault | None:
    shown = without_userinfo(access.proxy)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        what = f"the proxy {shown} refused to connect: HTTP {error.status} {error.message}"
        return Fault(what, "check proxy-url, HTTPS_PROXY and the proxy's own rules")
    is_socks = type(error).__module__.startswith("aiohttp_socks")
    if is_socks or isinstance(error, aiohttp.ClientProxyConnectionError):
        what = f"the proxy {shown} did not connect: {_words(error)}"
        return Fault(what, "check proxy-url, HTTPS_PROXY and whether the proxy runs", is_transient=True)
    return None


def _unconnected(error: OSError) -> Fault:
    words = error.strerror or _words(error)
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return Fault(
            f"there is no route to the API server: {words}", "check VPN, routes and the server's address"
        )
    if error.errno == errno.ECONNREFUSED or f"Errno {errno.ECONNREFUSED}]" in words:
        remedy = "check that the API server runs and that the server's port is right"
        return Fault("the connection was refused: nobody listens there", remedy, is_transient=True)
    return Fault(
        f"the connection failed: {words}", "check the server's address and the network", is_transient=True
    )

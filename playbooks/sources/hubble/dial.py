"""Dialling Hubble: what is dialled, whom we trust, who we are."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.access import CannotConnect
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.hubble.settings import Settings

if TYPE_CHECKING:
    import grpc

MESSAGE_LIMIT = 64 * 1024 * 1024
"""Bytes of one message that we take; Hubble's largest are far below."""
KEEPALIVE = 310.0
"""Seconds of silence until the connection is tried; servers in Go hang up on who asks every five minutes."""
TLS_SCHEME = "tls://"


@dataclass(frozen=True, slots=True)
class Target:
    """Someone to dial."""

    address: str
    """As gRPC takes it: host:port or `unix:` and a path."""
    shown: str
    """As a person knows it."""
    is_tls: bool = False
    """Whether to use TLS."""
    server_name: str = ""
    """The name to expect in the certificate; empty for the host's."""
    authorities: bytes | None = None
    """Whom to trust, PEM; nothing for the system's."""
    certificate: bytes | None = field(default=None, repr=False)
    """Our certificate, PEM."""
    key: bytes | None = field(default=None, repr=False)
    """Its key, PEM."""
    takes_any: bool = False
    """Whether any certificate will do."""
    authorization: str = field(default="", repr=False)
    """A header of that name."""
    seconds: float = 5.0
    """That dialling may take."""


def target_of(settings: Settings) -> Target:
    """What the settings say to dial; reads certificates. Raises `CannotConnect`."""
    server, where = settings.server, settings.origin or "--server"
    is_tls = settings.tls or server.startswith(TLS_SCHEME)
    address = server.removeprefix(TLS_SCHEME)
    if address.startswith("unix://"):
        address = "unix:" + address.removeprefix("unix://")
    if not address or not address.isprintable():
        raise CannotConnect(
            "the server has no address", where, "give host:port, unix:PATH or tls://host:port"
        )
    certificate = _file(settings.tls_client_cert_file, "--tls-client-cert-file") if is_tls else None
    key = _file(settings.tls_client_key_file, "--tls-client-key-file") if is_tls else None
    if (certificate is None) is not (key is None):
        raise CannotConnect(
            "a client certificate needs its key, and a key its certificate",
            "--tls-client-cert-file",
            "give both --tls-client-cert-file and --tls-client-key-file",
        )
    return Target(
        address,
        server,
        is_tls,
        settings.tls_server_name,
        _authorities(settings.tls_ca_cert_files) if is_tls else None,
        certificate,
        key,
        settings.tls_allow_insecure,
        _basic(settings),
        settings.timeout,
    )


def _basic(settings: Settings) -> str:
    if not settings.basic_auth_username:
        return ""
    pair = f"{settings.basic_auth_username}:{settings.basic_auth_password}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _file(path: str, flag: str) -> bytes | None:
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CannotConnect(
            f"the file cannot be read: {error.strerror}", f"{flag} {path}", "check the path"
        ) from error


def _authorities(paths: Iterable[str]) -> bytes | None:
    """The system's authorities and these, as the hubble command trusts both."""
    given = []
    for path in paths:
        pem = _file(path, "--tls-ca-cert-files") or b""
        if b"BEGIN CERTIFICATE" not in pem:
            raise CannotConnect(
                "the file holds no certificate", f"--tls-ca-cert-files {path}", "give PEM files"
            )
        given.append(pem)
    if not given:
        return _system()
    return b"\n".join([*given, _system() or b""])


def _system() -> bytes | None:
    """The system's bundle, where there is one; gRPC's own otherwise."""
    path = ssl.get_default_verify_paths().cafile
    if path is None:
        return None
    with contextlib.suppress(OSError):
        return Path(path).read_bytes()
    return None


def dial(target: Target) -> grpc.Channel:
    """A channel; it connects when it is used. Raises `Broken`."""
    # Its own log goes to the terminal, which is not its own.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc
    import grpc.experimental

    options: list[tuple[str, str | int]] = [
        # Without it every message wakes a second thread: four times as dear, worse with more cores.
        (grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1),
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.keepalive_time_ms", int(KEEPALIVE * 1000)),
        ("grpc.min_reconnect_backoff_ms", int(target.seconds * 1000)),
        # Another channel's failures must not make this one wait.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.primary_user_agent", "honeyguide"),
    ]
    if not target.is_tls:
        return grpc.insecure_channel(target.address, options=options)
    authorities, name = target.authorities, target.server_name
    if target.takes_any:
        authorities, name = _pinned(target)
    if name:
        options.append(("grpc.ssl_target_name_override", name))
    credentials = grpc.ssl_channel_credentials(authorities, target.key, target.certificate)
    return grpc.secure_channel(target.address, credentials, options=options)


def _pinned(target: Target) -> tuple[bytes, str]:
    """The certificate that the server shows, to be trusted as it is, and a name that it has.

    gRPC has no way not to look at a certificate at all.
    """
    from cryptography import x509

    try:
        with handshake(target) as connection:
            certificate = connection.getpeercert(binary_form=True) or b""
    except OSError as error:
        what = f"no TLS handshake with {target.shown}: {error}"
        raise Broken(Gap(GapKind.UNREACHABLE, what, remedy="check --server and --tls")) from error
    loaded = x509.load_der_x509_certificate(certificate)
    names: list[str] = []
    with contextlib.suppress(x509.ExtensionNotFound):
        alternatives = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*alternatives.get_values_for_type(x509.DNSName)]
        names += map(str, alternatives.get_values_for_type(x509.IPAddress))
    name = names[0].replace("*", "any", 1) if names else ""
    return ssl.DER_cert_to_PEM_cert(certificate).encode(), name


@contextlib.contextmanager
def handshake(target: Target) -> Iterator[ssl.SSLSocket]:
    """A TLS connection that nobody checks, to see what the server says. Raises `OSError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        plain(target) as raw,
        context.wrap_socket(raw, server_hostname=target.server_name or None) as wrapped,
    ):
        yield wrapped


def plain(target: Target) -> socket.socket:
    """A plain connection to a target. Raises `OSError`."""
    if target.address.startswith("unix:"):
        raw = socket.socket(socket.AF_UNIX)
        raw.settimeout(target.seconds)
        raw.connect(target.address.removeprefix("unix:"))
        return raw
    return socket.create_connection(host_and_port(target.address), target.seconds)


def host_and_port(address: str) -> tuple[str, int]:
    """Where an address leads; without a port where gRPC goes then."""
    host, colon, port = address.removeprefix("dns:///").rpartition(":")
    if colon and port.isdecimal():
        return host.strip("[]"), int(port)
    return address.removeprefix("dns:///").strip("[]"), 443

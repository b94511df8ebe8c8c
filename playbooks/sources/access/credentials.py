"""Credentials: from the user section of a kubeconfig, or the pod's own account, to headers and TLS."""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import NoReturn

import msgspec

from playbooks.sources.access.kubeconfig import AuthProvider, Chosen, Placed
from playbooks.sources.access.options import CannotConnect
from playbooks.sources.access.plugin import run_plugin


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries to be let in."""

    server: str
    """URL of the API server."""
    authorization: str
    """The header of that name; empty for none."""
    tls: ssl.SSLContext | None
    """Trust, and the client certificate if there is one; nothing for plain HTTP."""
    has_certificate: bool
    """Whether there is a client certificate."""
    expires_at: datetime | None = None
    """When a plug-in must be run again."""

    @property
    def is_absent(self) -> bool:
        """Whether we would come as nobody."""
        return not self.authorization and not self.has_certificate


class _NamedContext(ssl.SSLContext):
    """Checks the certificate against `tls-server-name`, whatever host the connection goes to.

    Done here and not by an argument of the connection, because a SOCKS connector has no such argument.
    """

    expected = ""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        name = self.expected or server_hostname
        return super().wrap_bio(incoming, outgoing, server_side, name, session)


def from_kubeconfig(chosen: Chosen, environment: Mapping[str, str], plugin_seconds: float) -> Credentials:
    """The credentials of a context. Runs its plug-in. Raises `CannotConnect`."""
    user, expires_at = _user_section(chosen, environment, plugin_seconds)
    cluster = chosen.cluster
    told: dict[str, object] = {
        "server": cluster.value.server,
        "insecure-skip-tls-verify": cluster.value.insecure_skip_tls_verify,
    }
    if cluster.value.certificate_authority_data:
        told["certificate-authority-data"] = cluster.value.certificate_authority_data
    elif cluster.value.certificate_authority:
        told["certificate-authority"] = cluster.path(cluster.value.certificate_authority)
    with tempfile.TemporaryDirectory(prefix="honeyguide-") as folder:
        loaded = _loaded(chosen, told, user, folder)
        tls = None
        if loaded.host.startswith("https://"):
            tls = _tls(
                chosen.where,
                loaded.ssl_ca_cert,
                (loaded.cert_file, loaded.key_file),
                cluster.value.tls_server_name or "",
                loaded.verify_ssl,
            )
    return Credentials(loaded.host, _header(loaded, chosen.where), tls, bool(loaded.cert_file), expires_at)


def from_pod() -> Credentials:
    """The credentials that Kubernetes puts into a pod. Raises `CannotConnect`."""
    from kubernetes.config import ConfigException, load_incluster_config

    loaded = _blank()
    try:
        load_incluster_config(loaded, try_refresh_token=False)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, UnicodeDecodeError) as error:
        what = f"the pod's service account cannot be used: {error}"
        remedy = "set automountServiceAccountToken, or give --kubeconfig"
        raise CannotConnect(what, "in-cluster", remedy) from error
    tls = _tls("in-cluster", loaded.ssl_ca_cert, (None, None), "", True)
    return Credentials(loaded.host, _header(loaded, "in-cluster"), tls, has_certificate=False)


def _blank() -> SimpleNamespace:
    return SimpleNamespace(
        api_key={}, host="", ssl_ca_cert=None, cert_file=None, key_file=None, verify_ssl=True
    )


def _user_section(
    chosen: Chosen, environment: Mapping[str, str], seconds: float
) -> tuple[dict[str, object], datetime | None]:
    """The user as `kubernetes.config` reads it, with absolute paths and what a plug-in printed."""
    placed, user = chosen.user, chosen.user.value
    section: dict[str, object] = {}
    for name, data, file in (
        ("client-certificate", user.client_certificate_data, user.client_certificate),
        ("client-key", user.client_key_data, user.client_key),
    ):
        if data:
            section[f"{name}-data"] = data
        elif file:
            section[name] = placed.path(file)
    if user.token_file:
        section["tokenFile"] = placed.path(user.token_file)
    elif user.token:
        section["token"] = user.token
    elif user.auth_provider:
        section["token"] = _provided(user.auth_provider, chosen)
    elif user.exec:
        plugin = Placed(user.exec, placed.folder)
        status = run_plugin(plugin, chosen.cluster.value, environment, seconds)
        if status.token:
            section["token"] = status.token
        if status.client_certificate_data and status.client_key_data:
            for name, pem in (
                ("client-certificate-data", status.client_certificate_data),
                ("client-key-data", status.client_key_data),
            ):
                section[name] = base64.b64encode(pem.encode()).decode()
        return section, _aware(status.expiration_timestamp)
    elif user.username and user.password:
        section |= {"username": user.username, "password": user.password}
    return section, None


def _aware(when: datetime | None) -> datetime | None:
    return when.replace(tzinfo=UTC) if when and when.tzinfo is None else when


class _Claims(msgspec.Struct, frozen=True):
    exp: float | None = None


def _provided(provider: AuthProvider, chosen: Chosen) -> str:
    token = (provider.config or {}).get("id-token") or ""
    if provider.name != "oidc" or not token:
        _fail(
            f"user {chosen.user_name!r} uses the auth provider {provider.name!r}",
            chosen.where,
            "it is no longer part of Kubernetes clients: use the vendor's credential plug-in",
        )
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims
        )
    except (IndexError, ValueError) as error:
        raise CannotConnect("the OpenID Connect token is no JWT", chosen.where, "log in again") from error
    if claims.exp and claims.exp < datetime.now(UTC).timestamp():
        # Renewing it here would spend the refresh token without storing the new one in the kubeconfig.
        _fail(
            "the OpenID Connect token has expired", chosen.where, "run any kubectl command, which renews it"
        )
    return token


def _loaded(
    chosen: Chosen, cluster: dict[str, object], user: dict[str, object], folder: str
) -> SimpleNamespace:
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    loaded = _blank()
    document = {
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": user}],
    }
    try:
        loader = KubeConfigLoader(document, "it", temp_file_path=folder)  # type: ignore[no-untyped-call]
        loader.load_and_set(loaded)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError) as error:
        what = f"the credentials of context {chosen.context!r} cannot be read: {error}"
        raise CannotConnect(what, chosen.where, "mend the kubeconfig, or log in again") from error
    return loaded


def _header(loaded: SimpleNamespace, where: str) -> str:
    header = str(loaded.api_key.get("BearerToken", "")).strip()
    if not (header.isascii() and header.isprintable()):
        _fail("the token holds characters that no token has", where, "log in again")
    return header


def _tls(
    where: str, ca: str | None, pair: tuple[str | None, str | None], name: str, is_verified: bool
) -> ssl.SSLContext:
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.expected = name
    # Python 3.13 turns this on for its own default; many a cluster's CA lacks the extensions it wants.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if ca:
            context.load_verify_locations(cafile=ca)
        else:
            context.load_default_certs()
    except (ssl.SSLError, OSError) as error:
        raise CannotConnect(f"the CA cannot be read: {error}", where, "mend certificate-authority") from error
    certificate, key = pair
    if certificate:
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except (ssl.SSLError, OSError) as error:
            what = f"the client certificate cannot be read: {error}"
            raise CannotConnect(
                what, where, "mend client-certificate and client-key, or log in again"
            ) from error
    return context


def _fail(what: str, where: str, remedy: str) -> NoReturn:
    raise CannotConnect(what, where, remedy)

"""A certificate authority for one session, and the servers' certificates."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "127.0.0.1"
"""Where the servers listen."""
RELAY_NAME = "*.hubble-relay.cilium.io"
"""The name in the certificate of Relay's server, as the charts make it."""
_LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: bytes
    """PEM."""
    key: bytes
    """PEM; whoever has it can pretend to be the owner."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What clients trust and what the servers show."""

    authority: bytes
    """The authority's certificate, PEM."""
    context: ssl.SSLContext
    """For the API server."""
    relay: Pair
    """For Relay."""


def make() -> Certificates:
    """Fresh certificates for `HOST`."""
    # A real clock, not the world's: TLS checks dates against the machine.
    now = datetime.now(UTC)
    key, issuer = ec.generate_private_key(ec.SECP256R1()), _name("practice cluster CA")
    authority = (
        _builder(issuer, issuer, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    server = _issued(key, issuer, "kube-apiserver", ("kubernetes",), now)
    relay = _issued(key, issuer, RELAY_NAME, (RELAY_NAME,), now)
    return Certificates(_pem(authority), _context(server), relay)


def _issued(
    authority: ec.EllipticCurvePrivateKey, issuer: x509.Name, name: str, names: tuple[str, ...], now: datetime
) -> Pair:
    """A server's certificate, for these names beside those of this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    known = [x509.IPAddress(ipaddress.ip_address(HOST))]
    every = [*known, *map(x509.DNSName, ("localhost", *names))]
    certificate = (
        _builder(_name(name), issuer, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(every), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False
        )
        .sign(authority, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(_pem(certificate), secret)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The ssl module reads keys from files only; this one is gone again at once, and nobody else can read it.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.touch(0o600)
        path.write_bytes(pair.key + pair.certificate)
        context.load_cert_chain(path)
    return context

"""Why a stream broke: what gRPC says, as a person needs it."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

from playbooks.model.answer import Gap, GapKind

if TYPE_CHECKING:
    import grpc


class Code(IntEnum):
    """Statuses of gRPC that mean something of their own."""

    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Broken(Exception):
    """A stream or an answer that broke off."""

    def __init__(self, gap: Gap, *, is_final: bool = False, is_our_fault: bool = False) -> None:
        """`is_final`: the same again would only fail again; `is_our_fault`: also with anybody else."""
        super().__init__(gap.detail)
        self.gap = gap
        self.is_final = is_final or is_our_fault
        self.is_our_fault = is_our_fault


_REASON = re.compile(r"CERTIFICATE_VERIFY_FAILED: (.*?)(?:: OK)?$")


def broken(error: grpc.RpcError, where: str) -> Broken:
    """What an error of gRPC's library means; `where` is the server as a person named it."""
    import grpc

    if isinstance(error, grpc.Call):
        return meaning(error.code().value[0], error.details() or "", where)
    return meaning(Code.UNKNOWN, str(error), where)


def meaning(code: int, text: str, where: str) -> Broken:
    """What a status of gRPC means, by its number and its words."""
    words = _words(text)
    said = f"{where} says: {words}" if words else f"{where} gives no reason"
    if code == Code.UNIMPLEMENTED:
        what = f"{where} does not offer this: {words}"
        return _final(
            GapKind.NOT_IN_THIS_VERSION, what, "it may be too old, or no Hubble; look at its version"
        )
    if code == Code.INVALID_ARGUMENT:
        gap = Gap(GapKind.FAILED, f"the request is refused: {words}", remedy="change the filters")
        return Broken(gap, is_our_fault=True)
    if code in (Code.UNAUTHENTICATED, Code.PERMISSION_DENIED):
        return _final(GapKind.FORBIDDEN, said, "check the client certificate and the user")
    if code == Code.RESOURCE_EXHAUSTED:
        is_ours = "larger than max" in words
        gap = Gap(GapKind.TOO_LARGE if is_ours else GapKind.FAILED, said, remedy="filter more")
        return Broken(gap, is_final=is_ours)
    if code == Code.DEADLINE_EXCEEDED:
        return Broken(Gap(GapKind.TIMED_OUT, f"{where} did not answer in time", remedy="ask again"))
    if code == Code.UNAVAILABLE:
        return _unavailable(words, where)
    return Broken(Gap(GapKind.UNREACHABLE, f"the stream from {where} broke off: {words or f'code {code}'}"))


def _final(kind: GapKind, what: str, remedy: str) -> Broken:
    return Broken(Gap(kind, what, remedy=remedy), is_final=True)


def _words(text: str) -> str:
    return " ".join(text.split()).removeprefix("failed to connect to all addresses; last error: ")[:300]


def _unavailable(words: str, where: str) -> Broken:
    """No connection, or none any more."""
    if "Hostname Verification Check" in words:
        what = f"the certificate of {where} is for another name"
        return _final(GapKind.UNREACHABLE, what, "give the name it is for with --tls-server-name")
    if "CERTIFICATE_VERIFY_FAILED" in words:
        match = _REASON.search(words)
        reason = match[1] if match else words
        if "expired" in reason or "not yet valid" in reason:
            remedy = "renew the certificate of Hubble, and check the clock of this machine"
        else:
            remedy = "give the authority that signed it with --tls-ca-cert-files"
        return _final(GapKind.UNREACHABLE, f"the certificate of {where} is not trusted: {reason}", remedy)
    if "WRONG_VERSION_NUMBER" in words or "HTTP_REQUEST" in words:
        return _final(
            GapKind.UNREACHABLE,
            f"{where} does not speak TLS",
            "leave out tls:// and --tls, or check the port",
        )
    if "security handshaker" in words:
        what = "the certificates or the key given for TLS cannot be read"
        return _final(GapKind.UNREACHABLE, what, "check the files of --tls-ca-cert-files and --tls-client-…")
    if "lookup" in words or "Domain name" in words or "resolving" in words:
        what = f"the name in {where} is not known"
        return Broken(Gap(GapKind.UNREACHABLE, what, remedy="check --server, DNS and VPN"))
    if "Connection refused" in words or "No such file" in words:
        what = f"nobody listens at {where}"
        return Broken(Gap(GapKind.UNREACHABLE, what, remedy="check --server, and that Hubble runs there"))
    return Broken(
        Gap(GapKind.UNREACHABLE, f"the connection to {where} is lost: {words}", remedy="it is tried again")
    )

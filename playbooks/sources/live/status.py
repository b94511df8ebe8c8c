"""What the API server says when it does not give what was asked: the Status object, read."""

from __future__ import annotations

import re

import msgspec

from playbooks.model.answer import GapKind
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request
from playbooks.model.text import decoded


class Cause(msgspec.Struct, frozen=True):
    """One cause in a Status."""

    reason: str = ""
    """Its class, such as `ExitCode`."""
    message: str = ""
    """Its value or sentence."""


class Details(msgspec.Struct, frozen=True):
    """What a Status is about."""

    causes: list[Cause] | None = None
    """Its causes."""


class Status(msgspec.Struct, frozen=True):
    """The body of a refusal, and the last frame of an exec."""

    kind: str = ""
    """`Status`, except in the frame of an exec, where it may be missing."""
    status: str = ""
    """`Success` or `Failure`."""
    message: str = ""
    """One sentence."""
    reason: str = ""
    """Its class, such as `Forbidden`."""
    details: Details | None = None
    """More."""

    @property
    def exit_code(self) -> int | None:
        """The exit code of a command, if this tells one."""
        for cause in (self.details.causes if self.details else None) or ():
            if cause.reason == "ExitCode" and cause.message.isdecimal():
                return int(cause.message[:9])
        return None


_decoder = msgspec.json.Decoder(Status)


def status_from(body: bytes) -> Status | None:
    """The Status in a body, or nothing when the body is something else."""
    try:
        status = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return status if status.status or status.kind == "Status" else None


class NoAnswer(Exception):
    """Why a request got no answer; becomes a gap where the request is known."""

    def __init__(self, kind: GapKind, detail: str, remedy: str = "") -> None:
        """`detail` and `remedy` as in a gap."""
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.remedy = remedy


class Refused(Exception):
    """An HTTP answer that is none of the good ones."""

    def __init__(self, code: int, body: bytes, retry_after: float | None, location: str = "") -> None:
        """`retry_after` in seconds, as the server asked."""
        super().__init__(code)
        self.code = code
        self.body = body
        self.retry_after = retry_after
        self.location = location
        self.status = status_from(body)

    @property
    def words(self) -> str:
        """What was said, as one sentence of bounded length."""
        if self.status:
            return self.status.message or self.status.reason or f"HTTP {self.code}"
        words = " ".join(decoded(self.body[:600]).split())[:200]
        return f"HTTP {self.code}: {words}" if words else f"HTTP {self.code}"


_DENIED = re.compile(r'cannot (\S+) resource "([^"]*)" in API group "([^"]*)"')
_NOT_RUNNING = re.compile(
    r"container not found|waiting to start|is not running|container not running|not created or running"
    r"|in a completed pod|does not have a host assigned|is terminated|stopped container|no running task",
    re.IGNORECASE,
)
_OTHER_CONTAINER = re.compile(
    r"container \S+ (is not valid for pod|not found in pod)|previous terminated container"
)
_KUBELET_AWAY = re.compile(
    r"error dialing backend|dial tcp|connection refused|no route to host|i/o timeout|no agent available"
    r"|connection reset|tls: ",
    re.IGNORECASE,
)


def no_answer(request: Request, refused: Refused) -> NoAnswer:
    """What a refusal means for this request."""
    words = refused.words
    if refused.code == 401:
        remedy = "log in again, then ask again"
        return NoAnswer(GapKind.FORBIDDEN, f"the credentials are not accepted: {words}", remedy)
    if refused.code == 403:
        return NoAnswer(GapKind.FORBIDDEN, words, role_for(request, words))
    if 300 <= refused.code < 400:
        what = f"something before the API server sends us elsewhere (HTTP {refused.code}): {refused.location}"
        return NoAnswer(GapKind.FAILED, what, "log in at that proxy, or check the server's URL")
    if isinstance(request, AgentCommand) and _is_between(refused):
        return websockets_refused(words)
    if _OTHER_CONTAINER.search(words):
        remedy = "name the container by --agent-container" if isinstance(request, AgentCommand) else ""
        return NoAnswer(GapKind.NOT_FOUND, words, remedy)
    if _NOT_RUNNING.search(words):
        return NoAnswer(GapKind.NOT_RUNNING, words)
    if refused.code == 404:
        return NoAnswer(
            GapKind.NOT_FOUND, words if refused.status else f"the API server does not know this: {words}"
        )
    if isinstance(request, (AgentCommand, ContainerLog)) and _KUBELET_AWAY.search(words):
        return NoAnswer(GapKind.UNREACHABLE, f"the API server does not reach the node's kubelet: {words}")
    if refused.code == 429:
        return NoAnswer(
            GapKind.FAILED, f"the API server is too busy: {words}", "ask again later, with fewer --workers"
        )
    if refused.code in (502, 503, 504):
        return NoAnswer(
            GapKind.UNREACHABLE, words, "ask again; look at the API server or what stands before it"
        )
    return NoAnswer(GapKind.FAILED, words)


def _is_between(refused: Refused) -> bool:
    """Whether something before the API server, or the lack of an upgrade, refused the websocket."""
    if refused.status is None:
        # Every refusal of an exec by the API server itself is a Status.
        return refused.code < 500 or refused.code == 501
    return refused.code == 400 and "upgrade" in refused.words.lower()


def websockets_refused(words: str) -> NoAnswer:
    """The gap of an exec behind a proxy that lets no websocket through."""
    return NoAnswer(
        GapKind.UNREACHABLE,
        f"something before the API server refuses websockets: {words}",
        "let the proxy pass `Upgrade: websocket`, or go past it (NO_PROXY, proxy-url, the server's URL)",
    )


def role_for(request: Request, words: str = "") -> str:
    """What to ask the cluster's administrators for, so that this request is allowed."""
    if isinstance(request, AgentCommand):
        return f"ask for a Role in namespace {request.namespace} with verbs get and create on pods/exec"
    if isinstance(request, ContainerLog):
        return f"ask for a Role in namespace {request.namespace} with verb get on pods/log"
    if isinstance(request, ApiPath):
        return f"ask for a ClusterRole with verb get on the non-resource URL {request.path}"
    return _role_for_objects(request, words)


def _role_for_objects(request: Objects, words: str) -> str:
    verb, resource, group = "get" if request.name else "list", request.resource.plural, request.resource.group
    if denied := _DENIED.search(words):
        verb, resource, group = denied.groups()
    place = f"Role in namespace {request.namespace}" if request.namespace else "ClusterRole"
    return f'ask for a {place} with verb {verb} on {resource} (API group "{group}")'


def exec_failure(message: str) -> NoAnswer:
    """What the last frame of an exec means when it holds no exit code."""
    if _NOT_RUNNING.search(message):
        return NoAnswer(GapKind.NOT_RUNNING, message)
    if _OTHER_CONTAINER.search(message):
        return NoAnswer(GapKind.NOT_FOUND, message, "name the container by --agent-container")
    if _KUBELET_AWAY.search(message):
        return NoAnswer(GapKind.UNREACHABLE, f"the API server does not reach the node's kubelet: {message}")
    if is_missing_program(message):
        return NoAnswer(GapKind.NOT_FOUND, message)
    return NoAnswer(GapKind.FAILED, message or "the command failed and nothing says why")


def is_missing_program(message: str) -> bool:
    """Whether a message of the container runtime says that the image lacks the program."""
    if _NOT_RUNNING.search(message):
        return False
    return "executable file not found" in message or "failed to start exec" in message

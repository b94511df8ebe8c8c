"""Questions about ourselves and the server: what we may do, which version answers."""

from __future__ import annotations

import shlex
from typing import TypeVar

import msgspec

from playbooks.model.answer import GapKind
from playbooks.sources.live.status import NoAnswer
from playbooks.sources.live.transport import Transport

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

T = TypeVar("T")
"""What is read of a body."""


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something one may or may not do."""

    verb: str
    """The verb, such as `list`."""
    resource: str
    """The resource, such as `pods`."""
    group: str = ""
    """Its API group."""
    subresource: str = ""
    """The subresource, such as `exec`."""
    namespace: str = ""
    """Only there; empty for everywhere."""
    name: str = ""
    """Only this object; empty for all."""

    def question(self) -> str:
        """The same question as a person would type it after `kubectl`."""
        words = ["auth", "can-i", self.verb, f"{self.resource}.{self.group}" if self.group else self.resource]
        if self.name:
            words.append(self.name)
        if self.subresource:
            words.append(f"--subresource={self.subresource}")
        words += ["-n", self.namespace] if self.namespace else ["-A"]
        return shlex.join(words)


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    resource_attributes: Wish


class _Question(msgspec.Struct, frozen=True, rename="camel"):
    spec: _Spec
    kind: str = "SelfSubjectAccessReview"
    api_version: str = "authorization.k8s.io/v1"


class _Verdict(msgspec.Struct, frozen=True):
    allowed: bool


class _Reviewed(msgspec.Struct, frozen=True):
    status: _Verdict


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    git_version: str


async def review(transport: Transport, wish: Wish) -> bool:
    """Whether we may do this. The only POST there is; it creates nothing. Raises `Refused`, `NoAnswer`."""
    question = msgspec.json.encode(_Question(_Spec(wish)))
    return _read(await transport.read(REVIEWS, post=question), _Reviewed).status.allowed


async def version(transport: Transport, tries: int = 0) -> str:
    """The API server's version, such as `v1.34.4`. Raises `Refused`, `NoAnswer`."""
    return _read(await transport.read("/version", tries=tries), _Version).git_version


def _read(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        begin = " ".join(body[:80].decode("utf-8", errors="replace").split())
        what = f"this is no Kubernetes API server: {error}; the answer begins with {begin!r}"
        raise NoAnswer(
            GapKind.UNREADABLE, what, "check the server's URL and what stands before it"
        ) from error

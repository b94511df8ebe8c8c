"""The Status bodies by which an API server says no."""

from __future__ import annotations

from playbooks.practice.access import Access, Attempt
from playbooks.practice.catalog import Kind
from playbooks.practice.objects import Json


class Refused(Exception):
    """The server's no, with its Status body."""

    def __init__(self, body: Json) -> None:
        """`body` is the Status."""
        super().__init__(str(body.get("message", "")))
        self.body = body

    @property
    def code(self) -> int:
        """The HTTP status."""
        return int(self.body["code"])

    @property
    def message(self) -> str:
        """What it says."""
        return str(self.body.get("message", ""))


def status(code: int, reason: str, message: str, details: Json | None = None) -> Json:
    """A failure's Status body."""
    body: Json = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
    }
    if details:
        body["details"] = details
    return {**body, "code": code}


def not_found(kind: Kind, name: str) -> Refused:
    """There is no such object."""
    details = {"name": name, "kind": kind.plural}
    if kind.group:
        details["group"] = kind.group
    return Refused(status(404, "NotFound", f'{kind.qualified} "{name}" not found', details))


def no_resource() -> Refused:
    """There is no such kind."""
    return Refused(status(404, "NotFound", "the server could not find the requested resource", {}))


def bad_request(message: str) -> Refused:
    """The request makes no sense."""
    return Refused(status(400, "BadRequest", message))


def already_exists(kind: Kind, name: str) -> Refused:
    """The object is there already."""
    details = {"name": name, "kind": kind.plural}
    return Refused(status(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', details))


def conflict(kind: Kind, name: str) -> Refused:
    """Somebody else was faster."""
    message = (
        f'Operation cannot be fulfilled on {kind.qualified} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return Refused(status(409, "Conflict", message, {"name": name, "kind": kind.plural}))


def invalid(kind: Kind, name: str, why: str) -> Refused:
    """The object is not valid; `why` begins with the field that is wrong, where one is."""
    details: Json = {"name": name, "kind": kind.kind}
    field, colon, message = why.partition(": ")
    if colon and " " not in field:
        # kubectl prints the causes and nothing else.
        details["causes"] = [{"field": field, "message": message, "reason": _reason(message)}]
    return Refused(status(422, "Invalid", f'{kind.kind} "{name}" is invalid: {why}', details))


def _reason(message: str) -> str:
    beginnings = {"Unsupported value": "FieldValueNotSupported", "Required value": "FieldValueRequired"}
    return next((one for text, one in beginnings.items() if message.startswith(text)), "FieldValueInvalid")


def unsupported_media_type() -> Refused:
    """The body is in a format that is not read here."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: application/json, "
        "application/yaml"
    )
    return Refused(status(415, "UnsupportedMediaType", message))


def unauthorized() -> Refused:
    """The token is not known."""
    return Refused(status(401, "Unauthorized", "Unauthorized"))


def require(access: Access, attempt: Attempt) -> None:
    """Let an attempt pass or raise `Refused`."""
    if not access.allows(attempt):
        raise Refused(access.refusal(attempt))

"""Takes out of recorded objects what must not be in a recording."""

from __future__ import annotations

from typing import Any

REDACTED = "<redacted>"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def scrub(document: Any) -> Any:
    """The same document without values of environment variables and without last-applied annotations."""
    if isinstance(document, list):
        return [scrub(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {key: _scrubbed(key, value) for key, value in document.items()}


def _scrubbed(key: str, value: Any) -> Any:
    if key == LAST_APPLIED:
        return REDACTED
    if key == "env" and isinstance(value, list):
        return [
            {**scrub(variable), "value": REDACTED} if "value" in variable else scrub(variable)
            for variable in value
        ]
    return scrub(value)

"""The API server's version, from the words of Go that the collector writes to the JSON of `/version`."""

from __future__ import annotations

import re

import msgspec

_FIELD = re.compile(r'(?P<key>[A-Z][A-Za-z]*):"(?P<value>[^"\\]*)"')


def version_json(text: str) -> bytes | None:
    """The body that `/version` has; None where the text tells no version."""
    fields = {match["key"][:1].lower() + match["key"][1:]: match["value"] for match in _FIELD.finditer(text)}
    return msgspec.json.encode(fields) if "gitVersion" in fields else None

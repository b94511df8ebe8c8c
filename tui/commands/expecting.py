"""Reads the table of `honeyguide expect`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tui.commands.trouble import Trouble

_USAGE = 2
_ALLOWED = ("allowed", "allow", "admitted", "yes", "true")
_REFUSED = ("refused", "deny", "denied", "not admitted", "no", "false")
_FIELDS = ("from", "to", "port", "http", "header", "headers", "dns", "expect", "why")
_EXAMPLE = "write rows like {from: shop/checkout, to: 'shop/redis:6379', expect: allowed}"


class Row(NamedTuple):
    """One row: who calls what, and whether it is to pass."""

    source: str
    destination: str
    http: str
    headers: tuple[str, ...]
    dns: str
    is_allowed: bool


def rows_of(path: str) -> tuple[Row, ...]:
    """The rows of a file. Raises `Trouble` that names the row."""
    import yaml

    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{path} cannot be read: {error}", "", "", _USAGE) from error
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise Trouble(f"{path} is no YAML: {error}", "", _EXAMPLE, _USAGE) from error
    rows = document.get("calls") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not rows:
        raise Trouble(f"{path} holds no table of calls", "", _EXAMPLE, _USAGE)
    return tuple(_row(f"{path}, row {number}", row) for number, row in enumerate(rows, 1))


def _row(where: str, row: Any) -> Row:
    if not isinstance(row, dict) or not {"from", "to", "expect"} <= {*row}:
        raise Trouble(f"{where} lacks from, to or expect", "", _EXAMPLE, _USAGE)
    unknown = [str(key) for key in row if key not in _FIELDS]
    if unknown:
        known = ", ".join(_FIELDS)
        raise Trouble(
            f"{where} has {', '.join(unknown)}, which nobody reads", "", f"fields are {known}", _USAGE
        )
    destination = str(row["to"])
    if row.get("port"):
        destination = f"{destination}:{row['port']}"
    headers = row.get("headers") or row.get("header") or ()
    if isinstance(headers, dict):
        headers = [f"{name}: {value}" for name, value in headers.items()]
    if isinstance(headers, str):
        headers = [headers]
    return Row(
        str(row["from"]),
        destination,
        str(row.get("http") or ""),
        tuple(map(str, headers)),
        str(row.get("dns") or ""),
        _expected(where, row["expect"]),
    )


def _expected(where: str, said: Any) -> bool:
    word = str(said).strip().lower()
    if word in _ALLOWED:
        return True
    if word in _REFUSED:
        return False
    raise Trouble(f"{where} expects {said!r}", "", "expect is allowed or refused", _USAGE)

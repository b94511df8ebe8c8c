"""The page that documents the JSON report, made from its structures."""

from __future__ import annotations

import ast
import inspect
import types
import typing

import msgspec

from playbooks.engine.report import schema
from playbooks.engine.report.exits import Exit

_PARTS = (
    schema.Report,
    schema.FindingEntry,
    schema.SubjectEntry,
    schema.EvidenceEntry,
    schema.FixEntry,
    schema.OutcomeEntry,
    schema.GapEntry,
)


def schema_page() -> str:
    """SCHEMA.md, whole."""
    head = [
        f"# The JSON report, `{schema.SCHEMA}`",
        "",
        "`honeyguide check -o json` prints one object. Keys may be added under this name; a key that is here",
        "never changes its meaning and never goes away. `null` means that there is none, or that it is not",
        "known. The output is ASCII; control, bidi and zero-width characters of the cluster's texts are",
        r"written out (`\e`, `\u202e`), so that every string may be printed on a terminal.",
        "",
    ]
    parts = [line for part in _PARTS for line in _section(part)]
    return "\n".join([*head, *parts, "## Exit codes", "", *exit_table()]) + "\n"


def exit_table() -> list[str]:
    """The exit codes as a Markdown table, line by line."""
    rows = [f"| {code.value} | {text} |" for code, text in zip(Exit, _attribute_docs(Exit), strict=True)]
    return ["| code | meaning |", "|---|---|", *rows]


def _section(part: type[msgspec.Struct]) -> list[str]:
    title = part.__name__.removesuffix("Entry").lower()
    lines = [f"## {title}", "", (part.__doc__ or "").strip(), "", "| key | type | meaning |", "|---|---|---|"]
    hints = typing.get_type_hints(part)
    for name, text in zip(part.__struct_fields__, _attribute_docs(part), strict=True):
        lines.append(f"| `{name}` | {_type(hints[name])} | {text} |")
    return [*lines, ""]


def _attribute_docs(owner: type) -> list[str]:
    """The strings below attributes, in order; every attribute has one."""
    body = ast.parse(inspect.getsource(owner)).body[0]
    assert isinstance(body, ast.ClassDef)
    strings = [
        node.value.value
        for node in body.body[1:]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    return [" ".join(str(text).split()) for text in strings]


def _type(hint: object) -> str:
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return " or ".join(f"`{word}`" for word in arguments)
    if origin is types.UnionType:
        return " or ".join(_type(part) for part in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"object: {_type(arguments[0])} to {_type(arguments[1])}"
    assert isinstance(hint, type)
    plain = {"str": "string", "int": "number", "bool": "true or false", "NoneType": "null"}
    plain["datetime"] = "time"
    return plain.get(hint.__name__, hint.__name__.removesuffix("Entry").lower())

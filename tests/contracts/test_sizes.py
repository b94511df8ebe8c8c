"""No god file, class or function: counted, generated code exempt."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES, CLASS_METHODS, FUNCTION_LINES = 400, 25, 60
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def sources(*folders: str) -> list[Path]:
    """All Python files below these folders that a person wrote."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not path.stem.endswith(("_pb2", "_pb2_grpc")))


def too_large(path: Path) -> Iterator[str]:
    text = path.read_text()
    if (lines := text.count("\n")) > FILE_LINES:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            methods = sum(isinstance(part, _FUNCTIONS) for part in node.body)
            if methods > CLASS_METHODS:
                yield f"{path}: class {node.name} has {methods} methods"
        elif isinstance(node, _FUNCTIONS):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}: {node.name} has {length} lines"


def test_nothing_is_too_large() -> None:
    assert [fault for path in sources("playbooks", "tui") for fault in too_large(path)] == []


def test_no_test_file_is_too_long() -> None:
    assert [path for path in sources("tests") if path.read_text().count("\n") > FILE_LINES] == []


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("x = 1\n" * 401, "401 lines"),
        ("class A:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(26)), "26 methods"),
        ("def f():\n" + "    x = 1\n" * 60, "61 lines"),
    ],
)
def test_the_count_counts(code: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(code)
    assert [fault in one for one in too_large(path)] == [True]

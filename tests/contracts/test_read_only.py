"""Nothing of ours can write to a cluster: no mutating verb is in the sources, but for the access review."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.contracts.test_sizes import ROOT, sources

REVIEWS = ROOT / "playbooks" / "sources" / "live" / "transport.py"
"""The one place that may say POST: access reviews are questions, though HTTP calls them a creation."""
VERBS = {"POST", "PUT", "PATCH", "DELETE"}
CLIENT_METHODS = {"post", "put", "patch", "delete"}


def mutating(path: Path) -> list[str]:
    """Constants and calls that would change something over HTTP."""
    found = []
    text = path.read_text()
    # Queues have a `put` and screens a `post`; only a client's are meant.
    methods = CLIENT_METHODS if re.search("aiohttp|kubernetes|requests|urllib", text) else set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.upper() in VERBS:
            if node.value.isupper():
                found.append(f"{path.name}:{node.lineno} {node.value}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in methods or name.startswith(("create_namespaced", "patch_", "replace_namespaced")):
                found.append(f"{path.name}:{node.lineno} .{name}()")
    return found


def ours() -> list[Path]:
    """All that runs against a real cluster: everything but the practice cluster itself."""
    return [path for path in sources("playbooks", "tui") if "practice" not in path.relative_to(ROOT).parts]


def test_no_source_has_a_mutating_verb() -> None:
    assert {path.name: mutating(path) for path in ours() if path != REVIEWS and mutating(path)} == {}


def test_nothing_but_sources_speaks_http() -> None:
    clients = {
        path.relative_to(ROOT).parts[1]
        for path in ours()
        if re.search(r"^\s*(import|from) (aiohttp|kubernetes)\b", path.read_text(), re.MULTILINE)
    }
    assert clients == {"sources"}


def test_the_only_post_is_the_access_review() -> None:
    assert [one.partition(" ")[2] for one in mutating(REVIEWS)] == ["POST"]
    users = [path for path in ours() if "post=" in path.read_text()]
    assert [path.name for path in users] == ["reviews.py"]
    assert "selfsubjectaccessreviews" in users[0].read_text()


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text("import aiohttp\nsession.delete('x')\nrequest('PATCH')\n")
    assert mutating(path) == ["code.py:2 .delete()", "code.py:3 PATCH"]

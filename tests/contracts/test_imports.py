"""What is loaded when: seen in `sys.modules` of a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"textual", "rich", "kubernetes", "grpc", "aiohttp", "yaml"}


def loaded(code: str) -> set[str]:
    """Top-level modules that are loaded after running `code`."""
    report = (
        "\nimport sys; sys.stderr.write('LOADED ' + ' '.join({name.split('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "LOADED " in ran.stderr, ran.stderr
    return set(ran.stderr.rpartition("LOADED ")[2].split())


def of_command(*words: str) -> set[str]:
    return loaded(
        f"import sys\nfrom tui.cli import main\nsys.argv = ['honeyguide', *{list(words)!r}]\n"
        "try:\n    code = main()\nexcept SystemExit as end:\n    code = end.code\nassert not code, code"
    )


def test_playbooks_never_load_the_console() -> None:
    everything = (
        "import importlib, pkgutil, playbooks\n"
        "for info in pkgutil.walk_packages(playbooks.__path__, 'playbooks.'):\n"
        "    importlib.import_module(info.name)"
    )
    assert loaded(everything) & {"tui", "textual", "rich"} == set()


def test_rules_and_engine_load_no_client() -> None:
    modules = loaded(
        "import playbooks.engine.thread\nfrom playbooks.engine.discovery import catalogue\ncatalogue()"
    )
    assert modules & HEAVY == set()


@pytest.mark.parametrize(
    "words",
    [("--version",), ("--help",), ("check", "--help"), ("explain", "AGT020"), ("practice", "--list")],
    ids=" ".join,
)
def test_light_commands_load_nothing_heavy(words: tuple[str, ...]) -> None:
    assert of_command(*words) & (HEAVY - {"yaml"} if words[0] == "practice" else HEAVY) == set()


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_help_and_version_load_next_to_nothing(flag: str) -> None:
    assert of_command(flag) & {"asyncio", "dataclasses", "email", "msgspec"} == set()

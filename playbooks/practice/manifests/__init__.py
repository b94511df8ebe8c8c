"""What is installed in the practice cluster, as data."""

from __future__ import annotations

import copy
import json
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from playbooks.practice.objects import Json


def documents(name: str, marks: dict[str, str]) -> list[Json]:
    """The objects in a file, with the marks replaced by what they stand for."""
    return [_filled(document, marks) for document in _documents(f"{name}.yaml")]


def table(name: str) -> Any:
    """The data in a JSON file."""
    return copy.deepcopy(_table(name))


def shop() -> list[Json]:
    """The rows of the shop: what is deployed and which services stand before it."""
    return [_filled(row, {}) for row in _documents("shop.yaml")[0]]


def traffic() -> Any:
    """The calls that clients make, and the names outside of the cluster that they know."""
    return copy.deepcopy(_documents("traffic.yaml")[0])


def _filled(value: Any, marks: dict[str, str]) -> Any:
    """A copy with the marks replaced by what they stand for."""
    if isinstance(value, dict):
        return {key: _filled(inner, marks) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, marks) for inner in value]
    if isinstance(value, str):
        for mark, meaning in marks.items():
            value = value.replace(mark, meaning)
    return value


@cache
def _documents(file: str) -> tuple[Any, ...]:
    return tuple(document for document in yaml.safe_load_all(_text(file)) if document)


@cache
def _table(name: str) -> Any:
    return json.loads(_text(f"{name}.json"))


@cache
def _text(file: str) -> str:
    return files(__name__).joinpath(file).read_text("utf-8")


@cache
def log_lines(phase: str) -> tuple[tuple[float, str, str], ...]:
    """What a program logs in a phase: seconds after its beginning, level, text."""
    phases: dict[str, list[list[Any]]] = _phases()
    return tuple((float(seconds), str(level), str(text)) for seconds, level, text in phases[phase])


@cache
def _phases() -> Any:
    return yaml.safe_load(_text("logs.yaml"))

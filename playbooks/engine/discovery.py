"""Finds playbooks and their rules by walking the package; there is no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import playbooks
from playbooks.model.rule import Playbook, Rule, rule_of

_NOT_PLAYBOOKS = frozenset({"model", "engine", "sources", "knowledge", "practice"})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All playbooks there are, with their rules."""

    playbooks: tuple[Playbook, ...]
    """In the order of the eight."""
    rules: tuple[Rule, ...]
    """By id."""

    def rules_of(self, names: tuple[str, ...]) -> tuple[Rule, ...]:
        """The rules of these playbooks; of all of them when none is named."""
        return tuple(rule for rule in self.rules if not names or rule.playbook in names)

    def playbook(self, name: str) -> Playbook | None:
        """A playbook by name."""
        return next((one for one in self.playbooks if one.name == name), None)

    def rule(self, id: str) -> Rule | None:
        """A rule by id or by the name of its module."""
        return next((rule for rule in self.rules if id.lower() in (rule.id.lower(), rule.name)), None)


ORDER = ("agent", "endpoint", "service", "policy", "bpf", "connectivity", "performance", "clustermesh")
"""The eight, in the order in which an expert works."""


@cache
def catalogue() -> Catalogue:
    """Everything that can be diagnosed. Raises `ValueError` when two rules share an id."""
    found: list[Playbook] = []
    rules: dict[str, Rule] = {}
    for info in pkgutil.iter_modules(playbooks.__path__):
        if not info.ispkg or info.name in _NOT_PLAYBOOKS:
            continue
        package = importlib.import_module(f"playbooks.{info.name}")
        found.append(_playbook(package))
        for rule in _rules(package):
            if rule.id in rules:
                raise ValueError(f"rule id {rule.id} is used by {rule.name} and {rules[rule.id].name}")
            rules[rule.id] = rule
    found.sort(key=lambda one: ORDER.index(one.name))
    return Catalogue(tuple(found), tuple(rules[key] for key in sorted(rules)))


def _playbook(package: ModuleType) -> Playbook:
    playbook = getattr(package, "PLAYBOOK", None)
    if not isinstance(playbook, Playbook):
        raise TypeError(f"{package.__name__} has no PLAYBOOK")
    return playbook


def _rules(package: ModuleType) -> Iterator[Rule]:
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for thing in vars(module).values():
            rule = rule_of(thing)
            if rule and rule.judge.__module__ == module.__name__:
                yield rule

"""Reads from a rule's parameters which facts it needs, and in which form."""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from playbooks.model.fact import Change, Fact, Fleet, OnNode, Scope
from playbooks.model.rule import Rule


class Form(StrEnum):
    """How a rule wants a fact."""

    CLUSTER = "cluster"
    ON_NODE = "on node"
    FLEET = "fleet"
    CHANGE = "change"


_FORMS = {OnNode: Form.ON_NODE, Fleet: Form.FLEET, Change: Form.CHANGE}


@dataclass(frozen=True, slots=True)
class Need:
    """One parameter of a rule."""

    name: str
    """The parameter."""
    fact: type[Fact]
    """What is needed."""
    form: Form
    """How."""
    is_optional: bool
    """Whether the rule can do without (`T | None`)."""


@dataclass(frozen=True, slots=True)
class Needs:
    """All parameters of a rule."""

    each: tuple[Need, ...]
    """In order."""

    @property
    def is_per_node(self) -> bool:
        """Whether the rule is called once per node."""
        return any(
            need.form is Form.ON_NODE or (need.form is Form.CHANGE and need.fact.scope is Scope.NODE)
            for need in self.each
        )

    @property
    def is_change(self) -> bool:
        """Whether it wants two looks."""
        return any(need.form is Form.CHANGE for need in self.each)


@cache
def needs_of(rule: Rule) -> Needs:
    """What a rule needs. Raises `TypeError` for a parameter that is no fact."""
    hints = typing.get_type_hints(rule.judge)
    names = inspect.signature(rule.judge).parameters
    return Needs(tuple(_need(rule, name, hints[name]) for name in names))


def _need(rule: Rule, name: str, hint: object) -> Need:
    optional = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        optional, hint = len(rest) == 1, rest[0]
    origin = typing.get_origin(hint)
    form, fact = (_FORMS[origin], typing.get_args(hint)[0]) if origin in _FORMS else (Form.CLUSTER, hint)
    if not (isinstance(fact, type) and issubclass(fact, Fact)):
        raise TypeError(f"{rule.id}: parameter {name} is no fact")
    return Need(name, fact, form, optional)

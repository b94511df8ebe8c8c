"""Rules and playbooks as values: what a fault file declares about itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from playbooks.model.finding import Verdict

Judge = Callable[..., Iterator[Verdict]]
"""The function of a rule: facts in, verdicts out."""

RULE_ATTRIBUTE = "__rule__"


@dataclass(frozen=True, slots=True)
class Case:
    """A fault that a rule claims to recognise, and what proves the claim."""

    id: str
    """Id of the case, such as `AG-04` or `LAB-05`."""
    proof: Literal["R", "V", "W"]
    """R a real recording, V a verbatim line in a real recording, W the practice world only (*unproven*)."""
    twin: str
    """The same input with only the causal field restored; the rule is silent on it."""
    lines: tuple[str, ...] = ()
    """The verbatim lines (V) that are put into a healthy recording."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault that can be recognised."""

    id: str
    """Unique and for ever, such as `AGT004`."""
    name: str
    """The module's name: the fault in words."""
    playbook: str
    """The folder it lives in."""
    step: str
    """The step of the playbook that it answers."""
    title: str
    """First line of the docstring."""
    why: str
    """The rest of the docstring: the theory."""
    cases: tuple[Case, ...]
    """What it recognises, with proof."""
    judge: Judge
    """The function."""
    candidate: Callable[..., bool] | None = None
    """For rules over two looks: whether the first look's facts are worth a second one."""


def fault(
    id: str,
    *,
    step: str,
    cases: tuple[Case, ...],
    candidate: Callable[..., bool] | None = None,
) -> Callable[[Judge], Judge]:
    """Declare a function to be the rule of its module; its docstring is its manual page."""

    def declare(judge: Judge) -> Judge:
        title, _, why = inspect.cleandoc(judge.__doc__ or "").partition("\n")
        *_, playbook, name = judge.__module__.split(".")
        rule = Rule(id, name, playbook, step, title.strip(), why.strip(), cases, judge, candidate)
        setattr(judge, RULE_ATTRIBUTE, rule)
        return judge

    return declare


def rule_of(thing: Any) -> Rule | None:
    """The rule that a function was declared to be, if any."""
    rule = getattr(thing, RULE_ATTRIBUTE, None)
    return rule if isinstance(rule, Rule) else None


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """One question of a playbook, in the order an expert asks."""

    key: str
    """Short name that rules refer to."""
    question: str
    """What is asked, as a sentence."""
    command: str
    """What a person would have typed."""
    why: str
    """Why we look there."""
    reading: str
    """How to read what it shows."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """A question about the cluster and the ordered steps that answer it."""

    name: str
    """The folder's name."""
    title: str
    """As shown in lists."""
    question: str
    """What it answers."""
    steps: tuple[PlaybookStep, ...] = field(default=())
    """In order."""

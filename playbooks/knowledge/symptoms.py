"""What people say they see, and where one looks for it: the door for who does not know what to look for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Kind(StrEnum):
    """What a question is answered with: something that the cluster has."""

    POD = "pod"
    SERVICE = "service"
    NODE = "node"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Question:
    """One question, answered from a list."""

    kind: Kind
    """What the list holds."""
    ask: str
    """The question."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that is seen."""

    key: str
    """Short name."""
    says: str
    """As a person says it."""
    first: str
    """Why one looks in this order."""
    asks: tuple[Question, ...]
    """At most three questions."""
    walk: tuple[tuple[str, str], ...]
    """Playbooks with one of their steps, in order; an empty step stands for all of them."""


@cache
def symptoms() -> tuple[Symptom, ...]:
    """All of them, the commonest first."""
    text = files("playbooks.knowledge").joinpath("symptoms.json").read_text("utf-8")
    return tuple(
        Symptom(
            row["key"],
            row["says"],
            row["first"],
            tuple(Question(Kind(one["kind"]), one["ask"]) for one in row["asks"]),
            tuple((one.partition(" ")[0], one.partition(" ")[2]) for one in row["walk"]),
        )
        for row in json.loads(text)
    )

"""The words of Cilium in one line each, bridged to what who knows pods and services knows already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means."""

    name: str
    """As listed."""
    also: tuple[str, ...]
    """Other spellings, and names of objects and commands that mean it."""
    meaning: str
    """One sentence."""


@cache
def terms() -> tuple[Term, ...]:
    """Every term, from the general to the particular."""
    rows = files(__package__).joinpath("glossary.tsv").read_text("utf-8").splitlines()
    cells = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return tuple(
        Term(name, tuple(part for part in also.split("|") if part), told) for name, also, told in cells
    )


def terms_in(text: str) -> tuple[Term, ...]:
    """The terms that a text uses, in the order of the glossary."""
    found = {match[0].lower() for match in _pattern().finditer(text)}
    return tuple(term for term in terms() if found & _spellings(term))


def _spellings(term: Term) -> set[str]:
    return {term.name.lower(), *(word.lower() for word in term.also)}


@cache
def _pattern() -> re.Pattern[str]:
    # Longer spellings first, so that "policy map" is not read as "policy".
    every = sorted({word for term in terms() for word in _spellings(term)}, key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, every)) + r")(?![\w-])", re.IGNORECASE)

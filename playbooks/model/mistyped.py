"""What a mistyped word or label may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

_NEAR = 0.75
"""Share of letters in common from which two words are near: one letter of four may differ."""
_NUMBER = re.compile(r"[-_.]?\d+")
_NEARLY_NOTHING = 2
"""Letters of a word that is too short to be mistyped."""
_LONG = 8
"""Letters of a word in which two slips of the finger may be."""


@dataclass(frozen=True, slots=True, order=True)
class Mistyped:
    """The one label in which a selector and what carries labels differ by a few letters."""

    wanted_key: str
    """As the selector spells it."""
    wanted: str
    """The value that the selector asks for."""
    key: str
    """As it is carried."""
    value: str
    """The value that is carried."""

    @property
    def asked(self) -> str:
        """The label that is asked for."""
        return f"{self.wanted_key}={self.wanted}"

    @property
    def carried(self) -> str:
        """The label that is carried instead."""
        return f"{self.key}={self.value}"


def is_near(one: str, other: str, least: float = _NEAR) -> bool:
    """Whether two different words look like one of them mistyped, from a share of letters in common on."""
    if one == other or not one or not other:
        return False
    longest = max(len(one), len(other))
    # Words of such different length cannot be near: most are told apart without comparing letters.
    return 2 * (len(one) + len(other) - longest) >= least * (len(one) + len(other)) and (
        _likeness(one, other, least) >= least
    )


def nearest(word: str, words: Iterable[str], limit: int = 3, least: float = _NEAR) -> tuple[str, ...]:
    """Words near a word, the nearest first."""
    known = (one for one in dict.fromkeys(words) if is_near(word, one, least))
    scored = ((_likeness(word, one, least), one) for one in known)
    return tuple(one for _, one in sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:limit])


def mistyped(wanted: Mapping[str, str], carried: Mapping[str, str]) -> Mistyped | None:
    """The label that was meant, where all others are right and one is off by a few letters."""
    off = [key for key, value in wanted.items() if carried.get(key) != value]
    if len(off) != 1:
        return None
    key, value = off[0], wanted[off[0]]
    if key in carried:
        is_typo = _is_slip(carried[key], value) and not _is_numbered_alike(carried[key], value)
        return Mistyped(key, value, key, carried[key]) if is_typo else None
    like = [one for one, has in carried.items() if has == value and _is_slip(one, key)]
    return Mistyped(key, value, like[0], value) if like else None


def _is_slip(one: str, other: str) -> bool:
    """Whether one is the other with a letter lost, added, wrong, or swapped; in long ones two.

    Words that mean something else are near too: `east` and `west`, `reader` and `writer`.
    """
    is_swapped = len(one) > _NEARLY_NOTHING and sorted(one) == sorted(other) and one != other
    if not is_swapped and not is_near(one, other):
        return False
    return _slips(one.lower(), other.lower()) <= (2 if min(len(one), len(other)) >= _LONG else 1)


def _slips(one: str, other: str) -> int:
    """How many letters were added, lost, changed, or swapped with the next."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, aim in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != aim))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], aim):
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def _is_numbered_alike(one: str, other: str) -> bool:
    """Whether two values differ in their numbers only: members of one set, or releases, and no mistake."""
    return _NUMBER.sub("", one) == _NUMBER.sub("", other)


def _likeness(one: str, other: str, least: float) -> float:
    matcher = SequenceMatcher(None, one.lower(), other.lower(), autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= least else 0.0

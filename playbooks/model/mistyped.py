"""What a mistyped word or label may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

_NEAR = 0.75
"""Share of letters in common from which two words are near: one letter of four may differ."""
_NUMBER = re.compile(r"\d+")


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
        is_typo = is_near(carried[key], value) and not _is_numbered_alike(carried[key], value)
        return Mistyped(key, value, key, carried[key]) if is_typo else None
    like = [one for one, has in carried.items() if has == value and is_near(one, key)]
    return Mistyped(key, value, like[0], value) if like else None


def _is_numbered_alike(one: str, other: str) -> bool:
    """Whether two values differ in their numbers only: members of one set, or releases, and no mistake."""
    return _NUMBER.sub("#", one) == _NUMBER.sub("#", other)


def _likeness(one: str, other: str, least: float) -> float:
    matcher = SequenceMatcher(None, one.lower(), other.lower(), autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= least else 0.0

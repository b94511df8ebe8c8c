"""What a mistyped word may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_NEAR = 0.75
"""Share of letters in common from which two words are near: one letter of four may differ."""


def is_near(one: str, other: str) -> bool:
    """Whether two different words look like one of them mistyped."""
    if one == other or not one or not other:
        return False
    return SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio() >= _NEAR


def nearest(word: str, words: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Words near a word, the nearest first."""
    scored = (
        (SequenceMatcher(None, word.lower(), one.lower(), autojunk=False).ratio(), one)
        for one in dict.fromkeys(words)
        if is_near(word, one)
    )
    return tuple(one for _, one in sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:limit])

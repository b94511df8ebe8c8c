"""Answers that are kept for texts that come again, as long as the texts are of a usual size."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

_LONGEST = 512
_MOST_TEXTS = 64
_KEPT = 4096


def remembered(answer: Callable[[str], bool]) -> Callable[[str], bool]:
    """The same answers, kept for names and addresses that repeat from flow to flow."""
    kept = lru_cache(_KEPT)(answer)
    # What a hostile server sends may be megabytes long: such a text is answered and forgotten.
    return lambda text: kept(text) if len(text) <= _LONGEST else answer(text)


def remembered_of_many(answer: Callable[[tuple[str, ...]], bool]) -> Callable[[tuple[str, ...]], bool]:
    """The same answers, kept for sets of labels that repeat from flow to flow."""
    kept = lru_cache(_KEPT)(answer)

    def answered(texts: tuple[str, ...]) -> bool:
        if len(texts) > _MOST_TEXTS or (texts and max(map(len, texts)) > _LONGEST):
            return answer(texts)
        return kept(texts)

    return answered

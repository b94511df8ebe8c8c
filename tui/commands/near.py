"""What a person may have meant."""

from __future__ import annotations

from collections.abc import Iterable

_LEAST = 0.7
"""Share of letters in common from which a name may have been meant: one is chosen of few."""


def near(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The known words most like this one, in their own spelling; upper and lower case are the same."""
    from playbooks.model.mistyped import nearest

    return nearest(word, known, count, _LEAST)

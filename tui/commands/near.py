"""What a person may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The known words most like this one, in their own spelling; upper and lower case are the same."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    return tuple(by_lower[match] for match in get_close_matches(word.lower(), by_lower, count, 0.7))

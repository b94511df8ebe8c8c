"""Commands that go on printing until somebody ends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Following:
    """A command that has begun."""

    more: Callable[[], bytes]
    """What it has printed since the last time; to be called where the world's clock runs."""
    seconds: float | None = None
    """After how long it is ended, when somebody said so."""
    ends_with: int = 0
    """Its exit code then."""

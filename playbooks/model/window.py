"""The newest of what comes, by number."""

from __future__ import annotations


class Window:
    """Numbers of entries of which the oldest go; the first one ever has number 0."""

    def __init__(self) -> None:
        """Empty."""
        self._begin = self._end = 0

    @property
    def begin(self) -> int:
        """Number of the oldest that is still here; so many have gone."""
        return self._begin

    @property
    def end(self) -> int:
        """Number that the next will have; so many have come."""
        return self._end

    def __len__(self) -> int:
        return self._end - self._begin

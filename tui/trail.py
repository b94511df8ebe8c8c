"""Where a person has been: what was selected before, and after that."""

from __future__ import annotations

from dataclasses import dataclass, field

_KEPT = 100


@dataclass(slots=True)
class Trail:
    """Keys of rows, in the order in which they were opened."""

    _keys: list[str] = field(default_factory=list)
    _at: int = -1

    def visit(self, key: str) -> None:
        """Something was opened; what was ahead is forgotten."""
        if not key or (self._keys and self._keys[self._at] == key):
            return
        self._keys = [*self._keys[: self._at + 1], key][-_KEPT:]
        self._at = len(self._keys) - 1

    def older(self, here: str) -> str:
        """What was opened before; empty at the beginning."""
        if self._keys and self._keys[self._at] != here:
            return self._keys[self._at]
        if self._at <= 0:
            return ""
        self._at -= 1
        return self._keys[self._at]

    def newer(self) -> str:
        """What was opened after that; empty at the end."""
        if self._at + 1 >= len(self._keys):
            return ""
        self._at += 1
        return self._keys[self._at]

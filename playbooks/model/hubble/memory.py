"""Remembers what was made of something that comes again and again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

_SIZE = 8192
_LONGEST = 2048

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memory(dict[Key, Value]):
    """What was made of each key: `memory[key]` makes it when it is not known, and costs a look-up when it is.

    It forgets everything when it is full, and never keeps a long key: strangers choose the keys.
    """

    def __init__(self, make: Callable[[Key], Value], size: int = _SIZE) -> None:
        """`make` is called for what is not remembered."""
        super().__init__()
        self._make, self._size = make, size

    def __missing__(self, key: Key) -> Value:
        """Make it, and remember it."""
        value = self._make(key)
        if isinstance(key, (bytes, str)) and len(key) > _LONGEST:
            return value
        if len(self) >= self._size:
            self.clear()
        self[key] = value
        return value

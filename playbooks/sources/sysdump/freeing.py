"""Lets memory that was freed go back to the system, as long as this process lives."""

from __future__ import annotations

import sys

# Numbers of the C library's mallopt(3).
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_LARGE = 64 * 1024
"""Bytes of a piece that is worth asking the system for, and giving back."""


def give_back() -> None:
    """Keep no heap for each thread, and give large pieces back as soon as they are free.

    Answers of an archive are read in several threads and most of them go at once. By itself glibc kept 120 MB
    of holes between what stayed. Other C libraries and systems are left as they are.
    """
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGE)

"""Why `honeyguide flows` has nothing to print."""

from __future__ import annotations


class Unavailable(Exception):
    """There is nothing to read, or it cannot be read; the message is for standard error."""

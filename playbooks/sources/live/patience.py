"""How long the live source waits, and how often it tries again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playbooks.sources.access import ConnectOptions

Pressure = Callable[[str], None]
"""Is told, in a few words, whenever the API server shows that it is asked too much."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits and retries, in seconds."""

    command: float = 10.0
    """A command in a container, from the first byte sent to its exit status."""
    dump: float = 60.0
    """A heavy command."""
    page: float = 30.0
    """A page of a list with all its retries; silence in a log."""
    connect: float = 5.0
    """Opening a connection."""
    tries: int = 4
    """How often a request is sent when connections break or the server is busy."""
    first_pause: float = 0.25
    """Before the second try; doubles from then on."""
    longest_pause: float = 8.0
    """Between two tries, also when the server asks for more."""
    ping: float = 20.0
    """Between two signs of life on a command that is silent."""
    renewal: float = 10.0
    """Between two renewals of the credentials."""

    @classmethod
    def of(cls, options: ConnectOptions) -> Patience:
        """The patience that a person chose by `--timeout`."""
        seconds = options.timeout
        return cls(
            command=seconds, dump=max(60.0, seconds), page=3 * seconds, connect=max(1.0, min(5.0, seconds))
        )

"""A lane: one client that asks one server for one thing at a steady pace, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from playbooks.practice.naming import stable
from playbooks.practice.policies.verdicts import Verdict
from playbooks.practice.traffic.call import Call
from playbooks.practice.traffic.party import Party

if TYPE_CHECKING:
    from playbooks.practice.traffic.sight import Step

SECOND = 1_000_000_000
"""Nanoseconds of a second: all traffic is timed in them."""
_FIRST_PORT, _PORTS = 32768, 28232


class Outcome(StrEnum):
    """What a client gets."""

    ANSWERED = "answered"
    """An answer."""
    DROPPED = "dropped"
    """Nothing: packets are dropped, by a policy or because nothing stands behind a service."""
    RESET = "reset"
    """A refusal: nobody listens on the port."""
    UNREACHABLE = "unreachable"
    """An error of its own socket: the service has no backend, and no packet leaves."""
    UNKNOWN_NAME = "unknown name"
    """An error: the name does not exist."""
    NO_NAME_SERVER = "no name server"
    """An error: nobody answers for the name."""
    FORBIDDEN = "forbidden"
    """The proxy's own answer: the request is not allowed."""


class Path(StrEnum):
    """How packets get from one node to another place."""

    LOCAL = "local"
    """To an endpoint or the host on the same node."""
    OVERLAY = "overlay"
    """Through a tunnel."""
    NETWORK = "network"
    """Through the network, as they are or with the node's address."""


@dataclass(frozen=True, slots=True)
class Query:
    """One name that is looked up, and what comes back."""

    name: str
    """The full name, with a dot at its end."""
    type: str
    """A or AAAA."""
    addresses: tuple[str, ...] = ()
    """What it leads to."""
    is_known: bool = True
    """Whether the name exists."""

    @property
    def rcode(self) -> int:
        """The answer's code: 0 for no error, 3 for a name that does not exist."""
        return 0 if self.is_known else 3


@dataclass(frozen=True)
class Lane:
    """One client and one server; which of a client's calls come here is decided by their number."""

    call: Call
    """What is asked for."""
    client: Party
    """Who asks."""
    server: Party
    """Who is asked, once the service was resolved; the service itself where it leads nowhere."""
    port: int
    """The server's port."""
    outcome: Outcome
    """What the client gets."""
    verdict: Verdict
    """What policies say."""
    path: Path
    """How packets get there."""
    first: int
    """When the first call comes here: nanoseconds after the beginning of the world's traffic."""
    period: int
    """Nanoseconds from one to the next."""
    stride: int = 1
    """How many of the client's calls are made in that time."""
    turn: int = 0
    """Number of the first of them that comes here."""
    service: tuple[str, str] = ("", "")
    """Namespace and name of the service that was asked."""
    query: Query | None = None
    """For a lookup: what is looked up."""
    masquerade: str = ""
    """The node's address that packets leave with; empty where they keep their own."""
    drop_reason: int = 0
    """Why packets are dropped."""
    drops_at: str = ""
    """Node that drops them."""
    entry: str = ""
    """For a client outside of the cluster: the node that its packets come to."""

    @property
    def protocol(self) -> str:
        """TCP or UDP."""
        return "UDP" if self.query else self.call.protocol

    @property
    def door(self) -> str:
        """The node at which the client's packets are seen first."""
        return self.entry or self.client.node

    @cached_property
    def seed(self) -> int:
        """What makes its ports and ids differ from those of others."""
        lookup = self.query.name + self.query.type if self.query else ""
        what = f"{self.call.method} {self.call.url} {lookup}"
        place = f"{self.client.namespace}/{self.client.pod}{self.entry}>{self.server.ip}:{self.port}"
        return stable(f"{place}{what}", 0, (1 << 63) - 1)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What is seen of each call, in order."""
        from playbooks.practice.traffic.sequences import steps_of

        return steps_of(self)

    @cached_property
    def duration(self) -> int:
        """Nanoseconds from the beginning of a call to the last that is seen of it."""
        return max((step.delay for step in self.steps), default=0)

    def count(self, begin: int, end: int) -> int:
        """How many calls begin from `begin` to before `end`."""
        return max(self._before(end) - self._before(begin), 0)

    def numbers(self, begin: int, end: int) -> range:
        """The numbers of those calls."""
        return range(self._before(begin), max(self._before(end), self._before(begin)))

    def begins(self, number: int) -> int:
        """When a call begins."""
        return self.first + number * self.period

    def client_port(self, number: int) -> int:
        """The port that the client asks from."""
        if self.call.keeps and self.query is None:
            return _FIRST_PORT + stable(f"{self.client.pod} {self.call.url}", 0, _PORTS - 1)
        return _FIRST_PORT + (self.seed + self.turn + number * self.stride) % _PORTS

    def _before(self, moment: int) -> int:
        return max(-((self.first - moment) // self.period), 0)

"""Tables of the agent's state database, each known as JSON rows or as text by the agent's shell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import SHELL, Version, answered, asks
from playbooks.model.cilium.wire import documents_of, text_of
from playbooks.model.fact import Fact, Provenance, Unreadable, Way

J = TypeVar("J")
R = TypeVar("R")

_LAST_COMMAND = (1, 16)
"""The last version in which each table was a command of its own."""


@dataclass(frozen=True, slots=True)
class Table(Generic[J, R]):
    """How one table is read."""

    name: str
    """Its name in the agent."""
    document: type[J]
    """A row as JSON."""
    columns: Sequence[str]
    """Columns that its text must have."""
    of_document: Callable[[J], R]
    """A row from its JSON."""
    of_row: Callable[[Row], R]
    """A row from its text. Raises `Unreadable`."""
    fact: Callable[..., Fact]
    """The fact of all rows, by `provenance` and `items`."""
    since: Version = SHELL
    """The first version that has it."""

    def ways(self) -> tuple[Way, ...]:
        """All ways, the richest first."""
        show = ("cilium-dbg", "shell", "--", "db/show", self.name)
        shell = max(self.since, SHELL)
        ways = (
            answered(f"agent's table {self.name}", asks(*show, "-f", "json", since=shell), self.of_json),
            answered(f"agent's table {self.name} as text", asks(*show, since=shell), self.of_text),
        )
        if self.since > _LAST_COMMAND:
            return ways
        command = asks("cilium-dbg", "statedb", self.name, since=self.since, until=_LAST_COMMAND)
        return (*ways, answered(f"agent's table {self.name} by its command", command, self.of_text))

    def of_json(self, answer: Answer) -> Fact | Gap:
        """The fact from one JSON document a row, or from one list of them. Raises `Unreadable`."""
        documents = [*documents_of(answer)]
        if len(documents) == 1 and isinstance(documents[0], list):
            rows = self.rows(documents[0])
        elif documents:
            rows = self.rows(documents)
        else:
            raise Unreadable(f"no row of the table {self.name}: an empty table and no answer look alike")
        return self.fact(provenance=Provenance.of(answer.request, answer.end), items=rows)

    def of_text(self, answer: Answer) -> Fact | Gap:
        """The fact from the table as text, or as an archive kept it. Raises `Unreadable`."""
        if answer.body.startswith(b"["):
            return self.of_json(answer)
        rows = tuple(map(self.of_row, rows_in(text_of(answer).split("\n"), self.columns)))
        return self.fact(provenance=Provenance.of(answer.request, answer.end), items=rows)

    def rows(self, documents: Sequence[object]) -> tuple[R, ...]:
        """Rows from decoded JSON, such as a list within a dump of all tables. Raises `Unreadable`."""
        try:
            return tuple(self.of_document(msgspec.convert(one, self.document)) for one in documents)
        except msgspec.ValidationError as error:
            raise Unreadable(f"not a row of the table {self.name}: {error}") from error

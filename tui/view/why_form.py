"""The question "may this call that" as a form: what is filled in, what is wrong with it, how it is typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from tui.commands.options import Options
from tui.ink import Ink, Line, line, piece
from tui.view.rows import Row

USAGE = ":why SRC DST[:PORT[/PROTO]] [--http 'GET /path'] [--header 'Name: value'] [--dns NAME]"


class Field(StrEnum):
    """One thing to fill in; the value is the key of its row."""

    SOURCE = "from"
    DESTINATION = "to"
    PORT = "port"
    HTTP = "request"
    DNS = "DNS name"


JUDGE = "judge"
"""The key of the row that asks."""
_HINTS = {
    Field.SOURCE: "who calls: a pod, workload, service, label, namespace, address or entity",
    Field.DESTINATION: "who is called, such as shop/redis",
    Field.PORT: "such as 6379, 53/UDP or http; empty for every port that the pods declare",
    Field.HTTP: "such as GET /path, if it is HTTP; else empty",
    Field.DNS: "the name that is looked up, if it is DNS; else empty",
}
_WIDTH = 10


class WrongQuestion(ValueError):
    """A question that cannot be read; the message says what to type."""


@dataclass(frozen=True, slots=True)
class WhyForm:
    """What is filled in."""

    source: str = ""
    """Who calls."""
    destination: str = ""
    """Who is called; its port may stand behind it."""
    port: str = ""
    """The port, with or without its protocol."""
    http: str = ""
    """A request: method and path."""
    dns: str = ""
    """A name to be looked up."""
    headers: tuple[str, ...] = ()
    """Headers of the request; only typed, not a field."""

    @classmethod
    def of(cls, text: str) -> WhyForm:
        """What was typed after `:why`. Raises `WrongQuestion`."""
        try:
            words = shlex.split(text)
        except ValueError as wrong:
            raise WrongQuestion(f"a quote is not closed: {USAGE}") from wrong
        ends: list[str] = []
        given: dict[str, list[str]] = {"--http": [], "--dns": [], "--header": []}
        at = 0
        while at < len(words):
            flag, equals, value = words[at].partition("=")
            if not flag.startswith("--"):
                ends.append(words[at])
            elif flag not in given:
                raise WrongQuestion(f"there is no {flag}: {USAGE}")
            elif equals or at + 1 < len(words):
                at += 0 if equals else 1
                given[flag].append(value if equals else words[at])
            else:
                raise WrongQuestion(f"{flag} needs a value: {USAGE}")
            at += 1
        if len(ends) > 2:
            raise WrongQuestion(f"{' '.join(ends[2:])} is one too many: {USAGE}")
        source, destination = [*ends, "", ""][:2]
        http, dns = ("".join(given[flag][-1:]) for flag in ("--http", "--dns"))
        return cls(source, destination, "", http, dns, tuple(given["--header"]))

    @property
    def is_complete(self) -> bool:
        """Whether both ends are there."""
        return bool(self.source and self.destination)

    @property
    def called(self) -> str:
        """Who is called, with the port."""
        port = self.port.lstrip(":")
        if not port:
            return self.destination
        # An address of IPv6 is told from its port by brackets.
        is_bare = self.destination.count(":") > 1 and not self.destination.startswith("[")
        return f"[{self.destination}]:{port}" if is_bare else f"{self.destination}:{port}"

    def get(self, field: Field) -> str:
        """What is filled in."""
        return str(getattr(self, field.name.lower()))

    def filled(self, field: Field, value: str) -> WhyForm:
        """The form with one thing filled in."""
        value = value.strip()
        match field:
            case Field.SOURCE:
                return replace(self, source=value)
            case Field.DESTINATION:
                return replace(self, destination=value)
            case Field.PORT:
                return replace(self, port=value)
            case Field.HTTP:
                return replace(self, http=value)
            case Field.DNS:
                return replace(self, dns=value)

    @property
    def next_empty(self) -> Field | None:
        """The first field without which nothing can be asked."""
        return next((one for one in (Field.SOURCE, Field.DESTINATION) if not self.get(one)), None)

    def options(self) -> Options:
        """As `honeyguide why` takes it."""
        options = Options()
        options.words = [self.source, self.called]
        options.http, options.dns, options.headers = self.http, self.dns, list(self.headers)
        return options

    def command(self) -> str:
        """What a person would type in a shell."""
        words = ["honeyguide", "why", self.source, self.called]
        for flag, value in (("--http", self.http), *(("--header", one) for one in self.headers)):
            words += [flag, value] if value else []
        return shlex.join([*words, *(("--dns", self.dns) if self.dns else ())])

    def rows(self) -> tuple[Row, ...]:
        """The fields, and the row that asks."""
        return tuple(self._rows())

    def _rows(self) -> Iterator[Row]:
        for field in Field:
            value = self.get(field)
            told = piece(value, Ink.BOLD) if value else piece(_HINTS[field], Ink.QUIET)
            yield Row(field.value, _labelled(field.value, line(told)))
        ask = piece("ask the agents of both ends", Ink.KEY if self.is_complete else Ink.QUIET)
        yield Row(JUDGE, _labelled("", line(ask)))


def _labelled(label: str, told: Line) -> Line:
    return Line((piece(f"{label:<{_WIDTH}}", Ink.QUIET), *told.pieces), hang=_WIDTH)

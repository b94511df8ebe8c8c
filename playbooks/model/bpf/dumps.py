"""What dumps of BPF maps share: rows by key, and answers that only say that there is no such map."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TypeVar

from playbooks.model.answer import Answer, End, Gap, GapKind
from playbooks.model.cilium.agent.columns import rows_in
from playbooks.model.cilium.agent.commands import Version, asks
from playbooks.model.cilium.wire import refusal, rows_of, struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Reader, Scene, Unreadable, Way, decoding
from playbooks.model.request import Request
from playbooks.model.text import decoded

S = TypeVar("S")

Ask = Callable[[Scene], Request | Gap]
"""The request in a scene, or why it is not asked."""
Rows = Mapping[str, tuple[str, ...]]
"""The lines of each key, as most commands print maps."""

PROTOCOLS = {"ANY": 0, "ICMP": 1, "TCP": 6, "UDP": 17, "ICMPv6": 58, "SCTP": 132}
"""IANA numbers by the names that agents print."""

_NO_ENTRY = "No entries found."
_NO_MAP = re.compile(
    r"(?i)^(error: )?(cannot find .*\bmaps?\b|unable to open .* skipping|.*\bnot enabled\b"
    r"|.*: no such file or directory\b|ipv\d map doesn't exist)"
)
_LOOKED_AT = 4096
_SHOWN = 80


def mapped(
    name: str, ask: Callable[[Scene], Request | Gap | Fact], decode: Callable[[Answer], Fact | Gap]
) -> Way:
    """A way whose decoder sees only what a map holds."""
    return decoding(name, ask, lambda answer: no_map(answer) or refusal(answer) or decode(answer))


def dumped(
    name: str,
    argv: tuple[str, ...],
    columns: tuple[str, ...],
    make: Callable[[Provenance, Rows], Fact],
    *,
    since: Version | None = None,
    until: Version | None = None,
    where: Callable[[Ask], Ask] = lambda ask: ask,
) -> tuple[Way, Way]:
    """Both ways of a map that is printed as lines by key: JSON, then text with a column for each.

    `where` may keep it from being asked.
    """

    def of_json(answer: Answer) -> Fact:
        return make(Provenance.of(answer.request, answer.end), _json(answer))

    def of_text(answer: Answer) -> Fact:
        return make(Provenance.of(answer.request, answer.end), _text(answer, columns))

    return (
        mapped(name, where(asks(*argv, "-o", "json", since=since, until=until)), of_json),
        mapped(f"{name} as text", where(asks(*argv, since=since, until=until)), of_text),
    )


def folded(name: str, ask: Callable[[Scene], Request | Gap | Fact], reader: Callable[[], Reader]) -> Way:
    """A way that reads while the answer streams; an answer that was no dump is told by its first bytes."""
    return Way(name, ask, lambda: _Judged(reader()))


@dataclass(slots=True)
class _Judged:
    """Feeds a reader, and puts what went wrong off to the end: only then is a refusal told from garbage."""

    reader: Reader
    head: bytes = b""
    trouble: Unreadable | None = None

    def feed(self, chunk: bytes) -> None:
        if len(self.head) < _LOOKED_AT:
            self.head += chunk[:_LOOKED_AT]
        if self.trouble is None:
            try:
                self.reader.feed(chunk)
            except Unreadable as error:
                self.trouble = error

    def finish(self, request: Request, end: End) -> Fact | Gap:
        answer = Answer(request, self.head, end)
        gap = no_map(answer) or refusal(answer)
        if gap:
            return gap
        if self.trouble:
            raise self.trouble
        return self.reader.finish(request, end)


def entries_of(answer: Answer, kind: type[S]) -> tuple[S, ...]:
    """The entries of a map that is printed as a JSON list. Raises `Unreadable`."""
    return () if has_no_entry(answer) else rows_of(answer, kind)


def lines_of(answer: Answer) -> list[str]:
    """The lines of a map printed as text; none where it says that it is empty. Raises `Unreadable`."""
    return [] if has_no_entry(answer) else text_of(answer).split("\n")


def has_no_entry(answer: Answer) -> bool:
    """Whether the answer says that the map is empty."""
    body = answer.body.strip()
    return _NO_ENTRY in decoded(body or answer.end.stderr[:_LOOKED_AT]) and len(body) < _LOOKED_AT


def no_map(answer: Answer) -> Gap | None:
    """Why there is no such map on the node, where the answer is only that."""
    body = decoded(answer.body[:_LOOKED_AT]).strip()
    # An archive holds what was said on both outputs; a table has more than one line.
    said = body or decoded(answer.end.stderr[:_LOOKED_AT]).strip()
    lines = said.splitlines()
    if not lines or (body and len(lines) > 1) or body.startswith(("{", "[")) or not _NO_MAP.match(lines[0]):
        return None
    end = answer.end
    detail = f"the node has no such map: {lines[0][:300]}"
    return Gap(GapKind.NOT_FOUND, detail, end.command, node=answer.request.node, taken_at=end.taken_at)


def pairs_in(text: str) -> dict[str, str]:
    """Words of the form `name=value` or `name:value`; commas and blanks divide them."""
    found = {}
    for word in text.split():
        name, mark, value = word.partition("=")
        if not mark:
            name, mark, value = word.partition(":")
        if mark and name.isidentifier():
            found[name] = value.rstrip(",")
    return found


def address_in(text: str) -> str:
    """An address as it stands. Raises `Unreadable`."""
    try:
        ip_address(text)
    except ValueError as error:
        raise Unreadable(f"not an address: {text[:_SHOWN]!r}") from error
    return text


def prefix_in(text: str) -> str:
    """A prefix as it stands. Raises `Unreadable`."""
    try:
        ip_network(text, strict=False)
    except ValueError as error:
        raise Unreadable(f"not a prefix: {text[:_SHOWN]!r}") from error
    return text


def number_in(text: str) -> int:
    """A number, in hexadecimal behind `0x`. Raises `Unreadable`."""
    is_hex = re.fullmatch(r"0x[0-9a-fA-F]{1,16}", text)
    if not is_hex and not re.fullmatch(r"[0-9]{1,20}", text):
        raise Unreadable(f"not a number: {text[:_SHOWN]!r}")
    return int(text, 16 if is_hex else 10)


def protocol_in(text: str) -> int:
    """The number of a protocol by its name or number. Raises `Unreadable`."""
    return PROTOCOLS[text] if text in PROTOCOLS else number_in(text)


def port_of(network: int) -> int:
    """A port in network byte order, as a little-endian node prints it. Raises `Unreadable`."""
    if not 0 <= network <= 0xFFFF:
        raise Unreadable(f"not a port: {str(network)[:_SHOWN]}")
    return (network & 0xFF) << 8 | network >> 8


def address_of(octets: tuple[int, ...]) -> str:
    """An address that is printed as its bytes. Raises `Unreadable`."""
    try:
        return str(ip_address(bytes(octets)))
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"not the bytes of an address: {octets[:16]!s}") from error


def _json(answer: Answer) -> Rows:
    rows: dict[str, tuple[str, ...]] = {}
    for key, lines in {} if has_no_entry(answer) else struct_of(answer, dict[str, object]).items():
        if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
            rows[key] = tuple(lines)
        elif not isinstance(lines, dict):
            # An object is something that a newer version may put beside the rows; all else is a broken row.
            raise Unreadable(f"row {key[:_SHOWN]!r} holds no list of lines")
    return rows


def _text(answer: Answer, columns: tuple[str, ...]) -> Rows:
    lines = lines_of(answer)
    rows: dict[str, tuple[str, ...]] = {}
    if lines:
        for row in rows_in(lines, columns, goes_on=True):
            rows[row.text(columns[0])] = row.lines(columns[1]) if len(columns) > 1 else ()
    return rows

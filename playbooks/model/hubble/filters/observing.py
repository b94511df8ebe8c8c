"""From arguments to what is asked, by the rules and with the refusals of `hubble observe`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.filters import masks, moments, raw
from playbooks.model.hubble.filters.asked import ALL, Color, Help, Look, Observe, Output, TimeFormat
from playbooks.model.hubble.filters.flag import Group, Kind, Side, Takes
from playbooks.model.hubble.filters.helping import help_text
from playbooks.model.hubble.filters.lists import FilterList
from playbooks.model.hubble.filters.typed import (
    Given,
    Word,
    WrongArgument,
    checked,
    invalid,
    taken_apart,
)
from playbooks.model.hubble.filters.wording import Refused, WrongValue
from playbooks.model.hubble.proto import flow_pb2

_USUAL = 20
_OUTPUTS = {
    "compact": Output.COMPACT,
    "dict": Output.DICT,
    "json": Output.JSONPB,
    "JSON": Output.JSONPB,
    "jsonpb": Output.JSONPB,
    "tab": Output.TABLE,
    "table": Output.TABLE,
    "csv": Output.CSV,
}
_MASKED = frozenset({Output.COMPACT, Output.DICT, Output.TABLE})
_KINDS = {kind.value: kind for kind in Kind}
_Named = TypeVar("_Named", bound=StrEnum)


@dataclass(slots=True)
class _Typed:
    """The flags so far."""

    kind: Kind
    values: dict[str, list[str]] = field(default_factory=dict)
    server: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    allowed: FilterList = field(default_factory=FilterList)
    denied: FilterList = field(default_factory=FilterList)
    is_reversed: bool = False

    def take(self, given: Given) -> None:
        flag = given.flag
        if flag.group is Group.FILTER:
            self._filter(given)
            return
        values = checked(given)
        if flag.takes in (Takes.WORDS, Takes.TEXTS):
            self.values.setdefault(flag.name, []).extend(values)
        else:
            self.values[flag.name] = list(values)
        if flag.group in (Group.SERVER, Group.GLOBAL):
            self.server[flag.name] = tuple(self.values[flag.name])

    def _filter(self, given: Given) -> None:
        if given.flag.side is Side.SWITCH:
            if self.is_reversed:
                raise WrongValue("consecutive --not statements")
            self.is_reversed = True
            return
        filters, self.is_reversed = (self.denied if self.is_reversed else self.allowed), False
        filters.add(given.flag, given.value)

    def text(self, name: str, default: str = "") -> str:
        return self.values[name][-1] if self.values.get(name) else default

    def is_on(self, name: str, default: bool = False) -> bool:
        return self.text(name, "true" if default else "false") == "true"

    def number(self, name: str) -> int:
        return int(self.text(name, "0"))


def observe(
    argv: Sequence[str], now: datetime, kind: Kind = Kind.FLOWS, *, sub_commands: bool = True
) -> Observe | Help | Refused:
    """What these arguments ask for, seen from now.

    With `sub_commands` the first word may be `flows`, `agent-events` or `debug-events`, as the hubble
    command has it.
    """
    try:
        typed = _typed(tuple(argv), kind, sub_commands)
        if typed.is_on("help"):
            return Help(typed.kind, help_text(typed.kind))
        return _asked(typed, now)
    except (WrongArgument, WrongValue) as wrong:
        return Refused(str(wrong))


def _typed(argv: tuple[str, ...], kind: Kind, sub_commands: bool) -> _Typed:
    typed = _Typed(kind)
    for part in taken_apart(argv, kind):
        if isinstance(part, Word):
            if sub_commands and not typed.words and part.text in _KINDS:
                rest = argv[: part.position] + argv[part.position + 1 :]
                return _typed(rest, _KINDS[part.text], sub_commands=False)
            typed.words.append(part.text)
            continue
        try:
            typed.take(part)
        except WrongValue as wrong:
            raise invalid(part, wrong) from None
    return typed


def _asked(typed: _Typed, now: datetime) -> Observe:
    if typed.is_reversed:
        raise WrongValue("trailing --not found in the arguments")
    look, paths = _look(typed), _mask(typed)
    number, first, since, until = _selected(typed, now)
    _check_source(typed)
    return Observe(
        kind=typed.kind,
        allowlist=tuple(_filters(typed.allowed, "allowlist", typed)),
        denylist=tuple(_filters(typed.denied, "denylist", typed)),
        number=number,
        first=first,
        follow=typed.is_on("follow"),
        since=since,
        until=until,
        field_mask=_checked_mask(paths),
        look=look,
        print_raw_filters=typed.is_on("print-raw-filters"),
        input_file=typed.text("input-file"),
        input=typed.text("input"),
        server=typed.server,
        words=tuple(typed.words),
    )


def _look(typed: _Typed) -> Look:
    name = typed.text("output", "compact")
    if name not in _OUTPUTS:
        raise WrongValue(f"invalid output format: {name}")
    if _OUTPUTS[name] is Output.TABLE and typed.is_on("follow"):
        raise WrongValue("table output format is not compatible with follow mode")
    return Look(
        output=_OUTPUTS[name],
        time_format=_by_name(TimeFormat, typed.text("time-format"), TimeFormat.STAMP_MILLI),
        color=_by_name(Color, typed.text("color"), Color.AUTO),
        ip_translation=typed.is_on("ip-translation", True) and not typed.is_on("numeric"),
        node_name=typed.is_on("print-node-name"),
        policy_names=typed.is_on("print-policy-names"),
        debug=typed.is_on("debug"),
        silent_errors=typed.is_on("silent-errors"),
    )


def _by_name(names: type[_Named], text: str, otherwise: _Named) -> _Named:
    return next((name for name in names if name.value.lower() == text.lower()), otherwise)


def _mask(typed: _Typed) -> tuple[str, ...]:
    """The paths asked for, or what the output shows; only flows have masks."""
    paths, output = tuple(typed.values.get("field-mask", ())), typed.text("output", "compact")
    if typed.kind is not Kind.FLOWS or _OUTPUTS[output] is Output.JSONPB:
        return paths if typed.kind is Kind.FLOWS else ()
    if paths:
        raise WrongValue(f"{output} output format is not compatible with custom field mask")
    wants_usual = _OUTPUTS[output] in _MASKED and typed.is_on("use-default-field-masks", True)
    return masks.VISIBLE if wants_usual else ()


def _checked_mask(paths: tuple[str, ...]) -> tuple[str, ...]:
    return _told("failed to construct field mask", lambda: tuple(masks.mask(paths).paths))


def _selected(typed: _Typed, now: datetime) -> tuple[int, bool, Timestamp | None, Timestamp | None]:
    first, last = typed.number("first"), typed.number("last")
    wants_all, follow = typed.is_on("all"), typed.is_on("follow")
    for is_wrong, names in (
        (first and last, "--first and --last"),
        (first and wants_all, "--first and --all"),
        (first and follow, "--first and --follow"),
        (last and wants_all, "--last and --all"),
    ):
        if is_wrong:
            raise WrongValue(f"cannot set both {names}")
    since, until = _moment(typed, "since", now), None if follow else _moment(typed, "until", now)
    is_bounded = since is not None or until is not None or first > 0
    if not is_bounded and wants_all:
        last = ALL
    elif not is_bounded and not last and _has_usual_number(typed):
        last = _USUAL
    return first or last, first > 0, since, until


def _has_usual_number(typed: _Typed) -> bool:
    if typed.text("input-file") or typed.text("input"):
        return False
    return typed.kind is not Kind.FLOWS or not typed.is_on("follow")


def _check_source(typed: _Typed) -> None:
    if typed.is_on("print-raw-filters"):
        return
    files = [name for name in ("input-file", "input") if typed.text(name)]
    if files and typed.is_on("auto-port-forward"):
        raise WrongValue(f"cannot use --{files[0]} and --auto-port-forward together")
    if len(files) > 1:
        raise WrongValue("cannot use --input-file and --input together")


def _moment(typed: _Typed, name: str, now: datetime) -> Timestamp | None:
    text = typed.text(name)
    return _told(f"failed to parse the {name} time", lambda: moments.moment(text, now)) if text else None


def _filters(filters: FilterList, name: str, typed: _Typed) -> Iterator[flow_pb2.FlowFilter]:
    yield from filters.filters()
    yield from _told(f"invalid --{name} flag", lambda: raw.read(typed.values.get(name, ())))


_Made = TypeVar("_Made")


def _told(what: str, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except WrongValue as wrong:
        raise WrongValue(f"{what}: {wrong}") from None

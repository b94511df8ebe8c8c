"""Arguments taken apart in the manner of the hubble command's parser."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from playbooks.model.hubble.filters import moments, wording
from playbooks.model.hubble.filters.flag import Flag, Kind, Takes
from playbooks.model.hubble.filters.flags import FORMER, flags_of
from playbooks.model.hubble.filters.wording import WrongValue, quoted


class WrongArgument(ValueError):
    """Arguments that cannot be taken apart; the text is the hubble command's kind of message."""


@dataclass(frozen=True, slots=True)
class Given:
    """One flag with the value it was given."""

    flag: Flag
    value: str
    """As typed, or what the flag means when it stands alone."""


@dataclass(frozen=True, slots=True)
class Word:
    """One argument that is no flag."""

    text: str
    """As typed."""
    position: int
    """Where it stands among the arguments."""


@dataclass(frozen=True, slots=True)
class _Names:
    long: Mapping[str, Flag]
    short: Mapping[str, Flag]


@cache
def _names(kind: Kind) -> _Names:
    flags = flags_of(kind)
    long = {flag.name: flag for flag in flags}
    long |= {former: long[name] for former, name in FORMER.items() if name in long}
    return _Names(long, {flag.short: flag for flag in flags if flag.short})


def taken_apart(argv: Sequence[str], kind: Kind) -> Iterator[Given | Word]:
    """The flags and words in the order they stand, up to the first mistake."""
    names, rest = _names(kind), list(reversed(argv))
    while rest:
        argument = rest.pop()
        if argument == "--":
            yield from (Word(text, len(argv) - left) for left, text in _remaining(rest))
            return
        if len(argument) < 2 or not argument.startswith("-"):
            yield Word(argument, len(argv) - len(rest) - 1)
        elif argument.startswith("--"):
            yield _long(argument, rest, names.long)
        else:
            yield from _shorts(argument[1:], rest, names.short)


def _remaining(rest: list[str]) -> Iterator[tuple[int, str]]:
    while rest:
        left = len(rest)
        yield left, rest.pop()


def _long(argument: str, rest: list[str], flags: Mapping[str, Flag]) -> Given:
    name, equals, value = argument[2:].partition("=")
    if not name or name.startswith("-"):
        raise WrongArgument(f"bad flag syntax: {argument}")
    flag = flags.get(name)
    if flag is None:
        raise WrongArgument(f"unknown flag: --{name}")
    if equals:
        return Given(flag, value)
    if flag.bare:
        return Given(flag, flag.bare)
    if not rest:
        raise WrongArgument(f"flag needs an argument: {argument}")
    return Given(flag, rest.pop())


def _shorts(letters: str, rest: list[str], flags: Mapping[str, Flag]) -> Iterator[Given]:
    left = letters
    while left:
        letter, left = left[0], left[1:]
        flag = flags.get(letter)
        if flag is None:
            raise WrongArgument(f"unknown shorthand flag: {_rune(letter)} in -{letter}{left}")
        if left.startswith("=") and len(left) > 1:
            yield Given(flag, left[1:])
            return
        if flag.bare:
            yield Given(flag, flag.bare)
            continue
        if not left and not rest:
            raise WrongArgument(f"flag needs an argument: {_rune(letter)} in -{letters}")
        yield Given(flag, left or rest.pop())
        return


def _rune(letter: str) -> str:
    return quoted(letter, "'")


def checked(given: Given) -> tuple[str, ...]:
    """The value as texts that are known to be well formed; a list of words becomes several."""
    takes, value = given.flag.takes, given.value
    if takes is Takes.TRUTH:
        return ("true" if wording.truth(value) else "false",)
    if takes in (Takes.UINT64, Takes.UINT16):
        return (str(wording.unsigned(value, 64 if takes is Takes.UINT64 else 16, base=0)),)
    if takes is Takes.DURATION:
        moments.duration(value)
    if takes is Takes.WORDS:
        return _words(value)
    return (value,)


def _words(value: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([value], strict=True), ()))
    except csv.Error as wrong:
        raise WrongValue(f"parse error on line 1: {wrong}") from None


def invalid(given: Given, wrong: WrongValue) -> WrongArgument:
    """The mistake as it is told of a flag's value."""
    return WrongArgument(f'invalid argument {quoted(given.value)} for "{given.flag.shown}" flag: {wrong}')

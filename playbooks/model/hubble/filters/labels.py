"""Kubernetes label selectors over Cilium's labels: a key may name its source (`k8s:app`), or mean any."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from playbooks.model.hubble.filters.wording import WrongValue, quoted

ANY_SOURCE = "any"
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_ALLOWED = (
    "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character"
)
_BLANK = " \t\r\n"
_SIGNS = ("==", "!=", "=", "!", "(", ")", ",", ">", "<")
_SPECIAL = frozenset("=!(),><")
_OPERATORS = {"in": "in", "notin": "notin", "=": "in", "==": "in", "!=": "notin", ">": ">", "<": "<"}
_KNOWN_OPERATORS = "in, notin, =, ==, !=, gt, lt"


@dataclass(frozen=True, slots=True)
class Label:
    """One label of Cilium, taken apart."""

    source: str
    """Who gave it: `k8s`, `reserved`, …; empty when it does not say."""
    key: str
    """The key."""
    value: str
    """The value, often empty."""


def label(text: str) -> Label:
    """A label as flows write it: `source:key=value`."""
    if text.startswith("$"):
        source, rest = "reserved", text[1:]
    elif ":" in text:
        source, _, rest = text.partition(":")
    elif text.startswith("reserved."):
        source, rest = "reserved", text.removeprefix("reserved.")
    else:
        source, rest = "", text
    key, equals, value = rest.partition("=")
    return (
        Label(source, value, "") if equals and not key and source == "reserved" else Label(source, key, value)
    )


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a selector."""

    source: str
    """The source that the label needs, or ANY_SOURCE."""
    key: str
    """The key that it needs."""
    operator: str
    """in, notin, exists, absent, > or <."""
    values: frozenset[str] = frozenset()
    """What the value is compared with."""

    def holds(self, labels: Iterable[Label]) -> bool:
        """Whether these labels fulfil it."""
        value = self._value(labels)
        if self.operator == "absent":
            return value is None
        if value is None:
            return self.operator == "notin"
        if self.operator in ("in", "notin"):
            return (value in self.values) is (self.operator == "in")
        return self.operator == "exists" or self._compares(value)

    def _value(self, labels: Iterable[Label]) -> str | None:
        for each in labels:
            if each.key == self.key and self.source in (ANY_SOURCE, each.source):
                return each.value
        return None

    def _compares(self, value: str) -> bool:
        found, (wanted,) = _whole(value), (_whole(value) for value in self.values)
        if found is None or wanted is None:
            return False
        return found > wanted if self.operator == ">" else found < wanted


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else None


def selector(text: str) -> tuple[Requirement, ...]:
    """The requirements of a selector, all to be fulfilled; one that cannot be read is refused."""
    return _Parser(_tokens(_with_sources(text))).requirements()


def _with_sources(text: str) -> str:
    """The selector with `any.` before keys that name no source, and a point where a colon ends the source."""
    made, position = [], 0
    while position < len(text):
        start = _skip(text, position, lambda character: character.isspace() or character == "!")
        end = _skip(text, start, lambda character: not (character.isspace() or character in "=!,"))
        key = text[start:end]
        after = _end_of_requirement(text, end)
        dotted = key.replace(":", ".", 1) if ":" in key else f"{ANY_SOURCE}.{key}"
        made.append(text[position:start] + dotted + text[end:after])
        position = after
    return "".join(made)


def _skip(text: str, position: int, is_skipped: Callable[[str], bool]) -> int:
    while position < len(text) and is_skipped(text[position]):
        position += 1
    return position


def _end_of_requirement(text: str, position: int) -> int:
    depth = 0
    for place in range(position, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if text[place] == "," and depth == 0:
            return place + 1
    return len(text)


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    position = 0
    while True:
        position = _skip(text, position, lambda character: character in _BLANK)
        if position >= len(text):
            return found
        sign = next((sign for sign in _SIGNS if text.startswith(sign, position)), "")
        end = position + len(sign)
        if not sign:
            end = _skip(
                text, position, lambda character: character not in _SPECIAL and character not in _BLANK
            )
        found.append(text[position:end])
        position = end


def _is_identifier(token: str) -> bool:
    return bool(token) and token[0] not in _SPECIAL


class _Parser:
    """Reads tokens of a selector one by one; an empty token is the end."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._position = 0

    def requirements(self) -> tuple[Requirement, ...]:
        found: list[Requirement] = []
        while token := self._next():
            if not (_is_identifier(token) or token == "!"):
                raise WrongValue(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except WrongValue as wrong:
                raise WrongValue(f"unable to parse requirement: {wrong}") from None
            end = self._take()
            if not end:
                break
            if end != ",":
                raise WrongValue(f"found '{end}', expected: ',' or 'end of string'")
            if not (_is_identifier(self._next()) or self._next() == "!"):
                raise WrongValue(f"found '{self._next()}', expected: identifier after ','")
        return tuple(found)

    def _next(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._position += 1
        return token

    def _requirement(self) -> Requirement:
        key, is_absent = self._take(), False
        if key == "!":
            key, is_absent = self._take(), True
        if not _is_identifier(key):
            raise WrongValue(f"found '{key}', expected: identifier")
        _check_key(key)
        source, _, name = key.partition(".")
        if is_absent:
            return Requirement(source, name, "absent")
        if self._next() in ("", ","):
            return Requirement(source, name, "exists")
        return self._comparison(source, name)

    def _comparison(self, source: str, name: str) -> Requirement:
        sign = self._take()
        operator = _OPERATORS.get(sign)
        if operator is None:
            raise WrongValue(f"found '{sign}', expected: {_KNOWN_OPERATORS}")
        values = self._values() if sign in ("in", "notin") else (self._exact(),)
        if operator in "><" and _whole(values[0]) is None:
            raise WrongValue(
                f"<nil>: Invalid value: {quoted(values[0])}: for 'Gt', 'Lt' operators, an integer"
            )
        for value in values:
            _check_value(name, value)
        return Requirement(source, name, operator, frozenset(values))

    def _exact(self) -> str:
        if self._next() in ("", ","):
            return ""
        value = self._take()
        if not _is_identifier(value):
            raise WrongValue(f"found '{value}', expected: identifier")
        return value

    def _values(self) -> tuple[str, ...]:
        opening = self._take()
        if opening != "(":
            raise WrongValue(f"found '{opening}' expected: '('")
        if self._next() == ")":
            raise WrongValue(
                "<nil>: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
            )
        if not (_is_identifier(self._next()) or self._next() == ","):
            raise WrongValue(f"found '{self._next()}', expected: ',', ')' or identifier")
        found: list[str] = []
        while True:
            found.append(self._take() if _is_identifier(self._next()) else "")
            end = self._take()
            if end == ")":
                return tuple(found)
            if end != ",":
                raise WrongValue(f"found '{end}', expected: ',' or ')'")


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    wrong = []
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        wrong.append("prefix part must be a valid DNS name")
    if len(name) > 63:
        wrong.append("name part must be no more than 63 characters")
    if not re.fullmatch(_NAME, name):
        example = "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
        wrong.append(f"name part must {_ALLOWED} {example} '{_NAME}')")
    if wrong:
        raise WrongValue(f"<nil>: Invalid value: {quoted(key)}: {'; '.join(wrong)}")


def _check_value(name: str, value: str) -> None:
    if len(value) > 63:
        raise WrongValue(
            f"values[0][{name}]: Invalid value: {quoted(value)}: must be no more than 63 characters"
        )
    if not re.fullmatch(_VALUE, value):
        example = "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
        told = f"a valid label must be an empty string or {_ALLOWED} {example} '{_VALUE}')"
        raise WrongValue(f"values[0][{name}]: Invalid value: {quoted(value)}: {told}")


def any_holds(selectors: Sequence[Sequence[Requirement]], texts: Iterable[str]) -> bool:
    """Whether one of the selectors picks an endpoint with these labels."""
    labels = [label(text) for text in texts]
    return any(all(requirement.holds(labels) for requirement in each) for each in selectors)

"""A page of metrics in Prometheus' text format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playbooks.model.fact import Unreadable

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{|[ \t])", re.ASCII)
_LABEL = re.compile(r'[ \t]*([a-zA-Z_]\w*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,|(?=\}))', re.ASCII)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "\\": "\\", '"': '"'}
_NUMBER = re.compile(r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$|^[+-]?Inf$|^NaN$", re.ASCII)
_LONGEST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class Sample:
    """One value."""

    name: str
    """The metric, with `_bucket`, `_sum` or `_count` for parts of a histogram."""
    labels: Mapping[str, str]
    """By name; the order is that of the page."""
    value: float
    """May be infinite or not a number."""


@dataclass(frozen=True, slots=True)
class Page:
    """All values of a page."""

    samples: tuple[Sample, ...]
    """In the order of the page."""
    types: Mapping[str, str]
    """`counter`, `gauge`, `histogram` …, by metric."""

    def of(self, name: str, **labels: str) -> Iterator[Sample]:
        """The samples of a metric that carry these labels."""
        for sample in self.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample

    def total(self, name: str, **labels: str) -> float | None:
        """The sum over the samples of a metric; nothing when there is none."""
        values = [sample.value for sample in self.of(name, **labels)]
        return sum(values) if values else None


def page_of(text: str, *, is_truncated: bool = False) -> Page:
    """The page that a text holds; a truncated one without its torn last line. Raises `Unreadable`."""
    whole, _, rest = text.rpartition("\n")
    if rest.strip() and not is_truncated:
        raise Unreadable("the page ends in the middle of a line", len(text.encode("utf-8", "replace")))
    samples: list[Sample] = []
    types: dict[str, str] = {}
    for number, line in enumerate(whole.split("\n"), start=1):
        if line.startswith("#"):
            words = line.split(None, 3)
            if len(words) == 4 and words[1] == "TYPE":
                types[words[2]] = words[3].strip()
        elif line.strip():
            samples.append(_sample(line.rstrip("\r"), number))
    return Page(tuple(samples), types)


def _sample(line: str, number: int) -> Sample:
    match = _SAMPLE.match(line)
    if not match:
        raise Unreadable(f"line {number} is no sample: {line[:80]!r}")
    labels, at = _labels(line, match.end(), number) if match[2] == "{" else ({}, match.end())
    words = line[at:].split()
    # A time may follow the value, and an exemplar behind a mark.
    if not words or len(words[0]) > _LONGEST_NUMBER or not _NUMBER.match(words[0]):
        raise Unreadable(f"line {number} has no value: {line[:80]!r}")
    return Sample(match[1], labels, float(words[0]))


def _labels(line: str, at: int, number: int) -> tuple[dict[str, str], int]:
    labels: dict[str, str] = {}
    while match := _LABEL.match(line, at):
        value = match[2]
        labels[match[1]] = _ESCAPE.sub(_unescaped, value) if "\\" in value else value
        at = match.end()
    rest = line[at:].lstrip()
    if not rest.startswith("}"):
        raise Unreadable(f"line {number} has a label that does not end: {line[:80]!r}")
    return labels, len(line) - len(rest) + 1


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[0])

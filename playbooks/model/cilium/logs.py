"""Lines of a log: logfmt up to 1.17, slog from 1.18, JSON, Envoy, CoreDNS, and what else is among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

_LEVEL = re.compile(r"(?:^|\s)level=\"?([A-Za-z]+)")
_LEVEL_BY = 80
"""A level further into the line than this belongs to something that the line quotes."""
_FIELD = re.compile(r'(?:^|\s)([\w.\-/]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_KLOG = re.compile(r"^([IWEF])(\d{4}) \d\d:\d\d:\d\d\.\d+\s+\d+ [^\]]+\] ")
_ENVOY = re.compile(
    r"^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)\] ?\[\d+\] ?\[(\w+)\] ?(?:\[(\w*)\] ?)?(?:\[([^\]\s]*)\] )?"
)
_COREDNS = re.compile(r"^\[(DEBUG|INFO|WARNING|ERROR|FATAL|PANIC)\] (?:(plugin/[\w.\-]+): )?")
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\"]))')
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LEVELS = {"warn": "warning", "err": "error", "critical": "error", "crit": "error", "dpanic": "panic"}
_KLOG_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "fatal"}
_OPTION = re.compile(r"^\s*--([a-z0-9][a-z0-9\-]*)='(.*)'\s*$")

_START = re.compile(
    r"^(invoke|start|start hook|run) failed|failed to (start|run|init)|unable to (start|run|init|contact)"
    r"|error while (creating|starting)",
    re.IGNORECASE,
)
_UNSTARTED = re.compile(r"^Error: unknown |^Error: invalid argument |\bexec format error$")
_LONG_WORD = 300
"""Characters of a message beyond which it is hardly said twice."""
_WORDS_KEPT = 8192
"""Messages that are known again; they take 2 MB."""
LAST = ("fatal", "panic")
"""Levels after which a program ends."""
ODD = (*LAST, "error", "warning")
"""Levels that say something went wrong."""

_json = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line."""

    raw: str
    """As it came."""
    level: str = ""
    """`fatal`, `panic`, `error`, `warning`, `info`, `debug`; empty when the line has none."""
    message: str = ""
    """Its message; the whole line when it has no fields."""
    error: str = ""
    """The error that it carries; empty when there is none."""

    @property
    def fields(self) -> Mapping[str, str]:
        """The other fields. Few lines are asked for them, and kept they would double what 200 logs take."""
        return _read(self.raw)[2]

    @property
    def time(self) -> datetime | None:
        """When it was written, if it says so."""
        fields = self.fields
        return _moment(fields.get("time", "") or fields.get("ts", ""))

    @property
    def said(self) -> str:
        """Message and error as one sentence."""
        return f"{self.message}: {self.error}" if self.error else self.message

    @property
    def text(self) -> str:
        """Everything it says besides when and where: message, error and its other values."""
        rest = (f"{key}={value}" for key, value in self.fields.items() if key not in _ABOUT)
        return " ".join([self.said, *rest])

    @property
    def option(self) -> tuple[str, str] | None:
        """The option and value that it echoes, as an agent does at its start."""
        match = _OPTION.match(self.message) if self.level in ("info", "") else None
        return (match[1], match[2]) if match else None


_ABOUT = frozenset({"time", "ts", "level", "subsys", "module", "func", "function", "error", "err", "source"})


def lines_of(text: str) -> Iterator[LogLine]:
    """The lines of a log; empty ones are left out."""
    for raw in text.split("\n"):
        line = raw.rstrip("\r")
        if line.strip():
            yield parsed(line)


def parsed(raw: str) -> LogLine:
    """One line read; whatever has no known form is a message without level."""
    level, message, fields = _read(raw)
    error = fields.get("error", "") or fields.get("err", "")
    return LogLine(raw, _LEVELS.get(level, _shared(level)), _shared(message), _shared(error) if error else "")


_Told = tuple[str, str, dict[str, str]]
"""Level, message and the other fields."""


def _read(raw: str) -> _Told:
    if raw.startswith("{"):
        return _from_json(raw) or ("", raw, {})
    level = _LEVEL.search(raw, 0, _LEVEL_BY)
    if level:
        return _from_fields(raw, level[1].lower())
    if klog := _KLOG.match(raw):
        return _KLOG_LEVELS[klog[1]], raw[klog.end() :], {}
    if raw.startswith("["):
        return _from_brackets(raw)
    return "", raw, {}


def _from_brackets(raw: str) -> _Told:
    if envoy := _ENVOY.match(raw):
        told = {"time": f"{envoy[1].replace(' ', 'T')}Z", "subsys": envoy[3], "source": envoy[4]}
        fields = {key: value for key, value in told.items() if value}
        return envoy[2], raw[envoy.end() :].lstrip(), fields
    if coredns := _COREDNS.match(raw):
        return coredns[1].lower(), raw[coredns.end() :], {"subsys": coredns[2]} if coredns[2] else {}
    return "", raw, {}


def _from_fields(raw: str, level: str) -> _Told:
    told = {match[1]: _unquoted(match[2]) for match in _FIELD.finditer(raw)}
    told.pop("level", None)
    return level, told.pop("msg", raw), told


def _from_json(raw: str) -> _Told | None:
    try:
        told = {name: _plain(value) for name, value in _json.decode(raw).items()}
    except (msgspec.DecodeError, UnicodeError):
        return None
    level = told.pop("level", "").lower()
    return level, told.pop("msg", "") or told.pop("message", raw), told


_words: dict[str, str] = {}


def _shared(word: str) -> str:
    """The same text once, whichever log says it: lines repeat themselves, and so do 200 agents."""
    if len(word) > _LONG_WORD:
        return word
    if len(_words) >= _WORDS_KEPT:
        _words.clear()
    return _words.setdefault(word, word)


def _plain(value: msgspec.Raw) -> str:
    decoded = msgspec.json.decode(value)
    return decoded if isinstance(decoded, str) else bytes(value).decode("utf-8", "replace")


def _unquoted(value: str) -> str:
    if len(value) < 2 or not value.startswith('"'):
        return value
    inner = value[1:-1]
    return _ESCAPE.sub(_unescaped, inner) if "\\" in inner else inner


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    return _PLAIN.get(match[4], match[4])


def _moment(stamp: str) -> datetime | None:
    if not stamp:
        return None
    try:
        moment = msgspec.convert(stamp, datetime)
    except msgspec.ValidationError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def options_in(lines: tuple[LogLine, ...]) -> dict[str, str]:
    """The options that a run echoed at its start."""
    return dict(echo for line in lines if (echo := line.option))


def last_words(lines: tuple[LogLine, ...]) -> LogLine | None:
    """The line that says why a run ended: its last fatal one, a panic, or the last failed start."""
    for line in reversed(lines):
        if line.level in LAST or line.message.startswith(("panic: ", "fatal error: ")):
            return line
    for line in reversed(lines):
        if line.level == "error" and line.error and _START.search(line.message):
            return line
    # A program that is not even started properly has no logger yet.
    plain = (line for line in reversed(lines) if not line.level and _UNSTARTED.search(line.message))
    return next(plain, None)

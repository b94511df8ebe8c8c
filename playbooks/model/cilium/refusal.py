"""Which option a start was refused for: a fatal text held against the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from playbooks.knowledge.features import OFF, options_meant
from playbooks.model.cilium.refused_words import (
    ALLOWED,
    after,
    bare,
    flat,
    holds,
    is_sound,
    is_type,
    likeness,
    mentions,
    parts,
    quoted,
    words_of,
)

_REFUSES = re.compile(
    r"invalid|unknown|unsupported|unrecogni[sz]ed|incorrect|illegal|malformed|conflict|missing unit"
    r"|not (a )?(valid|supported|allowed)|out of range|too (big|small)|smaller than|mutually exclusive"
    r"|(unable|failed|cannot|can't|could ?n[o']t)( to)? (be )?(pars|decod|unmarshal|convert|specif|use)"
    r"|combination|pars(e|ing)|must|cannot be|requires?\b|incompatible|only (supported|valid)|were set",
    re.IGNORECASE,
)
_NOT_CONFIGURATION = re.compile(
    r"dial (tcp|udp|unix)|x509|connection refused|i/o timeout|no such (host|file)|forbidden|tls: |etcdserver"
    r"|unauthori[sz]ed|context (deadline|canceled)|address already in use|no route to host|permission denied"
    r"|\bcrds\b|customresourcedefinition|kernel|linux \d",
    re.IGNORECASE,
)
_REFUSES_VALUE = re.compile(
    r"invalid|unknown|unsupported|unrecogni[sz]ed|incorrect|illegal|malformed|pars(e|ing)", re.IGNORECASE
)
_COMBINATION = re.compile(
    r"\b(requires?|needs)\b|cannot be (used|enabled|combined)|cannot specify|incompatible|mutually exclusive"
    r"|not supported (with|in)|must be (enabled|disabled)|in combination with|were set",
    re.IGNORECASE,
)
_NEEDED = re.compile(r"\b(requires?|needs|when .{0,60} is not enabled)\b", re.IGNORECASE)
_MISSING = re.compile(
    r"(?:--)?\b([a-z0-9]+(?:-[a-z0-9]+)+)['\"]? must be (?:provided|specified|set)\b"
    r"|must be (?:configured|set|provided) with (?:option )?--([a-z0-9-]+)"
)
_SIZE = re.compile(r"\btoo (big|small|large)\b", re.IGNORECASE)
_FAMILY = re.compile(r"ipv[46]", re.IGNORECASE)
_PAIR = re.compile(r"--([a-z0-9-]+)=[\"']?([^\s\"',;)]+)")
_NUMBER = re.compile(r"(?<![\w.])\d+(\.\d+)?(?![\w.]*\w)")
_TRIVIAL = OFF | {"true", "1", "yes", "on", "enabled", "default", "auto", "all"}


@dataclass(frozen=True, slots=True)
class Refused:
    """An option that a start was refused for."""

    key: str
    """Its name."""
    value: str
    """Its value in the configuration; empty where the configuration lacks it."""
    is_quoted: bool
    """Whether the text quotes that value; otherwise it only names the option or its feature."""


def refused(text: str, wanted: Mapping[str, str], echoed: Mapping[str, str]) -> tuple[Refused, ...]:
    """The options of a configuration that a fatal text refuses; none where it speaks of something else.

    `echoed` holds the options that the refused run said it had, as far as known: an option that is different
    now is not what was refused.
    """
    if not _REFUSES.search(text) or _NOT_CONFIGURATION.search(text):
        return ()
    allowed = ALLOWED.search(text)
    about = text[: allowed.start()] if allowed else text
    current = {key: value for key, value in wanted.items() if echoed.get(key, value) == value}
    keys = _missing(text, wanted, echoed)
    if not keys and _COMBINATION.search(text):
        keys = _combined(text, current, wanted.keys() - current.keys())
    elif not keys:
        is_named = any(mentions(text, key) for key in wanted if "-" in key)
        keys = _named(text, about, current) or ([] if is_named else _by_value(_core(about), current))
        keys = keys or ([] if is_named else _sized(text, current))
    stated = quoted(about) | bare(about)
    return tuple(
        Refused(key, current.get(key, ""), not parts(current.get(key, "")).isdisjoint(stated))
        for key in dict.fromkeys(keys)
    )


def _missing(text: str, wanted: Mapping[str, str], echoed: Mapping[str, str]) -> list[str]:
    """The option that a text says must be given, if the configuration does not give it."""
    if any(wanted.get(key, value) != value for key, value in _PAIR.findall(text)):
        return []
    found = [next(filter(None, match)) for match in _MISSING.findall(text)]
    return [key for key in found if not wanted.get(key) and not echoed.get(key)]


def _named(text: str, about: str, wanted: Mapping[str, str]) -> list[str]:
    """Options that the text names, unless it refuses a value that they do not have."""
    found = []
    tokens = quoted(about)
    fields = {flat(token): token for token in tokens}
    for key, value in wanted.items():
        field = fields.get(flat(key), "")
        if not field and not mentions(text, key):
            continue
        stated = {token for token in tokens if token != field and token not in wanted and not is_type(token)}
        stated |= after(about, field or key)
        # A character that is allowed or not is quoted too.
        stated = {token for token in stated if any(map(str.isalnum, token))}
        # A text that complains of a value, or of a type, that the option does not have now is not about now.
        is_other = (stated and _REFUSES_VALUE.search(about)) or is_sound(text, value)
        if not (is_other and stated.isdisjoint(parts(value))):
            found.append(key)
    return found


def _core(about: str) -> str:
    """A text from where it begins to refuse: what stands before only says which step failed."""
    start = _REFUSES_VALUE.search(about) or re.search(r"\bspecified\b", about)
    return about[start.start() :] if start else about


def _by_value(about: str, wanted: Mapping[str, str]) -> list[str]:
    """The options whose value the text quotes, as far as their names resemble its words best."""
    tokens = {token for token in quoted(about) if not is_type(token)}
    loose = set() if tokens else bare(about)
    words = words_of(about)
    scores: dict[str, int] = {}
    for key, value in wanted.items():
        alike = likeness(key, words)
        # Many options are `none`: only a name of which the text has two words tells whose value is quoted.
        telling = {part for part in parts(value) if alike > 1 or part.lower() not in _TRIVIAL}
        is_quoted = any(part in tokens and (alike or len(part) > 3) for part in telling)
        is_there = not (telling - _TRIVIAL).isdisjoint(loose) or (
            not tokens and value in telling and holds(about, value)
        )
        if is_quoted or (alike and is_there):
            scores[key] = alike + is_quoted
    best = max(scores.values(), default=0)
    return [key for key, score in scores.items() if score == best]


def _combined(text: str, wanted: Mapping[str, str], changed: Set[str]) -> list[str]:
    """The options that are said not to go together: those claimed are on, one of those needed is off."""
    if "in combination with" in text and any(wanted.get(key, v) != v for key, v in _PAIR.findall(text)):
        return []
    if any(mentions(text, key) for key in changed) or any(
        changed & {*meant} for meant in options_meant(text)
    ):
        return []
    split = _NEEDED.search(text)
    claim, needed = (text[: split.start()], text[split.start() :]) if split else (text, "")
    if re.search(r"must be enabled", claim, re.IGNORECASE):
        claim, needed = "", claim
    values = _by_value(claim, wanted) if quoted(claim) else []
    if (quoted(claim) - {"true", "false"} and not values) or _NUMBER.search(text):
        return []
    on = [_of(options, wanted, is_on=True) for options in _mentioned(claim, wanted)]
    off = [_of(options, wanted, is_on=False) for options in _mentioned(needed, wanted)]
    if not all(on) or (off and not any(off)) or not (on or off or values):
        return []
    return [*values, *(key for keys in (*on, *off) for key in keys)]


def _sized(text: str, wanted: Mapping[str, str]) -> list[str]:
    """The options behind a size that a text calls wrong without telling it."""
    if not _SIZE.search(text) or _NUMBER.search(text) or quoted(text):
        return []
    families = {name.lower() for name in _FAMILY.findall(text)}
    return [
        key
        for options in options_meant(text)
        for key in options
        if key in wanted and not ({*_FAMILY.findall(key)} - families if families else set())
    ]


def _mentioned(text: str, wanted: Mapping[str, str]) -> list[tuple[str, ...]]:
    named = [(key,) for key in wanted if mentions(text, key)]
    return [*named, *options_meant(text)]


def _of(options: Iterable[str], wanted: Mapping[str, str], *, is_on: bool) -> tuple[str, ...]:
    """Those of a feature's options that the configuration has, if they are all off, or those that are on."""
    held = [key for key in options if key in wanted]
    on = [key for key in held if wanted[key].lower() not in OFF]
    return tuple(on) if is_on else () if on else tuple(held)

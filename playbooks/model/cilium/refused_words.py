"""Words of a refusal: what it quotes, which option it names, which type it wanted."""

from __future__ import annotations

import re
from collections.abc import Callable

ALLOWED = re.compile(
    r"[,;(]?\s*\(?(\b(valid|supported|allowed|possible|available) (modes?|values?|options?)"
    r"|\b(it )?must be (one of|in range|['{\[(])|\b(please )?use\b|\bexpected\b|\bhint:)",
    re.IGNORECASE,
)
"""From here on a text lists what would be right."""
_QUOTED = re.compile(r'"([^"\s]{1,200})"|\'([^\'\s]{1,200})\'|`([^`\s]{1,200})`')
_WORD = re.compile(r"[^\s,;:=()\[\]{}\"'`]+")
_TYPES = re.compile(
    r"as '?(int|uint|bool|float|time\.Duration)|Parse(Int|Uint|Bool|Float)|(duration)", re.IGNORECASE
)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?")
_DURATION = re.compile(r"0|[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+")
_COMMON = frozenset({"enable", "max", "min", "size", "cilium", "k8s", "the", "of", "to", "in", "is", "and"})
_TYPE_NAMES = frozenset(
    {"int", "uint", "bool", "string", "float", "time.duration", "int32", "int64", "float64"}
)
_BOOLEANS = frozenset({"true", "false", "True", "False", "TRUE", "FALSE", "t", "f", "T", "F", "1", "0"})


def quoted(text: str) -> set[str]:
    """What stands in quotes, word by word."""
    return {next(filter(None, match)) for match in _QUOTED.findall(text)}


def bare(text: str) -> set[str]:
    """All words, and the parts of those that a slash divides; numbers in their shortest form too."""
    found = _WORD.findall(text)
    whole = {*found, *(part for word in found for part in word.split("/"))}
    return whole | {short for word in whole if (short := _shortest(word))}


def parts(value: str) -> set[str]:
    """A value, the members of a list, and a number in its shortest form."""
    return {value, *re.split(r"[\s,]+", value), _shortest(value)} - {""}


def words_of(text: str) -> set[str]:
    """Words of letters and digits, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", text)}


def likeness(key: str, words: set[str]) -> int:
    """How many of an option's telling words are among these."""
    return sum(_is_among(part, words) for part in key.split("-") if part not in _COMMON)


def mentions(text: str, key: str) -> bool:
    """Whether a text names an option as such; one that is a common word only with dashes or as `option x`."""
    if "-" in key and f"invalid {key.replace('-', ' ')}: " in text:
        return True
    start = r"(?<![\w-])" if "-" in key else r"(?:--|option )"
    return key in text and re.search(rf"{start}(?:--)?{re.escape(key)}(?![\w-])", text) is not None


def holds(text: str, value: str) -> bool:
    """Whether a longer value stands in a text as it is, not as a part of a word."""
    return len(value) > 4 and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) is not None


def after(text: str, key: str) -> set[str]:
    """The value that stands right behind an option's name."""
    match = re.search(rf"{re.escape(key)}['\"]?\s*(?:[:=]\s*|value\s+)['\"]?([^\s,;()'\"]+)", text)
    return {match[1].rstrip(".:")} if match else set()


def is_sound(text: str, value: str) -> bool:
    """Whether a text complains of a type that the value has: then it complained of another value."""
    match = _TYPES.search(text)
    if not match:
        return False
    kind = (match[1] or match[2] or match[3]).lower()
    return _SOUND[kind](value)


def is_type(token: str) -> bool:
    """Whether a word is the name of a type."""
    return token.lower() in _TYPE_NAMES


def flat(name: str) -> str:
    """A name without dashes and case: options and the fields that hold them become equal."""
    return name.replace("-", "").replace("_", "").lower()


_SOUND: dict[str, Callable[[str], bool]] = {
    "int": lambda value: re.fullmatch(r"[-+]?\d+", value) is not None,
    "uint": str.isdigit,
    "bool": _BOOLEANS.__contains__,
    "float": lambda value: _NUMBER.fullmatch(value) is not None,
    "time.duration": lambda value: _DURATION.fullmatch(value) is not None,
    "duration": lambda value: _DURATION.fullmatch(value) is not None,
}


def _shortest(word: str) -> str:
    return format(float(word), "g") if "." in word and _NUMBER.fullmatch(word) else ""


def _is_among(part: str, words: set[str]) -> bool:
    return part in words or (len(part) > 3 and any(word.startswith(part) for word in words))

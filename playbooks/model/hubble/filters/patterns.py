"""Patterns of names and regular expressions, both as RE2 understands them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from playbooks.model.hubble.filters.remembering import remembered
from playbooks.model.hubble.filters.wording import WrongValue, quoted

_ANY_NAME = r"(?:[-0-9_a-z]+(?:\.[-0-9_a-z]+)*)"
_LITERAL = frozenset("-_0123456789abcdefghijklmnopqrstuvwxyz")
_DEFAULT_CLUSTER = "default"
_WORDS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "trailing \\": "trailing backslash at end of expression",
    "invalid repetition size": "invalid repeat count",
    "invalid perl operator": "invalid or unsupported Perl syntax",
}

Finder = Callable[[str], bool]
"""Whether a text matches."""


def regular(pattern: str) -> Finder:
    """A regular expression to be found anywhere in a text; one that RE2 does not take is refused."""
    import re2  # loaded only where an expression is compiled: starting must stay quick

    options = re2.Options()
    options.log_errors = False
    try:
        search = re2.compile(pattern, options=options).search
    except (re2.error, UnicodeError) as wrong:
        raise WrongValue(f"error parsing regexp: {_reason(wrong)}") from None
    return lambda text: search(text) is not None


def _reason(wrong: Exception) -> str:
    said = wrong.args[0] if wrong.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else "invalid UTF-8"
    for start, words in _WORDS.items():
        if text.startswith(start):
            rest = text.removeprefix(start).removeprefix(": ")
            return f"{words}: `{_first(words, rest)}`"
    head, colon, rest = text.partition(": ")
    return f"{head}: `{rest}`" if colon else text


def _first(words: str, rest: str) -> str:
    return rest[:1] if words.endswith(")") else rest


def any_regular(patterns: Iterable[str]) -> Finder:
    """Several expressions, one of which has to be found."""
    finders = [regular(pattern) for pattern in patterns]
    return finders[0] if len(finders) == 1 else lambda text: any(finds(text) for finds in finders)


def domain_names(patterns: Iterable[str]) -> Finder:
    """Patterns of domain names with stars, one of which has to match the whole name."""
    return _whole("|".join([_domain_name(pattern) for pattern in patterns]))


def node_names(patterns: Iterable[str]) -> Finder:
    """Patterns of nodes as `[cluster/]node`, one of which has to match the node's name and cluster."""
    matches = _whole("|".join([_node_name(pattern) for pattern in patterns]))

    def finds(name: str) -> bool:
        return bool(name) and matches(name if "/" in name else f"{_DEFAULT_CLUSTER}/{name}")

    return finds


def _whole(expression: str) -> Finder:
    # Names repeat from flow to flow, and RE2 costs a microsecond a name.
    return remembered(regular(rf"\A(?:{expression})\z"))


def _domain_name(pattern: str) -> str:
    name = pattern.strip().removesuffix(".").lower()
    if not name:
        raise WrongValue("empty pattern")
    if name.endswith("."):
        raise WrongValue("multiple trailing dots in pattern")
    return "".join(map(_piece, name))


def _piece(character: str) -> str:
    if character == ".":
        return r"\."
    if character == "*":
        return r"[-.0-9a-z]*"
    if character in _LITERAL:
        return character
    raise WrongValue(quoted(character, "'") + ": invalid rune in pattern")


def _node_name(pattern: str) -> str:
    if not pattern:
        raise WrongValue("empty pattern")
    if pattern.count("/") > 1:
        raise WrongValue("too many slashes in pattern")
    cluster, _, node = pattern.rpartition("/")
    return f"{_domain_name(cluster) if cluster else _ANY_NAME}/{_domain_name(node) if node else _ANY_NAME}"

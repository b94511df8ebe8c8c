"""What is secret in an answer, found fast and replaced without harm to JSON or to any other word.

Every search begins with a plain substring, because that runs at the speed of memory; a pattern looks only
at the few places found. All patterns consume whole escape sequences, so that what is left is valid JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

REDACTED = b"<redacted>"


Secret = tuple[int, int, int]
"""Where a secret is: the beginning of what gives it away (its name), its own beginning, and its end."""


# A bare value: up to a separator; an escaped backslash or an escaped angle bracket belongs to it.
_BARE = rb"""(?:[^\s"'\\,;&<>(){}\[\]]|\\\\|\\u003[ce])+"""
# What stands where a secret could but is none: a reference to a variable, a path, a word of the language.
_HARMLESS = rb"""(?!\$[({]|/[a-z]+/|(?i:true|false|nil|null|none)\b)"""
# After a JSON key; the value is a string with its escapes.
_AFTER_KEY = rb'"\s*:\s*"' + _HARMLESS + rb'((?:[^"\\\n]|\\.)+)"'
# The same inside of a JSON string: one escape level deeper.
_AFTER_ESCAPED_KEY = rb'\\"\s*:\s*\\"' + _HARMLESS + rb'((?:[^"\\]|\\\\(?:[^"\\]|\\.)|\\[^"\\])+)\\"'
_ESCAPED_QUOTES = rb'=\\"((?:[^"\\\n]|\\\\)+)\\"'
_SINGLE_QUOTES = rb"='((?:[^'\"\\\n]|\\\\)+)'"
_ASSIGNED = rb"=" + _HARMLESS + rb"(" + _BARE + rb")"

_IN_JSON = re.compile(b"|".join((_AFTER_KEY, _AFTER_ESCAPED_KEY, _ESCAPED_QUOTES, _SINGLE_QUOTES, _ASSIGNED)))
_IN_TEXT = re.compile(
    b"|".join(
        (
            rb'="((?:[^"\\\n]|\\.)+)"',
            _AFTER_KEY,
            _AFTER_ESCAPED_KEY,
            _ESCAPED_QUOTES,
            _SINGLE_QUOTES,
            _ASSIGNED,
        )
    )
)
# A field of a Go struct that was printed: {Username:a Password:b}.
_FIELD_BEFORE = re.compile(rb"[{ \[][A-Za-z]*$")
_FIELD = re.compile(rb":(" + _BARE + rb")")
# A line of YAML, also inside of a JSON string, where a line break is an escape.
_YAML_BEFORE = re.compile(rb"""(?:^|\n|\\n|")[ \t]*(?:- )?["'\\]{0,2}[\w.-]*$""")
_YAML = re.compile(rb"(?:\\\"|')?:[ \t]+" + _HARMLESS + rb"(?![|>&!{\[])((?:[^\n\r\"\\]|\\[^nr\n])+)")
_YAML_QUOTED = re.compile(rb'(?:\\"|\')?:[ \t]+"' + _HARMLESS + rb'((?:[^"\\\n]|\\.)+)"[ \t]*\r?(?:\n|$)')
_WORD_END = {
    b"token": re.compile(rb"(?i)token"),
    b"pass": re.compile(rb"(?i)pass(?:word|wd|phrase)"),
    b"secret": re.compile(rb"(?i)(?:(?<=client)|(?<=client[-_]))secret|secret[-_]?(?:access[-_]?)?key"),
}
# A scheme is also an ordinary word: what follows it is a secret only if it looks unlike one.
_SCHEME = re.compile(
    rb"(?i:bearer|basic)[ ]+(?=[\w.~+/=-]*(?:[0-9=]|[a-z][A-Z]))((?:[A-Za-z0-9._~+/=-]){8,})"
)
_JWT = re.compile(rb"(eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)")
_PEM = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----((?:[A-Za-z0-9+/=:,.\s-]|\\+[nr])+?)"
    rb"(?:-----END [A-Z ]*PRIVATE KEY-----|$|\")"
)
_PEM_BASE64 = re.compile(rb"LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJ|BFQyBQUklW|BFTkNSWVBU)([A-Za-z0-9+/=]*)")
_USERINFO = re.compile(rb"""(?:[^\s/?#"'<>\\@]|\\u00[0-9a-f]{2})+""")
_USERINFO_REACH = 400
_DIGEST = (b"sha256:", b"sha512:")

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_ENV = re.compile(rb'"env"\s*:\s*\[')
# The two shapes of an item, as the API server writes them; and whatever else could be one.
_ENV_VALUE = re.compile(
    rb'\s*\{\s*"name"\s*:\s*' + _STRING + rb'\s*,\s*"value"\s*:\s*"((?:[^"\\]++|\\.)*+)"\s*\}\s*,?'
)
_INSIDE = rb"(?:[^\"{}]++|" + _STRING + rb")*+"
for _ in range(4):
    _INSIDE = rb"(?:[^\"{}]++|" + _STRING + rb"|\{" + _INSIDE + rb"\})*+"
_ENV_OTHER = re.compile(rb"\s*\{(" + _INSIDE + rb")\}\s*,?")
_VALUE = re.compile(rb'"value"\s*:\s*"((?:[^"\\]++|\\.)*+)"')
_APPLIED = b'"kubectl.kubernetes.io/last-applied-configuration"'
_APPLIED_VALUE = re.compile(rb'\s*:\s*"((?:[^"\\]++|\\.)++)"')


def redacted_text(text: bytes, is_json: bool = False) -> bytes:
    """A log or the output of a command without its passwords and tokens."""
    return without(text, secrets_in(text, is_json))


def redacted_objects(document: bytes) -> bytes:
    """Kubernetes objects as JSON without passwords, tokens, values of env and what was last applied."""
    found = [*secrets_in(document, is_json=True), *_env_values(document), *_applied(document)]
    return without(document, sorted(found))


def without(data: bytes, secrets: list[Secret]) -> bytes:
    """The data with each of the secrets, given in order, replaced."""
    if not secrets:
        return data
    pieces: list[bytes] = []
    done = 0
    for _, start, end in secrets:
        if start >= done:
            pieces.append(data[done:start])
            pieces.append(REDACTED)
        if end > done:
            done = end
    pieces.append(data[done:])
    return b"".join(pieces)


def secrets_in(data: bytes, is_json: bool) -> list[Secret]:
    """Passwords, tokens, keys and user information of URLs, in order."""
    lower = data.lower()
    found = [
        *_named(data, lower, is_json),
        *_matching(data, lower, b"bearer ", _SCHEME),
        *_matching(data, lower, b"basic ", _SCHEME),
        *_matching(data, data, b"eyJ", _JWT),
        *_matching(data, data, b"LS0tLS1CRUdJTi", _PEM_BASE64),
        *_userinfo(data),
    ]
    if b"PRIVATE KEY-----" in data:
        found += _matching(data, data, b"-----BEGIN ", _PEM)
    return sorted(found)


def _places(data: bytes, part: bytes) -> Iterator[int]:
    at = data.find(part)
    while at >= 0:
        yield at
        at = data.find(part, at + 1)


def _matching(data: bytes, searched: bytes, part: bytes, pattern: re.Pattern[bytes]) -> Iterator[Secret]:
    done = 0
    for at in _places(searched, part):
        if at >= done and (match := pattern.match(data, at)):
            done = match.end()
            yield (at, *match.span(1))


def _named(data: bytes, lower: bytes, is_json: bool) -> Iterator[Secret]:
    """Values that stand behind a name such as `password`."""
    for part, word in _WORD_END.items():
        for at in _places(lower, part):
            named = word.match(data, at)
            if named and (span := _value(data, at, named.end(), is_json)):
                yield (at, *span)


def _value(data: bytes, at: int, after: int, is_json: bool) -> tuple[int, int] | None:
    """Where the value is that belongs to the name from `at` to `after`."""
    next_byte = data[after : after + 1]
    if next_byte not in b"=\"'\\:" or not next_byte:
        return None
    line = data.rfind(b"\n", 0, at) + 1
    forms = _IN_JSON if is_json or data[line : line + 1] == b"{" else _IN_TEXT
    if match := forms.match(data, after):
        return match.span(match.lastindex or 0)
    before = data[max(line, at - 200) : at]
    match = _YAML.match(data, after)
    if match is None and forms is _IN_TEXT:
        match = _YAML_QUOTED.match(data, after)
    if match and _YAML_BEFORE.search(before):
        return match.span(1)
    if data[at : at + 1].isupper() and (match := _FIELD.match(data, after)) and _FIELD_BEFORE.search(before):
        return match.span(1)
    return None


def _userinfo(data: bytes) -> Iterator[Secret]:
    """User and password of URLs, found by their `@`."""
    for at in _places(data, b"@"):
        if data.startswith(_DIGEST, at + 1):
            continue
        mark = data.rfind(b"://", max(0, at - _USERINFO_REACH), at)
        if mark < 0 or not _USERINFO.fullmatch(data, mark + 3, at):
            continue
        if b":" in data[mark + 3 : at] or data[max(0, mark - 5) : mark].endswith((b"http", b"https")):
            yield mark, mark + 3, at


def _env_values(document: bytes) -> Iterator[Secret]:
    """Values of variables, item by item until the array ends."""
    for found in _places(document, b'"env"'):
        array = _ENV.match(document, found)
        at = array.end() if array else -1
        while at >= 0:
            if item := _ENV_VALUE.match(document, at):
                begin, end = item.span(1)
                if begin < end:
                    yield begin, begin, end
            elif item := _ENV_OTHER.match(document, at):
                for value in _VALUE.finditer(document, *item.span(1)):
                    yield (value.start(), *value.span(1))
            at = item.end() if item else -1


def _applied(document: bytes) -> Iterator[Secret]:
    for at in _places(document, _APPLIED):
        if value := _APPLIED_VALUE.match(document, at + len(_APPLIED)):
            yield (at, *value.span(1))

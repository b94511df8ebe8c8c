"""Which faults a pasted line may come from: a log line, the message of an event, the name of an alert."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from playbooks.engine.discovery import Catalogue
from playbooks.knowledge.drop_reasons import DropReason, drop_reasons
from playbooks.model.cilium.logs import parsed
from playbooks.model.rule import Rule

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COMMON = frozenset(
    _WORD.findall(
        "the and for with that this from not was are has have its own which what when level msg error err "
        "warning warn info time subsys module name failed unable kubernetes cilium agent pod node any all "
        "into than then cluster kube system too"
    )
)
"""Words that tell no fault from another."""
_LONGEST = 24
"""Letters of a word; what is longer was generated, or encoded."""
_MADE = re.compile(r"\d[a-z]*\d[a-z]*\d")
"""Part of ids and hashes, which no fault knows."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) ")
_SANDBOX = re.compile(
    r".*(FailedCreatePodSandBox|Failed to create pod sandbox|setup network for sandbox).*failed \(add\): "
)
_ANYWHERE = frozenset(
    _WORD.findall(
        "get post put http https localhost dial tcp udp unix connect connection refused timed out timeout "
        "context deadline exceeded such file directory address already use operation supported permitted "
        "permission denied invalid argument unexpected end cannot could open read write status code rpc desc "
        "file line endpoint drop "
        "unknown type message reason plugin network test resource server set option flow default "
        "net etc proc sys var run lib usr first last"
    )
)
"""Words in which any program's call fails: they make a line longer, and decide nothing."""
_LEAST = 0.25
"""Share of what a line says that a fault must know of it."""
_LEAST_CALM = 0.5
"""The same of a line that tells of no trouble."""
_VERBATIM = 3.0
"""How much more a word counts that stands in a line which a real cluster printed."""
_NAMED = 1.5
"""The same of a word that stands in the fault's name or title."""
_QUOTED = re.compile(r"`([^`]+)`")
_ENDING = re.compile(r"(ings?|ions?|ed|es|s|e)$")
_SHORTEST = 3
"""Letters of a stem at least, but for one."""
_WORDS = 2
"""Telling words that a line and a fault have in common at least."""
MOST = 5
"""Faults that are named."""


@dataclass(frozen=True, slots=True)
class Likely:
    """A fault that a line may come from."""

    rule: Rule
    """The rule that recognises it."""
    likeness: float
    """Between 0 and 1; for the order only."""
    words: tuple[str, ...]
    """What of the line speaks for it."""


@dataclass(frozen=True)
class Signatures:
    """What every rule says about its fault, ready to be compared with lines."""

    catalogue: Catalogue
    """The rules."""

    def likely(self, line: str) -> tuple[Likely, ...]:
        """The faults that a line may come from, the likeliest first; none where nothing speaks for any."""
        spelled = {stem_of(word): word for word in reversed(tuple(words_of(said_in(line))))}
        asked = tuple(reversed(spelled))
        least = _LEAST_CALM if _is_calm(line) else _LEAST
        # A word that no rule uses says that the line may be about something else.
        unheard = math.log(1 + len(self._weights))
        total = sum(self._rarity.get(word, unheard) for word in asked) * _VERBATIM
        found = []
        for rule in self.catalogue.rules:
            weights = self._weights[rule.id]
            hits = [word for word in asked if word in weights]
            if len(hits) >= _WORDS and not _STEMS.issuperset(hits):
                score = sum(self._rarity[word] * weights[word] for word in hits) / total
                found.append(Likely(rule, score, tuple(spelled[word] for word in hits)))
        best = max((one.likeness for one in found), default=0.0)
        near = [one for one in found if one.likeness >= max(least, best / 2)]
        return tuple(sorted(near, key=lambda one: (-one.likeness, one.rule.id))[:MOST])

    @cached_property
    def _weights(self) -> Mapping[str, Mapping[str, float]]:
        return {rule.id: _weighted(rule) for rule in self.catalogue.rules}

    @cached_property
    def _rarity(self) -> Mapping[str, float]:
        """How telling a word is: the fewer rules use it, the more."""
        used = Counter(word for weights in self._weights.values() for word in weights)
        return {word: math.log(1 + len(self._weights) / count) for word, count in used.items()}


def drops_in(line: str) -> tuple[DropReason, ...]:
    """The drop reasons that a line names, as Hubble, monitor or a metric's label spell them."""
    lowered = line.lower()
    named = (
        (
            reason,
            max(
                (len(word) for word in (reason.name, reason.text) if word and word.lower() in lowered),
                default=0,
            ),
        )
        for reason in drop_reasons()
        if reason.is_drop
    )
    found = sorted(((size, reason) for reason, size in named if size > 3), key=lambda pair: -pair[0])
    # "Policy denied by denylist" names one reason, though the text of another is part of it.
    longest = found[0][0] if found else 0
    return tuple(reason for size, reason in found if size == longest)


def said_in(text: str) -> str:
    """What a text says: of logs message and error, of a sandbox's failure what the plug-in said."""
    lines = (_said(line.strip()) for line in text.splitlines())
    return "\n".join(lines)


def _said(line: str) -> str:
    stamp = _STAMP.match(line)
    log = parsed(line[stamp.end() :] if stamp else line)
    said = log.said if log.level else line
    return _SANDBOX.sub("", said)


def _is_calm(text: str) -> bool:
    """Whether all of it are lines of a log below a warning."""
    return all(parsed(line.strip()).level in ("info", "debug") for line in text.splitlines() if line.strip())


def words_of(text: str) -> Iterable[str]:
    """The telling words of a text, lower-cased; names written together are taken apart."""
    for word in _WORD.findall(text):
        for part in _HUMP.split(word):
            lowered = part.lower()
            if 2 < len(lowered) <= _LONGEST and lowered not in _COMMON and not _MADE.search(lowered):
                yield lowered


def stem_of(word: str) -> str:
    """A word without the ending that its place in a sentence gives it."""
    stem = _ENDING.sub("", word)
    return stem if len(stem) > _SHORTEST else word


def _weighted(rule: Rule) -> Mapping[str, float]:
    told = dict.fromkeys(_stems(rule.why), 1.0)
    named = dict.fromkeys(_stems(f"{rule.name.replace('_', ' ')} {rule.title}"), _NAMED)
    # What a manual page quotes is what the fault prints, as the verbatim lines are.
    printed = (*(line for case in rule.cases for line in case.lines), *_QUOTED.findall(rule.why))
    return told | named | {word: _VERBATIM for line in printed for word in _stems(said_in(line))}


def _stems(text: str) -> Iterable[str]:
    return map(stem_of, words_of(text))


_STEMS = frozenset(map(stem_of, _ANYWHERE))

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
_LEAST = 0.2
"""Share of what a line says that a fault must know of it."""
_VERBATIM = 3.0
"""How much more a word counts that stands in a line which a real cluster printed."""
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
        asked = tuple(dict.fromkeys(words_of(line)))
        # A word that no rule uses says that the line may be about something else.
        unheard = math.log(1 + len(self._weights))
        total = sum(self._rarity.get(word, unheard) for word in asked) * _VERBATIM
        found = []
        for rule in self.catalogue.rules:
            weights = self._weights[rule.id]
            hits = [word for word in asked if word in weights]
            if len(hits) >= _WORDS:
                score = sum(self._rarity[word] * weights[word] for word in hits) / total
                found.append(Likely(rule, score, tuple(hits)))
        best = max((one.likeness for one in found), default=0.0)
        near = [one for one in found if one.likeness >= max(_LEAST, best / 2)]
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


def words_of(text: str) -> Iterable[str]:
    """The telling words of a text, lower-cased; names written together are taken apart."""
    for word in _WORD.findall(text):
        for part in _HUMP.split(word):
            lowered = part.lower()
            if len(lowered) > 2 and lowered not in _COMMON:
                yield lowered


def _weighted(rule: Rule) -> Mapping[str, float]:
    said = dict.fromkeys(words_of(f"{rule.name.replace('_', ' ')} {rule.title} {rule.why}"), 1.0)
    printed = (line for case in rule.cases for line in case.lines)
    return said | {word: _VERBATIM for line in printed for word in words_of(line)}

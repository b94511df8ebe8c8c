"""What flows are asked for, in the words of `hubble observe`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from playbooks.model.text import Text

if TYPE_CHECKING:
    from playbooks.model.hubble.filters.asked import Help, Observe
    from playbooks.model.hubble.filters.wording import Refused

HISTORY = 100
"""Flows of the past with which a live list begins, from every node, unless another number is asked for."""
EVERYTHING = "all"
"""What is typed for the full stream."""
TROUBLES = ("--verdict", "DROPPED", "--verdict", "ERROR")
_OR = "  or  "


@dataclass(frozen=True, slots=True)
class Question:
    """Which flows are wanted."""

    parts: tuple[tuple[str, ...], ...]
    """Arguments of `hubble observe`; where there are several, a flow of any of them is wanted."""
    name: str
    """For the status line, in a word or two."""
    is_typed: bool = False
    """Whether a person typed it; then it stays when something else is selected."""

    @property
    def words(self) -> str:
        """The arguments as a person types them."""
        return _OR.join(shlex.join(part) for part in self.parts) or EVERYTHING

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that ask for the same."""
        return tuple(" ".join(("hubble observe --follow", shlex.join(part))).strip() for part in self.parts)

    @property
    def is_full(self) -> bool:
        """Whether it asks for everything there is."""
        return not any(self.parts)


DROPS = Question((TROUBLES,), "drops")
"""What is asked for when nothing else is."""


class WrongQuestion(ValueError):
    """Words that ask for nothing that can be shown; the text says why."""


class HelpWanted(Exception):
    """The words ask which flags there are."""

    def __init__(self, text: str) -> None:
        """`text` has them."""
        super().__init__("help")
        self.text = text


def typed(text: str, now: datetime) -> Question:
    """What was typed. Raises `WrongQuestion` and `HelpWanted`."""
    if text.strip() == EVERYTHING:
        return Question(((),), "all flows", is_typed=True)
    parts = []
    for part in text.split(_OR):
        try:
            parts.append(tuple(shlex.split(part)))
        except ValueError as error:
            raise WrongQuestion(f"{str(error).lower()}: quote with ' or \"") from None
    question = Question(tuple(parts), "filtered", is_typed=True)
    observed(question, now, is_live=True)
    return question


def observed(question: Question, now: datetime, *, is_live: bool) -> Observe:
    """The question as a request. Raises `WrongQuestion` and `HelpWanted`."""
    first, *others = [_observed(part, now, is_live=is_live) for part in question.parts]
    if any(other.denylist != first.denylist for other in others):
        raise WrongQuestion("alternatives cannot have different --not filters")
    allowed = tuple(each for one in (first, *others) for each in one.allowlist)
    is_open = any(not one.allowlist for one in (first, *others))
    # Details show every field, so none is left out.
    whole = replace(first, allowlist=() if is_open else allowed, field_mask=())
    if is_live and not whole.number and whole.since is None:
        return replace(whole, number=HISTORY)
    return whole


def _observed(part: Sequence[str], now: datetime, *, is_live: bool) -> Observe:
    from playbooks.model.hubble.filters.asked import Help, Observe
    from playbooks.model.hubble.filters.observing import observe

    # A file has no usual number of last flows, which is what a recording should have too.
    more = ("--follow",) if is_live else ("--input", ".")
    found: Observe | Help | Refused = observe((*more, *part), now, sub_commands=False)
    if isinstance(found, Help):
        raise HelpWanted(found.text)
    if not isinstance(found, Observe):
        raise WrongQuestion("; ".join(shown for shown in Text(found.message).lines if shown.strip()))
    if found.words:
        said = (
            f"{Text(found.words[0]).shown!r} is no flag: filters are flags of hubble observe, such as --pod"
        )
        raise WrongQuestion(said)
    is_elsewhere = any(word.startswith(("--input", "--output", "-o")) for word in part)
    if found.server or is_elsewhere or found.print_raw_filters:
        raise WrongQuestion("flags about servers, files and formats belong on the command line")
    return found


def completions(text: str) -> tuple[str, ...]:
    """Flags that the last word may become."""
    from playbooks.model.hubble.filters.flag import Group, Kind
    from playbooks.model.hubble.filters.flags import flags_of

    head, blank, last = text.rpartition(" ")
    if not last.startswith("-"):
        return ()
    wanted = (Group.SELECTOR, Group.FILTER, Group.RAW)
    names = (f"--{flag.name}" for flag in flags_of(Kind.FLOWS) if flag.group in wanted)
    return tuple(head + blank + name for name in names if name.startswith(last) and name != last)

"""Turns names of playbooks into rules."""

from __future__ import annotations

from collections.abc import Sequence

from playbooks.engine.discovery import ORDER, catalogue
from playbooks.knowledge.symptoms import Symptom, symptoms
from playbooks.model.rule import Rule
from tui.commands.near import near
from tui.commands.trouble import Trouble


def rules_of(names: Sequence[str], seen: str = "") -> tuple[Rule, ...]:
    """The rules of these playbooks, of all when none is named. Raises `Trouble` for unknown names.

    With what is seen, the rules of the steps through which the console leads from there come first.
    """
    known = catalogue()
    if seen:
        walk = symptom(seen).walk
        led = [
            rule
            for playbook, step in walk
            for rule in known.rules
            if rule.playbook == playbook and step in ("", rule.step)
        ]
        more = rules_of(names) if names else ()
        return tuple(dict.fromkeys((*led, *more)))
    there = [playbook.name for playbook in known.playbooks]
    for name in names:
        if name not in there:
            raise _unknown(name, there)
    return known.rules_of(tuple(names))


def symptom(seen: str) -> Symptom:
    """What is seen, by its key or in words. Raises `Trouble`, with what there is and what is near."""
    every, wanted = symptoms(), " ".join(seen.lower().split())
    for one in every:
        if wanted in (one.key, one.says.lower()):
            return one
    words = frozenset(wanted.split())
    meant = [one for one in every if words and words <= _words(one)]
    if len(meant) == 1:
        return meant[0]
    keys = near(wanted, [one.key for one in every])
    said = near(wanted, [one.says for one in every])
    close = [one for one in every if one in meant or one.key in keys or one.says in said]
    raise Trouble(
        f"{seen!r} can mean several symptoms" if meant else f"there is no symptom {seen!r}",
        "",
        f"{'did you mean' if close else 'there is'}:\n{_listed(close or every)}",
    )


def _words(one: Symptom) -> frozenset[str]:
    said = "".join(letter if letter.isalnum() else " " for letter in f"{one.key} {one.says}".lower())
    return frozenset((one.key, *said.split()))


def _listed(some: Sequence[Symptom]) -> str:
    return "\n".join(f"    {one.key:<13} {one.says}" for one in some)


def _unknown(name: str, there: list[str]) -> Trouble:
    if name in ORDER:
        return Trouble(
            f"the playbook {name!r} is not part of this version", "", f"there is: {', '.join(there)}"
        )
    close = near(name, there)
    remedy = f"did you mean {' or '.join(close)}?" if close else f"there is: {', '.join(there)}"
    return Trouble(f"there is no playbook {name!r}", "", remedy)

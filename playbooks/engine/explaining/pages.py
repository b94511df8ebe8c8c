"""The page behind a word: the manual of a rule, a drop reason, a term."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from playbooks.engine.discovery import Catalogue
from playbooks.engine.explaining.signatures import Signatures, drops_in
from playbooks.knowledge.drop_reasons import DropReason, drop_reason_named, drop_reasons
from playbooks.knowledge.glossary import Term, terms, terms_in
from playbooks.model.mistyped import nearest
from playbooks.model.rule import Rule
from playbooks.model.text import Text

_CERTAIN = 0.5
_PROOF = {
    "R": "a recording of a real cluster",
    "V": "a line that a real cluster printed, put into a recording",
    "W": "the practice cluster only",
}


def page(word: str, known: Catalogue) -> tuple[str, ...]:
    """What there is to say of a word; nothing when nobody knows it."""
    rule = known.rule(word)
    if rule is not None:
        return tuple(rule_page(rule, known))
    reason = drop_reason_named(word)
    term = next((one for one in terms() if word.strip().lower() in _spellings(one)), None)
    lines = [*(drop_page(reason, known) if reason else ()), *(term_page(term, known) if term else ())]
    return tuple(lines)


def suggestions(word: str, known: Catalogue) -> tuple[str, ...]:
    """Words near one that nobody knows."""
    rules = [name for rule in known.rules for name in (rule.id, rule.name)]
    drops = [
        name for reason in drop_reasons() if reason.is_drop for name in (reason.name, reason.text) if name
    ]
    return nearest(word, (*rules, *drops, *(spelling for term in terms() for spelling in _spellings(term))))


def rule_page(rule: Rule, known: Catalogue) -> Iterator[str]:
    """The manual page of a rule."""
    yield f"{rule.id}  {rule.name}"
    yield ""
    yield rule.title
    yield ""
    yield from rule.why.splitlines()
    yield ""
    playbook = known.playbook(rule.playbook)
    step = next((step for step in playbook.steps if step.key == rule.step), None) if playbook else None
    yield f"playbook  {rule.playbook}"
    if step:
        yield f"question  {step.question}"
        yield f"by hand   $ {step.command}"
        yield f"reading   {step.reading}"
    for case in rule.cases:
        yield f"proof     {case.id}: {_PROOF[case.proof]}; silent on: {case.twin}"
    if all(case.proof == "W" for case in rule.cases):
        yield "          unproven: no recording of a real cluster stands behind this rule"


def drop_page(reason: DropReason, known: Catalogue) -> Iterator[str]:
    """What a drop reason means and what to look at next."""
    yield f"drop reason {reason.number}  {reason.printed}"
    yield ""
    yield _sentence(reason.meaning) or "Nothing more is known of it."
    yield ""
    if reason.name:
        yield f"hubble    {reason.name}: hubble observe --drop-reason-desc {reason.name}"
    if reason.text:
        yield f'metric    cilium_drop_count_total{{reason="{reason.text}"}}'
    yield f"since     {reason.since}"
    if reason.causes:
        yield f"causes    {', '.join(reason.causes)}"
    if reason.next_check:
        yield f"next      {reason.next_check}"
    if reason.harmless:
        yield f"harmless  {reason.harmless}"
    likely = Signatures(known).likely(f"{reason.text} {reason.meaning}")
    if likely:
        yield f"rules     {', '.join(one.rule.id for one in likely)}"


def term_page(term: Term, known: Catalogue) -> Iterator[str]:
    """What a term means, and which rules speak of it."""
    yield term.name
    yield ""
    yield term.meaning
    yield ""
    if term.also:
        yield f"also      {', '.join(term.also)}"
    rules = [rule.id for rule in known.rules if term in terms_in(f"{rule.title} {rule.why}")]
    if rules:
        yield f"rules     {', '.join(rules[:12])}{' and more' if len(rules) > 12 else ''}"


def pasted(text: str, known: Catalogue) -> tuple[str, ...]:
    """Which faults a pasted text may come from, what would decide between them, and the terms in it."""
    lines: list[str] = []
    drops = drops_in(text)
    for reason in drops:
        lines += [*drop_page(reason, known), ""]
    likely = Signatures(known).likely(text)
    if drops:
        # The page of a drop reason names its rules; what else is alike says little beside it.
        likely = tuple(one for one in likely if one.likeness >= _CERTAIN)
    if likely:
        lines += ["It may come from, the likeliest first:", ""]
    for one in likely:
        lines += _candidate(one.rule, one.words, known)
    spoken = terms_in(text)
    if spoken:
        lines += ["Terms in it:", *(f"  {term.name}: {term.meaning}" for term in spoken)]
    return tuple(Text(line).shown for line in lines)


def _candidate(rule: Rule, words: Iterable[str], known: Catalogue) -> Iterator[str]:
    playbook = known.playbook(rule.playbook)
    step = next((step for step in playbook.steps if step.key == rule.step), None) if playbook else None
    yield f"  {rule.id}  {rule.title}"
    yield f"          speaks for it: {', '.join(words)}"
    if step:
        yield f"          decides: $ {step.command}"
        yield f"                   {step.reading}"
    yield ""


def _spellings(term: Term) -> tuple[str, ...]:
    return (term.name.lower(), *(word.lower() for word in term.also))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""

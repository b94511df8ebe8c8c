"""`honeyguide explain ID`: the manual page of a rule."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from playbooks.engine.discovery import Catalogue, catalogue
from playbooks.engine.report.marks import plain
from playbooks.model.rule import Rule
from tui.commands.options import Options
from tui.commands.printing import write
from tui.commands.terminal import is_ascii
from tui.commands.trouble import Trouble

_PROOF = {
    "R": "a recording of a real cluster",
    "V": "a line that a real cluster printed, put into a recording",
    "W": "the practice cluster only",
}


def run(options: Options) -> int:
    """Print it."""
    known = catalogue()
    rule = known.rule(options.words[0])
    if rule is None:
        raise _unknown(options.words[0], known)
    text = "".join(f"{line}\n" for line in _page(rule, known))
    write(plain(text).replace("\\n", "\n") if is_ascii(sys.stdout) else text)
    return 0


def _unknown(word: str, known: Catalogue) -> Trouble:
    from tui.commands.near import near

    names = [name for rule in known.rules for name in (rule.id, rule.name)]
    close = near(word, names)
    remedy = f"did you mean {' or '.join(close)}?" if close else f"ids are {known.rules[0].id} and its like"
    return Trouble(f"there is no rule {word!r}", "", remedy)


def _page(rule: Rule, known: Catalogue) -> Iterator[str]:
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

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.engine.discovery import catalogue
from playbooks.engine.explaining.pages import page, pasted, suggestions
from playbooks.engine.explaining.signatures import Signatures, drops_in
from playbooks.knowledge.drop_reasons import drop_reasons
from playbooks.knowledge.glossary import terms

VERBATIM = [
    (rule.id, line)
    for rule in catalogue().rules
    for case in rule.cases
    for line in case.lines
    if len(line.split()) > 4
]


@pytest.mark.parametrize("rule", [rule.id for rule in catalogue().rules])
def test_every_rule_has_a_page(rule: str) -> None:
    assert page(rule, catalogue())[0].startswith(rule)


def test_every_drop_reason_is_known_by_number_name_and_text() -> None:
    for reason in drop_reasons():
        for word in (str(reason.number), reason.name, reason.text) if reason.is_drop else ():
            if word:
                assert f"drop reason {reason.number}  " in page(word, catalogue())[0]


def test_every_term_has_a_page() -> None:
    for term in terms():
        assert term.meaning in page(term.name, catalogue())


def test_a_slip_of_the_finger_is_met_with_a_suggestion() -> None:
    assert page("pollicy", catalogue()) == ()
    assert "policy" in suggestions("pollicy", catalogue())


@pytest.mark.parametrize(("rule", "line"), VERBATIM)
def test_the_lines_of_a_rule_lead_to_it(rule: str, line: str) -> None:
    assert rule in [one.rule.id for one in Signatures(catalogue()).likely(line)]


def test_the_longest_drop_reason_that_a_line_names_is_meant() -> None:
    assert [one.number for one in drops_in("xx drop (Policy denied by denylist) flow 0x0")] == [181]
    assert [one.number for one in drops_in("x <> y Policy denied DROPPED (TCP Flags: SYN)")] == [133]


def test_a_line_about_something_else_leads_nowhere() -> None:
    assert Signatures(catalogue()).likely("user 4711 bought 3 umbrellas in the shop of Lisbon") == ()


@given(st.text(max_size=200))
def test_whatever_is_pasted_is_shown_harmlessly(text: str) -> None:
    for line in pasted(text, catalogue()):
        assert "\x1b" not in line


def test_a_drop_leads_to_the_rules_of_its_reason_only() -> None:
    lines = pasted("xx drop (Service backend not found) flow 0x0 to endpoint 0, file bpf_sock.c", catalogue())
    assert "drop reason 158" in lines[0]
    assert not any("likeliest first" in line for line in lines)

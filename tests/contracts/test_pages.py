"""Pages that are made from the code equal the code."""

from __future__ import annotations

import re

from playbooks.engine.discovery import catalogue
from playbooks.engine.report.page import schema_page
from tests.contracts.pages import (
    CASES,
    PARTS,
    README,
    ROOT,
    SCHEMA,
    cases_page,
    listed_cases,
    made_anew,
)

AGAIN = "write it anew with: make docs"


def test_the_schema_equals_the_code() -> None:
    assert SCHEMA.read_text() == schema_page(), AGAIN


def test_the_table_of_cases_equals_the_code() -> None:
    assert CASES.read_text() == cases_page(), AGAIN


def test_every_listed_case_is_recognised_and_every_recognised_one_is_told() -> None:
    listed = listed_cases()
    known = {case.id for rule in catalogue().rules for case in rule.cases}
    # A detached program is for the playbook of BPF programs to see.
    assert [case for case in listed if case not in known and case != "LAB-08"] == []


def test_the_readme_equals_the_code() -> None:
    page = README.read_text()
    assert page == made_anew(page), AGAIN
    assert set(re.findall(r"<!-- made: (\w+) -->", page)) == set(PARTS)


def test_the_readme_says_what_must_be_said() -> None:
    page = README.read_text()
    for words in (
        "equals root on the node",
        "make practice",
        "honeyguide check agent",
        "honeyguide.report/1",
    ):
        assert words in page


def test_the_readme_links_to_nothing_that_is_not_there() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README.read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []

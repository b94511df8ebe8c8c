"""Pages that are made from the code equal the code."""

from __future__ import annotations

import re

from playbooks.engine.report.page import schema_page
from tests.contracts.pages import PARTS, README, ROOT, SCHEMA, made_anew

AGAIN = "write it anew with: make docs"


def test_the_schema_equals_the_code() -> None:
    assert SCHEMA.read_text() == schema_page(), AGAIN


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

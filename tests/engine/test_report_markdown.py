"""The report for tickets: whatever a cluster says, it stays text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from playbooks.engine.ranking import Found
from playbooks.engine.report import Exit, as_markdown
from playbooks.engine.report.markdown import code, fenced, inline
from playbooks.model.text import Text
from tests.engine import reports as r

MARKUP = st.text(alphabet="ab 1`*_~[]()<>#+-.!|\\&:@/\"'=\n\t\x1b", max_size=40)
_parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def kinds(markdown: str) -> set[str]:
    """The kinds of everything in a document, but for text and its paragraphs."""
    found = set()
    for token in _parser.parse(markdown):
        found.add(token.type)
        found |= {child.type for child in token.children or ()}
    return found - {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@given(MARKUP)
def test_text_in_a_sentence_stays_text(text: str) -> None:
    assert kinds(inline(text)) <= {"code_inline"}


@given(MARKUP)
def test_text_as_code_stays_code(text: str) -> None:
    assert kinds(f"a {code(text)} b") <= {"code_inline"}


@given(st.lists(MARKUP, max_size=4))
def test_nothing_closes_a_block(texts: list[str]) -> None:
    lines = tuple(line for text in texts for line in Text(text).lines)
    assert kinds("\n".join(fenced(lines))) == {"fence"}


@pytest.mark.parametrize("text", ["1. first", "- item", "# head", "===", "12) x", "+ x", ":tada: x", "a | b"])
def test_the_beginning_of_a_line_makes_nothing(text: str) -> None:
    assert kinds(inline(text)) == set()


def test_ordinary_sentences_read_as_they_are() -> None:
    words = (
        "ConfigMap kube-system/cilium-config: tunnel-protocol (vxlann) is refused; 2 of 6 agents, v1.20.2."
    )
    assert inline(words) == words


def test_the_whole_report_is_a_document() -> None:
    hostile = replace(r.root(r.HOSTILE), impact=Text(r.HOSTILE), owner=Text(r.HOSTILE))
    document = as_markdown(r.snapshot(Found(r.ROOT, hostile)), Exit.FINDINGS)
    assert kinds(document) & {"html_inline", "html_block", "link_open", "image", "em_open"} == set()


def test_it_holds_what_the_text_holds() -> None:
    document = as_markdown(r.everything(), Exit.FINDINGS)
    for words in (
        "## ✗ ERROR AGT001",
        "10 of 40 shown",
        "- **since**: 2026-01-01T12:00:00Z, still so",
        "```console\n$ kubectl get pods\nline one\nline two\n```",
        "### Fix 1: cure, medium risk.",
        "1. Save first: Keep the log.",
        "### ! WARN AGT002",
        "## Also true",
        "*(unproven)*",
        "2× forbidden",
        "? not checked 11/12 AGT004",
        "Exit code 1",
    ):
        assert words in document

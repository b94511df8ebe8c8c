"""Hostile text: kept as it is, shown harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.text import Text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain [b]text[/b]", "plain [b]text[/b]"),
        ("\x1b]52;c;cm0=\x07", "\\e]52;c;cm0=\\a"),
        ("abc\u202edef", "abc\\u202edef"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("c1\x9b31m", "c1\\x9b31m"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("no\u00a0break", "no\\xa0break"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("größe ✓ 日本", "größe ✓ 日本"),
    ],
)
def test_what_is_shown(raw: str, shown: str) -> None:
    assert Text(raw).shown == shown
    assert Text(raw).raw == raw


@given(st.text())
def test_nothing_unsafe_is_ever_shown(raw: str) -> None:
    for line in (Text(raw).shown, str(Text(raw)), *Text(raw).lines):
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in line)


def test_a_command_with_hidden_characters_is_not_offered() -> None:
    assert Text("kubectl get pods\nkubectl get nodes").is_safe_to_run
    assert not Text("kubectl get pods\r# rm").is_safe_to_run
    assert not Text("kubectl \u202eget").is_safe_to_run
    assert not Text("kubectl\u00a0get").is_safe_to_run

"""Where a person has been."""

from __future__ import annotations

from tui.trail import Trail


def test_back_and_forth() -> None:
    trail = Trail()
    for key in "abc":
        trail.visit(key)
    assert trail.older("c") == "b"
    assert trail.older("b") == "a"
    assert trail.older("a") == ""
    assert trail.newer() == "b"
    assert trail.newer() == "c"
    assert trail.newer() == ""


def test_a_new_visit_forgets_what_was_ahead() -> None:
    trail = Trail()
    for key in "abc":
        trail.visit(key)
    trail.older("c")
    trail.visit("d")
    assert trail.newer() == ""
    assert trail.older("d") == "b"


def test_whoever_wandered_off_comes_back_to_what_was_opened_last() -> None:
    trail = Trail()
    trail.visit("a")
    assert trail.older("elsewhere") == "a"

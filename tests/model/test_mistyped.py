"""Labels that may be mistyped, and those that mean something else."""

from __future__ import annotations

import pytest

from playbooks.model.mistyped import mistyped


@pytest.mark.parametrize(
    ("asked", "carried"),
    [
        ("apii", "api"),
        ("chekout", "checkout"),
        ("forntend", "frontend"),
        ("prd", "prod"),
        ("wbe", "web"),
        ("Cart", "cart"),
    ],
)
def test_a_slip_of_the_finger(asked: str, carried: str) -> None:
    wrong = mistyped({"app": asked, "tier": "x"}, {"app": carried, "tier": "x", "more": "y"})
    assert wrong is not None
    assert (wrong.asked, wrong.carried) == (f"app={asked}", f"app={carried}")


def test_a_slip_in_the_key() -> None:
    wrong = mistyped({"teir": "web"}, {"tier": "web"})
    assert wrong is not None
    assert wrong.carried == "tier=web"


@pytest.mark.parametrize(
    ("asked", "carried"),
    [
        ("west", "east"),
        ("reader", "writer"),
        ("mongo-2", "mongo-1"),
        ("redis2", "redis"),
        ("release-2023-12", "release-2024-01"),
        ("v2", "v1"),
        ("payment-svc", "payments"),
    ],
)
def test_another_thing_is_no_slip(asked: str, carried: str) -> None:
    assert mistyped({"app": asked}, {"app": carried}) is None


def test_two_labels_that_differ_are_another_thing() -> None:
    assert mistyped({"app": "carts", "tier": "apis"}, {"app": "cart", "tier": "api"}) is None

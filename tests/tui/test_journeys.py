"""Three ways that people go, from what they see to what they have to do, screen by screen."""

from __future__ import annotations

import pytest

from tests.tui.journeys import JOURNEYS, SIZES, Journey, begun, file_of, rule


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda one: one.name)
def test_the_way_leads_through_the_same_screens(journey: Journey, size: tuple[int, int]) -> None:
    kept = file_of(journey, size).read_text().removesuffix("\n").split(rule(size))
    with begun(journey, size) as shown:
        for step, screen in zip(journey.steps, kept, strict=True):
            shown.type(step.keys.encode())
            # Another screen may be meant: make journeys writes them anew.
            shown.until_equal(screen)

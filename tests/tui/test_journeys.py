from __future__ import annotations

import pytest

from tests.tui.journeys import JOURNEYS, SIZES, Journey, file_of, sheet


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda one: one.name)
def test_the_way_leads_through_the_same_screens(journey: Journey, size: tuple[int, int]) -> None:
    kept = file_of(journey, size).read_text()
    assert sheet(journey, size) == kept, "if this is meant: python -m tests.tui.journeys"

"""Arguments → filters and refusals, equal to what the real hubble command printed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from playbooks.model.hubble.filters.asked import Observe
from playbooks.model.hubble.filters.observing import observe
from playbooks.model.hubble.filters.wording import Refused
from tests.model.hubble.filters import golden

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def asked(*argv: str) -> Observe:
    found = observe(argv, NOW)
    assert isinstance(found, Observe), found
    return found


def refused(*argv: str) -> str:
    found = observe(argv, NOW)
    assert isinstance(found, Refused), found
    assert found.exit == 1
    return found.message


@pytest.mark.parametrize("entry", golden.entries("filters"), ids=lambda entry: " ".join(entry["args"]))
def test_raw_filters_are_those_of_the_hubble_command(entry: dict[str, Any]) -> None:
    if entry["raw_exit"]:
        assert refused(*entry["args"]) == entry["stderr"].rstrip("\n")
    else:
        assert asked(*entry["args"], "--print-raw-filters").raw_filters() == entry["raw_filters"]

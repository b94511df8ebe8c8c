"""Arguments → filters and refusals, equal to what the real hubble command printed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from playbooks.model.hubble.filters.asked import Observe
from playbooks.model.hubble.filters.matching import FilterRefused
from playbooks.model.hubble.filters.observing import observe
from playbooks.model.hubble.filters.selection import selected
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


@pytest.mark.parametrize("entry", golden.entries("errors"), ids=lambda entry: " ".join(entry["args"]))
def test_wrong_flags_are_refused_in_the_hubble_commands_words(entry: dict[str, Any]) -> None:
    found = observe(entry["args"], NOW)
    if entry["exit"] == 0 or "no such file" in entry["stderr"]:
        assert isinstance(found, Observe)
    elif isinstance(found, Observe):
        with pytest.raises(FilterRefused) as refusal:
            selected(found.request(), ())
        assert str(refusal.value) == entry["stderr"].rstrip("\n")
    else:
        assert (found.exit, found.message) == (1, entry["stderr"].rstrip("\n").replace("\xa0", " "))

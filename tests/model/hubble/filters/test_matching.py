"""Which events of the corpus pass, equal to what the real hubble command kept."""

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


@pytest.mark.parametrize("entry", golden.entries("filters"), ids=lambda entry: " ".join(entry["args"]))
def test_the_same_events_pass_as_with_the_hubble_command(entry: dict[str, Any]) -> None:
    found = observe((*entry["args"], "--input-file", "flows.jsonl"), NOW)
    if entry["exit"]:
        assert refusal(found) == entry["stderr"].rstrip("\n")
        return
    assert isinstance(found, Observe)
    names = [golden.name(event) for event in selected(found.request(), golden.events())]
    assert [name for name in names if not name.startswith("node_status")] == entry["matches"]
    states = any(name.startswith("node_status") for name in names)
    assert states is ("NODE_UNAVAILABLE" in entry["stderr"])


def refusal(found: Observe | object) -> str:
    if isinstance(found, Refused):
        return found.message
    assert isinstance(found, Observe)
    with pytest.raises(FilterRefused) as wrong:
        selected(found.request(), golden.events())
    return str(wrong.value)

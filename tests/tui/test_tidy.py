"""The garbage collector waits for a pause in typing."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tui import tidy
from tui.tidy import Tidy


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_it_waits_until_nobody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(tidy.time, "monotonic", lambda: now[0])
    tidying = Tidy()
    tidying.begin()
    tidying.key()
    assert not tidying.up()
    now[0] += Tidy.QUIET
    assert tidying.up()
    now[0] += Tidy.QUIET
    assert not tidying.up()
    now[0] += 60
    assert tidying.up()

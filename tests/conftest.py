"""Watches over the whole suite: no request of ours may ask a cluster for a change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playbooks.practice.serving.api import Api
from playbooks.practice.serving.recording import Recorded

OURS = "honeyguide"
"""How our requests name their sender."""


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_ours_writes() -> Iterator[None]:
    logs: list[list[Recorded]] = []
    opened = Api.__init__

    def open_and_listen(api: Api, *arguments: object) -> None:
        opened(api, *arguments)  # type: ignore[arg-type]
        logs.append(api.requests)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Api, "__init__", open_and_listen)
        yield
    writes = [one for log in logs for one in log if one.is_mutating and one.user_agent.startswith(OURS)]
    assert writes == []

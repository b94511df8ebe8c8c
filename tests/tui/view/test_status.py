"""The status line keeps what matters most, however narrow the terminal is."""

from __future__ import annotations

import pytest

from playbooks.engine.snapshot import Progress, Snapshot
from playbooks.model.answer import Gap, GapKind
from tests.engine.toy import START, ToyCluster
from tests.tui.consoles import connecting_to, console, running
from tui.connection import Connected
from tui.view.status import Status

GAPS = tuple(Gap(GapKind.FORBIDDEN, str(number)) for number in range(3))
SNAPSHOT = Snapshot(
    "prod-eu", START, None, (), {}, (), GAPS, Progress(37, 30, 2), nodes=tuple("abcdefghijkl"), ready=11
)
CONNECTED = Connected(
    ToyCluster(),
    "prod-eu",
    label="PROD",
    is_insecure=True,
    recording=lambda: "recorded in /a/folder",
    load=lambda: "32 at once",
)
IN_ORDER = [
    "prod-eu · PROD",
    "read-only",
    "agents 11/12",
    "3 not visible",
    "insecure TLS",
    "asked 37, answered 30, failed 2",
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
async def test_fields_are_kept_in_the_order_of_their_worth(width: int) -> None:
    app = console(connecting_to(ToyCluster()), is_quiet=True)
    async with running(app, (width, 10)):
        line = app.diagnose.status
        line.show_fields(Status(CONNECTED, SNAPSHOT, is_running=True).fields())
        shown = [part.strip() for part in line.visible_text().split("│")]
        known = [part for part in shown if part in IN_ORDER]
        assert known == IN_ORDER[: len(known)]
        assert known[:2] == IN_ORDER[:2]
        assert width < 80 or known[:4] == IN_ORDER[:4]
        assert width < 200 or known == IN_ORDER


async def test_a_frame_waits_until_the_terminal_took_the_one_before() -> None:
    app = console(connecting_to(ToyCluster()), is_quiet=True)
    async with running(app) as pilot:
        await pilot.pause()
        driver = app._driver
        driver.is_behind = True
        drawn = []
        app.post_display_hook = lambda: drawn.append(1)
        app.diagnose.tell("one thing")
        await pilot.pause()
        app.diagnose.tell("another")
        await pilot.pause()
        assert drawn == []
        driver.is_behind = False
        while not drawn:
            await pilot.pause()
        assert "another" in app.diagnose.key_line.visible_text()

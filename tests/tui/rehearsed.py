"""The console on a scenario of the practice cluster in its own process: the same commands each time.

`honeyguide practice` serves the scenario, so that its commands name a folder and a port of the moment.
"""

from __future__ import annotations

import sys

from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from tests.tui.consoles import connecting_to
from tui.app import ConsoleOptions, run_console

if __name__ == "__main__":
    source = WorldSource(load(sys.argv[1]).world(1))
    sys.exit(run_console(connecting_to(source, is_practice=True), ConsoleOptions(theme="dark")))

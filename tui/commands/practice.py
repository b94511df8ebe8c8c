"""`honeyguide practice`: a cluster with a fault, on this machine only."""

from __future__ import annotations

import json
import sys

from playbooks.engine.discovery import catalogue
from playbooks.practice import scenarios
from playbooks.practice.scenarios import Scenario
from tui.commands.near import near
from tui.commands.options import Options
from tui.commands.terminal import is_interactive
from tui.commands.trouble import Trouble


def run(options: Options) -> int:
    """List, serve, check, or open the console; the exit code."""
    if options.is_list:
        return _list(options)
    scenario = _scenario(options.scenario)
    return 0


def _list(options: Options) -> int:
    every = [scenarios.load(name) for name in scenarios.names()]
    if options.output == "json":
        sys.stdout.write(json.dumps([_described(one) for one in every], indent=2) + "\n")
        return 0
    for one in every:
        sys.stdout.write(f"{one.name:<16} {one.symptom}\n")
    return 0


def _described(scenario: Scenario) -> dict[str, object]:
    rules = [rule for name in scenario.expected_faults if (rule := catalogue().rule(name))]
    return {
        "name": scenario.name,
        "symptom": scenario.symptom,
        "playbook": scenario.playbook,
        "expected": [rule.id for rule in rules],
    }


def _scenario(name: str) -> Scenario:
    if name in scenarios.names():
        return scenarios.load(name)
    close = near(name, scenarios.names())
    remedy = f"did you mean {' or '.join(close)}?" if close else "honeyguide practice --list names them"
    raise Trouble(f"there is no practice scenario {name!r}", "", remedy)

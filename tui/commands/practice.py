"""`honeyguide practice`: a cluster with a fault, on this machine only."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from playbooks.engine.discovery import catalogue
from playbooks.practice import scenarios
from playbooks.practice.scenarios import Scenario
from tui.commands.choosing import rules_of
from tui.commands.near import near
from tui.commands.opening import way_in
from tui.commands.options import Options
from tui.commands.practice_server import PracticeServer
from tui.commands.printing import write
from tui.commands.terminal import is_interactive
from tui.commands.trouble import Trouble

if TYPE_CHECKING:
    from playbooks.model.rule import Rule
    from playbooks.practice.serving import Serving


_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that end the servers."""


def run(options: Options) -> int:
    """List, serve, check, or open the console; the exit code."""
    if options.is_list:
        return _list(options)
    scenario = _scenario(options.scenario)
    rules = rules_of(options.check or ())
    if options.is_serve:
        # Before any thread begins, so that all of them leave these signals to us.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    with PracticeServer(scenario.world(options.seed, options.practice_nodes)) as server:
        if options.is_serve:
            return _serve(server)
        if options.check is not None:
            return _check(server, options, rules)
        if is_interactive():
            return _console(server, options)
        _introduce(scenario)
        _check(server, options, rules)
        # Printing the report was all that was asked for, whatever it says.
        return 0


def _list(options: Options) -> int:
    every = [scenarios.load(name) for name in scenarios.names()]
    if options.output == "json":
        write(json.dumps([_described(one) for one in every], indent=2) + "\n")
    else:
        write("".join(f"{one.name:<16} {one.symptom}\n" for one in every))
    return 0


def _described(scenario: Scenario) -> dict[str, object]:
    known = catalogue()
    rules = [rule for name in scenario.expected_faults if (rule := known.rule(name))]
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


def _serve(server: PracticeServer) -> int:
    """Say where the servers are, and wait for a signal; its exit code."""
    serving = server.serving
    where = {
        "kubeconfig": str(serving.kubeconfig),
        "hubble": serving.hubble or None,
        "hubble_ca": str(serving.hubble_authority) if serving.hubble_authority else None,
        "token": serving.token,
    }
    write(json.dumps(where) + "\n")
    return 128 + signal.sigwait(_ENDS)


def _check(server: PracticeServer, options: Options, rules: tuple[Rule, ...]) -> int:
    from tui.commands.check import check_live

    _point(options, server.serving)
    return check_live(way_in(options), options, rules)


def _console(server: PracticeServer, options: Options) -> int:
    from tui.commands.console import LiveConsole

    return LiveConsole(options, prepare=lambda: _point(options, server.serving)).run()


def _point(options: Options, serving: Serving) -> None:
    """Have everything that follows go to the practice cluster."""
    options.kubeconfig, options.context = str(serving.kubeconfig), ""


def _introduce(scenario: Scenario) -> None:
    write(f"Practice cluster, scenario {scenario.name}. What a person reports:\n")
    write(f"  {scenario.symptom}\n\n")

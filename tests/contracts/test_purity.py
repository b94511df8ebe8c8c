"""Rules run with the clock, the disk and the network taken away."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import wraps

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.model.finding import Verdict
from playbooks.model.rule import Rule
from tests import recorded

FORBIDDEN = ("open", "os.", "socket.", "subprocess.", "shutil.", "tempfile.", "urllib.", "http.")
CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep")


class Airlock:
    """Notes what a rule reaches for while it judges; an audit hook cannot be removed, so there is one."""

    is_shut = False
    reached: list[str] = []  # noqa: RUF012

    @classmethod
    def listen(cls, event: str, arguments: tuple[object, ...]) -> None:
        if cls.is_shut and event.startswith(FORBIDDEN) and not _is_import(arguments):
            cls.reached.append(event)


def _is_import(arguments: tuple[object, ...]) -> bool:
    return bool(arguments) and str(arguments[0]).endswith((".py", ".pyc"))


sys.addaudithook(Airlock.listen)


def refuse(*arguments: object) -> float:
    Airlock.reached.append("the clock")
    raise RuntimeError("a rule looked at the clock")


def shut(rule: Rule) -> Rule:
    """The same rule, with nothing to reach for while it judges."""

    @wraps(rule.judge)
    def judge(**facts: object) -> Iterator[Verdict]:
        verdicts = rule.judge(**facts)
        while True:
            real = {name: getattr(time, name) for name in CLOCKS}
            try:
                Airlock.is_shut = True
                for name in CLOCKS:
                    setattr(time, name, refuse)
                verdict = next(verdicts)
            except StopIteration:
                return
            finally:
                Airlock.is_shut = False
                for name, clock in real.items():
                    setattr(time, name, clock)
            yield verdict

    return replace(rule, judge=judge)


@pytest.mark.parametrize("name", ["05", "11", "healthy"])
def test_rules_need_no_clock_no_disk_and_no_network(name: str) -> None:
    Airlock.reached.clear()
    rules = tuple(map(shut, catalogue().rules))
    snapshot = asyncio.run(Run(recorded.source(name), Order(rules)).start())
    assert Airlock.reached == []
    assert [outcome.rule.id for outcome in snapshot.outcomes.values() if outcome.traceback] == []


def test_the_airlock_notices(tmp_path: object) -> None:
    def peek() -> Iterator[Verdict]:
        with open(str(tmp_path) + "/x", "w"):
            yield from ()

    Airlock.reached.clear()
    list(shut(replace(catalogue().rules[0], judge=peek)).judge())
    assert Airlock.reached == ["open"]

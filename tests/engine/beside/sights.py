"""What a run on a recorded or practised cluster knows, for tables made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from playbooks.engine.beside.gathering import Beside, beside
from playbooks.engine.beside.sight import Sight
from playbooks.engine.beside.tables import Row, Table
from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Gap, GapKind, Source
from playbooks.model.fact import F, Fact
from playbooks.model.finding import Ref, Severity, finding
from playbooks.model.rule import Rule
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from playbooks.sources.sysdump import SysdumpSource
from tests import recorded


@dataclass(frozen=True)
class Partial(Sight):
    """A sight without some facts."""

    without: tuple[type[Fact], ...] = ()

    def known(self, kind: type[F], node: str = "") -> F | Gap | None:
        """Nothing of what is missing."""
        if kind in self.without:
            return Gap(GapKind.FORBIDDEN, f"may not read {kind.__name__}", f"read {kind.__name__}", node=node)
        return super().known(kind, node)


@dataclass(frozen=True)
class Ran:
    """A run that is over."""

    run: Run
    snapshot: Snapshot

    def sight(self, *without: type[Fact]) -> Sight:
        """What it knows."""
        return Partial(self.run._looks[0], without=without)

    async def beside(self, rule: str, *without: type[Fact]) -> Beside:
        """What stands beside the finding of a rule."""
        one = next(one for one in self.snapshot.every() if one.rule.id == rule)
        return await beside(self.sight(*without), one.finding, one.rule.playbook)

    async def beside_subject(self, ref: Ref, playbook: str, *without: type[Fact]) -> Beside:
        """What would stand beside a finding about something."""
        return await beside(self.sight(*without), finding(Severity.INFO, ref, "", evidence=()), playbook)


_RAN: dict[str, Ran] = {}
_PLAYBOOKS = {
    "addresses-leak": ("endpoint",),
    "deny-swallows": ("policy",),
    "map-row-missing": ("endpoint", "policy"),
    "service-map-stale": ("service",),
    "service-no-backends": ("service",),
}
"""Of each scenario only what its tests need."""


async def ran(name: str) -> Ran:
    """A run on a recording, by its number, or on a scenario; once for all tests of the module."""
    if name not in _RAN:
        source: Source
        if name[0].isdigit() or name == "healthy":
            source = recorded.source(name)
        elif name.startswith("sysdump "):
            source = SysdumpSource(recorded.archive_of(name.partition(" ")[2]))
        else:
            source = WorldSource(load(name).world(1))
        run = Run(source, Order(_rules(_PLAYBOOKS.get(name, ())), interval=0.0))
        _RAN[name] = Ran(run, await run.start())
    return _RAN[name]


@cache
def _rules(playbooks: tuple[str, ...]) -> tuple[Rule, ...]:
    return catalogue().rules_of(playbooks)


def row(table: Table, part: str) -> Row:
    """The row whose name holds something."""
    return next(one for one in table.rows if part in one.name.raw)


def cells(one: Row) -> tuple[str, ...]:
    """What a row says, side by side."""
    return tuple(cell.text.raw for cell in one.cells)

"""Messages from the engine's thread to the screens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from playbooks.engine.beside.gathering import Beside
    from playbooks.engine.discovery import Catalogue
    from playbooks.engine.looked import Looked
    from playbooks.engine.snapshot import Snapshot
    from playbooks.engine.targets.aim import Aim
    from playbooks.engine.thread import EngineThread
    from playbooks.model.answer import Gap
    from playbooks.model.policies.reading import WrittenPolicies
    from tui.aiming import Ends
    from tui.asking_kept import Names
    from tui.connection import Connected, Failure
    from tui.view.sheet import Sheet


class EngineStarted(Message):
    """The engine is loaded and the playbooks are known."""

    def __init__(self, engine: EngineThread, catalogue: Catalogue) -> None:
        super().__init__()
        self.engine = engine
        self.catalogue = catalogue


class ConnectionOpened(Message):
    """A source can be asked."""

    def __init__(self, connected: Connected) -> None:
        super().__init__()
        self.connected = connected


class ConnectionFailed(Message):
    """There is no source, and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class SnapshotArrived(Message):
    """A run stands otherwise than before."""

    def __init__(self, run: int, snapshot: Snapshot) -> None:
        super().__init__()
        self.run = run
        self.snapshot = snapshot


class RunEnded(Message):
    """A run is over, was stopped, or broke."""

    def __init__(
        self,
        run: int,
        last: Snapshot | None = None,
        *,
        is_stopped: bool = False,
        failure: Failure | None = None,
    ) -> None:
        super().__init__()
        self.run = run
        # The end can overtake the snapshot that was told before it, if a run is over before it is waited for.
        self.last = last
        self.is_stopped = is_stopped
        self.failure = failure


class AimResolved(Message):
    """What a person aims at was looked for."""

    def __init__(self, ends: Ends, aim: Aim | Failure) -> None:
        super().__init__()
        self.ends = ends
        self.aim = aim


class NamesArrived(Message):
    """What can be named in the cluster."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names


class LookDue(Message):
    """It is time to look again at a finding that is watched."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class AnswerArrived(Message):
    """A raw answer, or why there is none."""

    def __init__(
        self, name: str, sheet: Sheet | None, gap: Gap | None, taken_at: datetime | None, command: str = ""
    ) -> None:
        super().__init__()
        self.name = name
        self.command = command or name
        self.sheet = sheet
        self.gap = gap
        self.taken_at = taken_at


class LookedArrived(Message):
    """The answers that the verdicts of some rules rest on."""

    def __init__(self, topic: str, looked: tuple[Looked, ...]) -> None:
        super().__init__()
        self.topic = topic
        self.looked = looked


class BesideArrived(Message):
    """What stands beside a finding: tables and log lines, or why they could not be made."""

    def __init__(self, topic: str, beside: Beside | Gap) -> None:
        super().__init__()
        self.topic = topic
        self.beside = beside


class PoliciesArrived(Message):
    """The policies of the cluster, or why they cannot be read."""

    def __init__(self, written: WrittenPolicies | Gap) -> None:
        super().__init__()
        self.written = written

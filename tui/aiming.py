"""What a person aims the playbooks at: `--pod`, `--from` and `--to`, typed in the console."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.session import Session


@dataclass(frozen=True, slots=True)
class Ends:
    """Targets as they were typed."""

    about: str = ""
    """One thing, wherever it stands."""
    source: str = ""
    """Who calls."""
    destination: str = ""
    """What is called."""

    @classmethod
    def of(cls, words: tuple[str, ...]) -> Ends:
        """One word is what it is about, two are who calls and what is called."""
        if len(words) == 2:
            return cls("", *words)
        return cls(words[0] if words else "")

    @property
    def words(self) -> tuple[str, ...]:
        """As a run takes them."""
        return tuple(word for word in (self.about, self.source, self.destination) if word)

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        """Who is to call whom: what refuses that is a fault. The caller may be left open."""
        return ((self.source, self.destination),) if self.destination else ()

    @property
    def said(self) -> str:
        """On one line."""
        if self.source and self.destination:
            return f"{self.source} → {self.destination}"
        return self.about or (f"from {self.source}" if self.source else f"to {self.destination}")

    def coming_from(self, word: str) -> Ends:
        """The same with another caller."""
        return replace(self, about="", source=word)

    def going_to(self, word: str) -> Ends:
        """The same with something else that is called."""
        return replace(self, about="", destination=word)


def aim(session: Session, ends: Ends) -> bool:
    """Look for targets; `AimResolved` follows. Whether there is a source to ask."""
    from tui import asking_kept
    from tui.connection import Failure
    from tui.news import AimResolved

    def tell(done: Future[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if error:
            session.post(AimResolved(ends, Failure.of(error)))
        elif not done.cancelled():
            session.post(AimResolved(ends, done.result()))

    return session.ask_kept(lambda knows: asking_kept.aim_at(knows, ends.words), tell)


def learn_names(session: Session) -> None:
    """Take what can be named in the cluster from the lists of the runs; `NamesArrived` follows."""
    if session.snapshot is None:
        # Nothing was asked for yet: typing alone must not begin to ask.
        return
    from tui import asking_kept
    from tui.news import NamesArrived

    def tell(done: Future[Any]) -> None:
        if not done.cancelled() and not done.exception():
            session.post(NamesArrived(done.result()))

    session.ask_kept(asking_kept.names, tell)

"""What is asked for a pane alone: it follows the cursor, and is no work that the status line tells."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playbooks.engine.ranking import Ranked
    from tui.session import Session


@dataclass(slots=True)
class Aside:
    """Questions that come and go with what is selected."""

    _asked: list[Future[Any]] = field(default_factory=list)

    @property
    def is_asking(self) -> bool:
        """Whether an answer is still to come."""
        return any(not one.done() for one in self._asked)

    def ask_beside(self, session: Session, topic: str, ranked: Ranked) -> None:
        """Get the tables and log lines that stand beside a finding; `BesideArrived` follows."""
        from tui import asking_beside

        if session.engine is None:
            return
        runs = session.runs.judging((ranked.rule,)) if session.runs else ()
        asked = session.engine.submit(asking_beside.beside_of(ranked, runs))
        self._asked = [asked, *(one for one in self._asked if not one.done())]
        asked.add_done_callback(asking_beside.told(topic, session.post))

    def stop(self) -> None:
        """Ask no further."""
        for asked in self._asked:
            asked.cancel()

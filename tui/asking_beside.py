"""What stands beside a finding: a coroutine for the engine's loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from textual.message import Message

from playbooks.engine.beside.gathering import Beside
from playbooks.engine.ranking import Ranked
from playbooks.engine.run import Run
from playbooks.model.answer import Gap, GapKind
from tui.news import BesideArrived


async def beside_of(ranked: Ranked, runs: Sequence[Run]) -> Beside:
    """The tables and log lines of a finding, from the newest run that judged its rule to the end."""
    judged = [run for run in runs if run.has_judged(ranked.rule)] or runs
    return await judged[0].beside(ranked.rule, ranked.finding) if judged else Beside()


def told(topic: str, post: Callable[[Message], object]) -> Callable[[Future[Beside]], object]:
    """Passes it on as a message."""

    def tell(done: Future[Beside]) -> object:
        if done.cancelled():
            return None
        if error := done.exception():
            what = f"the tables beside this could not be made: {type(error).__name__}: {error}"
            return post(BesideArrived(topic, Gap(GapKind.FAILED, what, remedy="try again with r")))
        return post(BesideArrived(topic, done.result()))

    return tell

"""What agents answered to a typed command: merged, marked by node."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.ink import Ink, line
from tui.news import AnswerArrived
from tui.screens.reader import AnswerScreen

if TYPE_CHECKING:
    from tui.asking_agents import Merged
    from tui.screens.calm import CalmScreen
    from tui.view.agent_words import AgentWords

_FREELY = 100
"""Nodes up to which a command is run without asking back."""


class AgentsScreen(AnswerScreen):
    """One command, run where it was said as soon as the screen is there."""

    class Progress(Message):
        """How many agents have answered."""

        def __init__(self, done: int, total: int, failed: int) -> None:
            super().__init__()
            self.done, self.total, self.failed = done, total, failed

    def __init__(self, words: AgentWords) -> None:
        """`words` say what is run and where."""
        super().__init__(words.command())
        self._words = words

    def on_mount(self) -> None:
        """Ask."""
        from tui.asking_agents import ask_agents

        self.console.session.ask(
            lambda knowing: ask_agents(
                knowing, self._words, lambda *counts: self.post_message(self.Progress(*counts))
            ),
            self._tell,
        )

    def on_agents_screen_progress(self, event: Progress) -> None:
        """Say how far it is."""
        failed = f", {event.failed} failed" if event.failed else ""
        if self.answer.sheet is None and event.done < event.total:
            said = f"asking... agents {event.done}/{event.total}{failed}; x stops"
            self.answer.say_instead(line(said, ink=Ink.QUIET))

    def on_answer_arrived(self, event: AnswerArrived) -> None:
        """The answers are there, or why they are not."""
        event.stop()
        self.take_answer(event)

    def _tell(self, done: Future[Merged]) -> Any:
        from playbooks.model.answer import Gap, GapKind
        from tui.asking_agents import gap_of

        name = self.name_of_answer
        if done.cancelled():
            gap = Gap(GapKind.FAILED, "asking was stopped")
            return self.post_message(AnswerArrived(name, None, gap, None))
        if error := done.exception():
            return self.post_message(AnswerArrived(name, None, gap_of(error), None))
        found = done.result()
        return self.post_message(AnswerArrived(name, found.sheet, None, found.taken_at, found.command))


def run_typed(screen: CalmScreen, text: str) -> str:
    """Run an agent command where it says, or let the person choose where; what is told if it is not run."""
    from tui.view.agent_words import NotRun, read

    session = screen.console.session
    try:
        words = read(text)
    except NotRun as refused:
        return str(refused)
    if session.runs is None:
        return "there is no connection yet"
    nodes = session.snapshot.nodes if session.snapshot else ()
    if words.is_placed:
        _run_or_ask_back(screen, words, nodes)
    elif len(nodes) == 1:
        screen.app.push_screen(AgentsScreen(words.on(nodes[0])))
    elif nodes:
        sick = session.snapshot.sick if session.snapshot else ()
        names = (*sick, *(node for node in nodes if node not in sick))
        every = f"all {len(nodes)} nodes"
        screen.console.choose(
            f"Run {words.said} on which node? {text} @NODE or @all says it at once",
            (*names, every),
            lambda name: _run_or_ask_back(screen, words.on("*" if name == every else name), nodes),
        )
    else:
        return f"on which node? :{text} @NODE, @all or @NAMESPACE/POD"
    return ""


def _run_or_ask_back(screen: CalmScreen, words: AgentWords, nodes: tuple[str, ...]) -> None:
    from fnmatch import fnmatchcase

    count = sum(fnmatchcase(node, words.node) for node in nodes) if words.node else 1
    if count <= _FREELY:
        screen.app.push_screen(AgentsScreen(words))
        return
    go_on = f"yes, on {count:,} nodes"

    def chosen(name: str) -> None:
        if name == go_on:
            screen.app.push_screen(AgentsScreen(words))

    title = f"This is {count:,} commands, one in each agent. Run them?"
    screen.console.choose(title, ("no", go_on), chosen)

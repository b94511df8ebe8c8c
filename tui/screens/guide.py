"""The guide: the steps that a symptom leads through, and what each one showed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.ink import BLANK, Ink, Line, line
from tui.keys import Place, bindings
from tui.screens.calm import CalmScreen
from tui.screens.reader import PaperScreen
from tui.view.board import FINDING
from tui.view.guide import Guide, Stop, stops
from tui.widgets.listing import Listing
from tui.widgets.one_line import OneLine
from tui.widgets.paper import Paper

if TYPE_CHECKING:
    from playbooks.knowledge.symptoms import Symptom
    from tui.asking_choices import Choice
    from tui.view.topic import Copy, Topic

_WAITING = line("waiting for the connection...", ink=Ink.QUIET)
_FREELY = 100
"""Nodes up to which every agent has been asked without being named."""


class GuideScreen(CalmScreen):
    """Steps above, the selected one below."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("open", "again", "next", "previous"))]

    def __init__(self, symptom: Symptom, chosen: tuple[Choice, ...]) -> None:
        """`chosen` is what the symptom is seen of, as far as that is known."""
        super().__init__()
        self.head = OneLine(classes="head")
        self.listing = Listing(Place.GUIDE, id="way")
        self.paper = Paper(id="text")
        self.paper.place = Place.GUIDE
        self._symptom = symptom
        self._named = tuple(one.name for one in chosen)
        self._belonging = frozenset(name for one in chosen for name in one.belonging)
        self._stops: tuple[Stop, ...] = ()

    def compose(self) -> ComposeResult:
        """Title, steps, page, keys."""
        yield self.head
        yield self.listing
        yield self.paper
        yield self.key_line

    def on_mount(self) -> None:
        """Show what is known; ask what is not."""
        super().on_mount()
        self.set_focus(self.listing)
        self.follow()
        self.update_keys()

    def follow(self) -> None:
        """Show how things stand now; ask as soon as there is somebody to ask."""
        session = self.console.session
        if not self._stops and session.catalogue and session.runs:
            self._stops = stops(self._symptom, session.catalogue)
            self._start()
        guide = self._guide
        self.head.show(guide.title)
        self.listing.show(guide.rows())
        key = self.listing.selected
        self.paper.show(guide.page(key) or (_WAITING,), key)

    def printed(self) -> Iterable[Line]:
        """Every step with what it showed."""
        guide = self._guide
        yield guide.title
        for stop in self._stops:
            yield BLANK
            yield from guide.page(stop.key)

    def copies(self) -> tuple[Copy, ...]:
        """The command of this step, and the whole way with what it showed."""
        from playbooks.model.text import Text
        from tui.view.topic import Copy, command_copy

        key = self.listing.selected
        here = [stop for stop in self._stops if stop.key == key]
        whole = "".join(f"{' ' * one.indent}{one.text}\n" for one in self.printed())
        commands = tuple(command_copy("the command of this step", Text(stop.step.command)) for stop in here)
        return (*commands, Copy("every step and what it showed", whole))

    def on_listing_selected(self) -> None:
        """The cursor is on another step."""
        self.follow()

    def on_listing_opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()

    def action_open(self) -> None:
        """Show the first finding of this step; where there is none, go on to the next step."""
        guide, key = self._guide, self.listing.selected
        if self.paper.has_focus:
            self.set_focus(self.listing)
            return
        stop = next((one for one in self._stops if one.key == key), None)
        found = [one for one in guide.found(stop) if one[1].finding.severity > 1] if stop else []
        desk = self.console.make_desk(frozenset())
        if found and desk:
            self.app.push_screen(FindingScreen(desk.topic(FINDING + found[0][0])))
        elif after := guide.after(key):
            self.listing.select(after)
        else:
            self.tell("that was the last step; esc leads back")

    def action_back(self) -> None:
        """From the page to the steps, from the steps to the questions."""
        if self.paper.has_focus:
            self.set_focus(self.listing)
        else:
            self.app.pop_screen()

    def action_again(self) -> None:
        """Ask this step again."""
        runs = self.console.session.runs
        here = next((one for one in self._stops if one.key == self.listing.selected), None)
        if runs is None or here is None or not here.rules:
            self.tell("there is nothing to ask here")
            return
        runs.start(here.rules)
        self.tell(f"asking again: {len(here.rules)} rules")
        self.follow()

    def action_next_pane(self) -> None:
        """To the other part of the screen."""
        self.set_focus(self.listing if self.paper.has_focus else self.paper)

    def action_previous_pane(self) -> None:
        """To the other part of the screen."""
        self.action_next_pane()

    @property
    def _guide(self) -> Guide:
        session = self.console.session
        return Guide(
            self._symptom,
            self._named,
            self._belonging,
            self._stops,
            session.snapshot,
            session.is_running,
        )

    def _start(self) -> None:
        """Ask what was not asked yet; in a large cluster also the agents of what is named."""
        session = self.console.session
        runs, snapshot = session.runs, session.snapshot
        if runs is None:
            return
        nodes = snapshot.nodes if snapshot else ()
        # Nodes only: a target that a run cannot resolve would be told as something that cannot be seen.
        runs.targets = tuple(one for one in nodes if one in self._named or one in self._belonging)
        rules = tuple(dict.fromkeys(rule for stop in self._stops for rule in stop.rules))
        known = {rule.id for rule in snapshot.rules} if snapshot else set()
        is_begun = snapshot is not None or session.is_running
        is_new = not is_begun or (snapshot is not None and any(rule.id not in known for rule in rules))
        is_large = snapshot is not None and len(snapshot.nodes) > _FREELY
        if rules and (is_new or (is_large and runs.targets)):
            runs.start(rules)


class FindingScreen(PaperScreen):
    """One finding with its fixes, over the guide that led to it."""

    def __init__(self, topic: Topic) -> None:
        """What is shown of a finding, on one page."""
        todo = (BLANK, line("What to do", ink=Ink.TITLE), *topic.fixes) if topic.fixes else ()
        rest = (BLANK, *topic.rest) if topic.rest else ()
        super().__init__("What was found", (*topic.head, *todo, *rest))
        self._topic = topic

    def copies(self) -> tuple[Copy, ...]:
        """All that can be copied of the finding."""
        return self._topic.copies()

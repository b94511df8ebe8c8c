"""May this call that: a form, near names while typing, and the verdict below it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.connection import Failure
from tui.ink import BLANK, Ink, Line, line, piece
from tui.keys import Place, bindings
from tui.screens.prompting import PromptScreen
from tui.view.trouble import failure_lines
from tui.view.why_form import JUDGE, Field, WhyForm
from tui.widgets.listing import Listing
from tui.widgets.one_line import OneLine
from tui.widgets.paper import Paper
from tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from playbooks.engine.targets.resolving import Directory
    from tui.asking_why import Verdict
    from tui.view.topic import Copy

_ASKING = line("asking the agents of both ends... x stops", ink=Ink.QUIET)
_NAMES = line("reading the names of the cluster...", ink=Ink.QUIET)


class WhyScreen(PromptScreen):
    """The form above, what it says below."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("open", "again", "next", "previous"))]

    class Named(Message):
        """The names of the cluster, or why there are none."""

        def __init__(self, names: Directory | Failure) -> None:
            super().__init__()
            self.names = names

    class Judged(Message):
        """The verdict on a question, or why there is none."""

        def __init__(self, asked: WhyForm, verdict: Verdict | Failure) -> None:
            super().__init__()
            self.asked = asked
            self.verdict = verdict

    def __init__(self, form: WhyForm) -> None:
        """`form` may be filled in already: then it is asked at once."""
        super().__init__()
        self.head = OneLine(classes="head")
        self.listing = Listing(Place.FORM, id="form")
        self.paper = Paper(id="text")
        self.paper.place = Place.FORM
        self._form = form
        self._editing: Field | None = None
        self._typed = ""
        self._names: tuple[str, ...] = ()
        self._verdict: Verdict | None = None
        self._said: tuple[Line, ...] = ()

    def compose(self) -> ComposeResult:
        """Title, fields, answer, prompt, keys."""
        yield self.head
        yield self.listing
        yield self.paper
        yield self.prompt
        yield self.key_line

    def on_mount(self) -> None:
        """Ask at once, or ask for what is missing."""
        super().on_mount()
        self.head.show(line("May this call that, and what decides it?", ink=Ink.TITLE))
        self.listing.show(self._form.rows())
        self.set_focus(self.listing)
        self._learn_names()
        if self._form.is_complete:
            self._judge()
        elif missing := self._form.next_empty:
            self._edit(missing)
        self.update_keys()

    def copies(self) -> tuple[Copy, ...]:
        """The question as a command, the verdict, the commands that it rests on."""
        from tui.view.topic import Copy

        if not self._form.is_complete:
            return ()
        from playbooks.model.text import Text
        from tui.view.topic import command_copy

        found = [command_copy("the question, as a command", Text(self._form.command()))]
        if self._verdict is not None:
            found.append(Copy("the verdict", self._verdict.text))
            found += [command_copy("a command that it rests on", one) for one in self._verdict.commands]
        return tuple(found)

    def printed(self) -> Iterable[Line]:
        """The question and what was said to it."""
        return (line(f"$ {self._form.command()}", ink=Ink.COMMAND), BLANK, *self._said)

    def action_open(self) -> None:
        """Fill in the field at the cursor, or ask."""
        if self.paper.has_focus:
            self.set_focus(self.listing)
        elif self.listing.selected == JUDGE:
            self.action_again()
        elif self.listing.selected:
            self._edit(Field(self.listing.selected))

    def action_back(self) -> None:
        """From the answer to the form, from the form to where one came from."""
        if self.paper.has_focus:
            self.set_focus(self.listing)
        else:
            self.app.pop_screen()

    def action_again(self) -> None:
        """Ask, or ask again."""
        if missing := self._form.next_empty:
            self._edit(missing)
        else:
            self._judge()

    def action_next_pane(self) -> None:
        """To the other part of the screen."""
        self.set_focus(self.listing if self.paper.has_focus else self.paper)

    def action_previous_pane(self) -> None:
        """To the other part of the screen."""
        self.action_next_pane()

    def on_listing_opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()

    def on_prompt_entered(self, event: Prompt.Entered) -> None:
        """Take what was typed; ask for the other end, or ask the cluster when both are there."""
        # The prompt stays for the next field: leaving it would take what is typed meanwhile for keys.
        event.prevent_default()
        field, self._editing = self._editing, None
        if field is None:
            return
        is_new = event.text.strip() != self._form.get(field)
        self._form = self._form.filled(field, event.text)
        self.listing.show(self._form.rows())
        missing = self._form.next_empty
        if missing and self._form.get(field):
            self._edit(missing)
            return
        self._leave_prompt()
        if is_new and not missing:
            self._judge()
        else:
            self.paper.show(self._said, "answer")

    def changed(self, sign: str, text: str) -> None:
        """List the names that fit what is typed."""
        del sign
        self._typed = text
        if self._editing in (Field.SOURCE, Field.DESTINATION):
            self._offer(text)

    def on_prompt_left(self) -> None:
        """Typing was given up: show what was there before."""
        if self._editing is not None:
            self._editing = None
            self.paper.show(self._said, "answer")

    def on_why_screen_named(self, event: Named) -> None:
        """The names have come."""
        if isinstance(event.names, Failure):
            # Asking will fail for the same reason; before that it must not cover what is typed.
            self._say(failure_lines(event.names, "no names"))
            return
        from tui.view.naming import names_of

        self._names = names_of(event.names)
        if self._editing is not None:
            self.changed("", self._typed)

    def on_why_screen_judged(self, event: Judged) -> None:
        """The verdict has come; that of an earlier question is left aside."""
        if event.asked != self._form:
            return
        if isinstance(event.verdict, Failure):
            self._say(failure_lines(event.verdict, "no verdict"))
            return
        self._verdict = event.verdict
        self.update_keys()
        self._say(event.verdict.lines)
        if self._editing is None:
            self.set_focus(self.paper)

    def _edit(self, field: Field) -> None:
        self._editing, self._typed = field, self._form.get(field)
        self.listing.select(field.value)
        self.ask(f"{field.value}: ", self._form.get(field), self._completions)
        if field in (Field.SOURCE, Field.DESTINATION):
            self._offer(self._form.get(field))

    def _completions(self, text: str) -> tuple[str, ...]:
        if self._editing not in (Field.SOURCE, Field.DESTINATION) or not text:
            return ()
        from tui.view.naming import fitting

        return tuple(one for one in fitting(text, self._names) if one != text)

    def _offer(self, text: str) -> None:
        from tui.view.naming import fitting

        if not self._names:
            self.paper.show((_NAMES,), "names")
            return
        host = text.partition(":")[0]
        rows = [line(piece(name, Ink.BOLD), indent=2) for name in fitting(host, self._names, 50)]
        title = line("Names here that fit; tab takes the first", ink=Ink.TITLE)
        none = line("no name here fits; an address, a label or a DNS name may do", ink=Ink.UNSEEN)
        self.paper.show((title, *rows) if rows else (none,), f"names {text}")

    def _learn_names(self) -> None:
        from tui.asking_why import known_names

        self.console.session.ask(known_names, lambda done: self._tell(done, self.Named))

    def _judge(self) -> None:
        from tui.asking_why import judged

        form, self._verdict = self._form, None
        self._say((_ASKING,))
        is_asked = self.console.session.ask(
            lambda knowing: judged(knowing, form.options()),
            lambda done: self._tell(done, lambda found: self.Judged(form, found)),
        )
        if not is_asked:
            self._say(failure_lines(Failure("there is no connection yet", "", "wait, then press r"), ""))

    def _tell(self, done: Future[Any], told: Any) -> None:
        """Pass what was found on to the screen's thread."""
        if done.cancelled():
            self.post_message(told(Failure("asking was stopped", "", "r asks again")))
        elif error := done.exception():
            self.post_message(told(Failure.of(error)))
        else:
            self.post_message(told(done.result()))

    def _say(self, said: tuple[Line, ...]) -> None:
        self._said = said
        if self._editing is None:
            self.paper.show(said, "answer")

"""The line in which commands and filters are typed, with completion and without a blinking cursor."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.message import Message

from tui.ink import Ink, Line, Piece, piece
from tui.keys import Place
from tui.widgets.one_line import OneLine

Complete = Callable[[str], tuple[str, ...]]
"""From what is typed to the whole lines that it may become."""


def nothing(text: str) -> tuple[str, ...]:
    """Completes nothing."""
    del text
    return ()


class Prompt(OneLine, can_focus=True):
    """One line of input."""

    place = Place.PROMPT

    class Entered(Message):
        """Enter was pressed."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    class Changed(Entered):
        """The text is another."""

    class Left(Message):
        """Typing was given up."""

    def __init__(self, *, id: str | None = None) -> None:
        """A prompt that asks for nothing yet."""
        super().__init__(id=id)
        self._sign = ":"
        self._text = ""
        self._complete: Complete = nothing
        self._offered: tuple[str, ...] = ()
        self._history: list[str] = []
        self._back = 0
        self._is_ahead = False

    def ask(self, sign: str, text: str = "", complete: Complete = nothing) -> None:
        """Begin to ask; `sign` says what for. What was typed since the last answer belongs to this one."""
        ahead, self._is_ahead = self._text if self._is_ahead else "", False
        self._sign, self._complete, self._back = sign, complete, 0
        self._set(text + ahead)

    def on_key(self, event: events.Key) -> None:
        """Every key belongs to the text, but those that end it."""
        event.stop()
        event.prevent_default()
        match event.key:
            case "enter":
                if self._text and self._text not in self._history[-1:]:
                    self._history.append(self._text)
                self.post_message(self.Entered(self._sign, self._text))
                self._is_ahead, self._text = True, ""
            case "escape" | "ctrl+c":
                self.post_message(self.Left())
            case "backspace" if not self._text:
                self.post_message(self.Left())
            case "backspace":
                self._change(self._text[:-1])
            case "ctrl+u":
                self._change("")
            case "ctrl+w":
                self._change(self._text.rstrip().rpartition(" ")[0])
            case "tab" | "right":
                self._take_offer()
            case "up" | "down":
                self._recall(1 if event.key == "up" else -1)
            case _ if event.is_printable and event.character:
                self._change(self._text + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted."""
        event.stop()
        first = event.text.splitlines()[0] if event.text else ""
        self._change(self._text + "".join(filter(str.isprintable, first)))

    def on_blur(self) -> None:
        """Whoever goes elsewhere has given up."""
        self._is_ahead = False
        self.post_message(self.Left())

    def _change(self, text: str) -> None:
        if self._is_ahead:
            self._text = text
            return
        self._set(text)
        self.post_message(self.Changed(self._sign, text))

    def _set(self, text: str) -> None:
        self._text = text
        self._offered = self._complete(text)
        self.show(self._as_line())

    def _take_offer(self) -> None:
        if self._offered:
            self._change(self._offered[0])

    def _recall(self, step: int) -> None:
        self._back = max(0, min(len(self._history), self._back + step))
        self._change(self._history[-self._back] if self._back else "")

    def _as_line(self) -> Line:
        first, *others = self._offered or ("",)
        rest = first[len(self._text) :] if first.startswith(self._text) else f"  {first}"
        pieces = [piece(self._sign, Ink.KEY), piece(self._text, Ink.BOLD), Piece(" ", Ink.ALARM)]
        if self._offered:
            pieces += [piece(rest, Ink.QUIET), piece("  tab", Ink.KEY)]
            pieces += [piece(f"  {other}", Ink.QUIET) for other in others[:6]]
        return Line(tuple(pieces))

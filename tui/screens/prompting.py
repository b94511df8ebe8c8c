"""Screens in which something can be typed: a command or a filter."""

from __future__ import annotations

from textual.widget import Widget

from tui.screens.calm import CalmScreen
from tui.widgets.prompt import Complete, Prompt, nothing


class PromptScreen(CalmScreen):
    """A screen with a prompt above its key line, shown only while something is typed."""

    def __init__(self) -> None:
        """A screen that asks for nothing yet."""
        super().__init__()
        self.prompt = Prompt(id="prompt")
        self.prompt.display = False
        self._return_to: Widget | None = None

    def ask(self, sign: str, text: str = "", complete: Complete = nothing) -> None:
        """Begin to ask; the keys go back where they were afterwards."""
        if self.focused is not self.prompt:
            self._return_to = self.focused
        self.prompt.display = True
        self.prompt.ask(sign, text, complete)
        # At once, so that what is typed in the same breath is not taken for keys.
        self.set_focus(self.prompt)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """While something is typed, keys are text."""
        del action, parameters
        return self.focused is not self.prompt

    def entered(self, sign: str, text: str) -> None:
        """Something was typed."""

    def changed(self, sign: str, text: str) -> None:
        """Something is being typed."""

    def on_prompt_entered(self, event: Prompt.Entered) -> None:
        """Do what was typed."""
        self._leave_prompt()
        self.entered(event.sign, event.text)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Follow what is typed."""
        self.changed(event.sign, event.text)

    def on_prompt_left(self) -> None:
        """Nothing was typed."""
        self._leave_prompt()

    def _leave_prompt(self) -> None:
        if self.prompt.display:
            self.prompt.display = False
            if self.focused in (None, self.prompt):
                self.set_focus(self._return_to)

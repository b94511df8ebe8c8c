"""One object as YAML on the whole screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.reader import AnswerScreen

if TYPE_CHECKING:
    from playbooks.model.finding import Ref
    from tui.screens.calm import CalmScreen

_MANY = 50
"""Subjects that are offered at most."""


class YamlScreen(AnswerScreen):
    """Asks for the object as soon as it is there."""

    def __init__(self, ref: Ref, kubectl: str) -> None:
        """`ref` is an object of the API."""
        from tui.view.subjects import request_of, resources_of, yaml_command

        self._ref, self._kubectl = ref, kubectl
        self._resources = resources_of(ref)
        super().__init__(yaml_command(request_of(ref, self._resources[0]), kubectl))

    def on_mount(self) -> None:
        """Ask."""
        from tui.asking import told_answer
        from tui.asking_yaml import written

        session = self.console.session
        session.ask(
            lambda knowing: written(knowing, self._ref, self._resources, self._kubectl),
            told_answer(self.name_of_answer, session.post),
        )


def show_yaml(screen: CalmScreen, refs: tuple[Ref, ...]) -> None:
    """Show one of some subjects as YAML; which one is a choice where there are several."""
    found = {str(ref): ref for ref in refs[:_MANY]}
    if len(found) > 1:
        screen.console.choose("YAML of which?", found, lambda name: _show(screen, found[name]))
    elif found:
        _show(screen, refs[0])
    else:
        screen.tell("nothing is selected that has YAML: select a finding, or list objects with :pods")


def _show(screen: CalmScreen, ref: Ref) -> None:
    from tui.view.subjects import instead_of_yaml, resources_of

    session = screen.console.session
    if not resources_of(ref):
        screen.tell_in_full(instead_of_yaml(ref, session.kubectl), "No YAML")
    elif session.runs is None:
        screen.tell("there is no connection yet")
    else:
        screen.app.push_screen(YamlScreen(ref, session.kubectl))

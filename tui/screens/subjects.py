"""The part of Diagnose that opens what a finding is about: its YAML, and the log of its agent."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.keys import Place, bindings
from tui.screens.flowing import FlowingScreen

BESIDE = (Place.EVIDENCE, Place.ANSWER)
"""Panes in which a piece of evidence is selected."""


class SubjectScreen(FlowingScreen):
    """A screen with a selected finding."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("yaml", "logs"))]

    def show_log(self, node: str, *, is_previous: bool | None = None) -> None:
        """Show the log of the agent on a node."""
        from tui.screens.reader import AnswerScreen

        name = self.console.session.ask_log(node, is_previous=is_previous)
        self.app.push_screen(AnswerScreen(name))

    def action_yaml(self) -> None:
        """Show what the selected finding is about as YAML."""
        from tui.screens.yaml import show_yaml
        from tui.view.finding import FindingTopic

        topic = self.topic
        show_yaml(self, tuple(topic.finding.subjects) if isinstance(topic, FindingTopic) else ())

    def action_logs(self) -> None:
        """Show the log of the agent on the selected node."""
        exhibit, topic = self.panes.exhibit, self.topic
        nodes = topic.nodes if topic else ()
        if exhibit and exhibit.node and (self.place in BESIDE or not nodes):
            nodes = (exhibit.node,)
        if len(nodes) > 1:
            self.console.choose("Log of the agent on which node?", nodes, self.show_log)
        elif nodes:
            self.show_log(nodes[0])
        else:
            self.tell("this names no node; :log NODE shows the log of its agent")

"""The report of a run: text for people, Markdown for tickets, JSON for scripts; all of it plain."""

from __future__ import annotations

from playbooks.engine.report.exits import Exit, FailOn, exit_code
from playbooks.engine.report.line import Line, Tone
from playbooks.engine.report.machine import as_json
from playbooks.engine.report.markdown import as_markdown, finding_markdown
from playbooks.engine.report.marks import Mark
from playbooks.engine.report.text import as_lines, as_text
from playbooks.engine.report.verdict import Verdict, verdict, verdicts

__all__ = [
    "Exit",
    "FailOn",
    "Line",
    "Mark",
    "Tone",
    "Verdict",
    "as_json",
    "as_lines",
    "as_markdown",
    "as_text",
    "exit_code",
    "finding_markdown",
    "verdict",
    "verdicts",
]

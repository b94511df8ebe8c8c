"""The pages and parts of pages that are made from the code.

Run: python -m tests.contracts.pages (or `make docs`) writes them anew; a test compares.
"""

from __future__ import annotations

import re
from pathlib import Path

from playbooks.engine.discovery import catalogue
from playbooks.engine.report.page import exit_table, schema_page
from playbooks.knowledge.agent_commands import known_commands
from playbooks.knowledge.roles import WARNING, roles_text
from playbooks.model.rule import Rule
from playbooks.practice import scenarios
from tui.commands.parsing import COMMANDS
from tui.keys import ACTIONS, MOVES, shown

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "playbooks" / "engine" / "report" / "SCHEMA.md"
README = ROOT / "README.md"
CASES = ROOT / "playbooks" / "CASES.md"
LISTED = Path(__file__).with_name("cases.tsv")
_PART = re.compile(r"<!-- made: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def commands() -> str:
    """The table of commands."""
    rows = [f"| `honeyguide {name}` | {command.help} |" for name, command in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def exits() -> str:
    """The table of exit codes."""
    return "\n".join(exit_table())


def roles() -> str:
    """The roles, ready to paste."""
    return f"{WARNING}\n\n```yaml\n{roles_text()}```"


def rules() -> str:
    """The table of rules."""
    rows = [
        f"| {rule.id} | {rule.playbook} | {rule.title.replace('|', '/')} | {_proof(rule)} |"
        for rule in catalogue().rules
    ]
    return "\n".join(["| id | playbook | fault | proof |", "|---|---|---|---|", *rows])


def _proof(rule: Rule) -> str:
    proofs = {case.proof for case in rule.cases}
    return "recorded" if "R" in proofs else "verbatim line" if "V" in proofs else "unproven"


def listed_cases() -> dict[str, str]:
    """Every case that the playbooks claim to know, with what it is, in order."""
    rows = (row.partition("\t") for row in LISTED.read_text().splitlines() if row)
    return {case: title for case, _, title in rows}


def cases_page() -> str:
    """Which fault recognises each listed case, on what proof, and what it is silent on."""
    lines = [
        "# Cases",
        "",
        "Made by `make docs`. Proof: R a recording of a real cluster, V a line that a real cluster printed,",
        "put into a recording, W the practice cluster only (*unproven*). The twin is the same input with",
        "only the causal field restored; the rule is silent on it.",
        "",
        "| case | what | fault | proof | twin |",
        "|---|---|---|---|---|",
    ]
    for case, title in listed_cases().items():
        for rule in catalogue().rules:
            for one in rule.cases:
                if one.id == case:
                    cells = (case, title, f"{rule.id} {rule.name}", one.proof, one.twin)
                    lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def scenario_table() -> str:
    """The table of practice scenarios."""
    rows = [f"| `{name}` | {scenarios.load(name).symptom} |" for name in scenarios.names()]
    return "\n".join(["| scenario | what a person reports |", "|---|---|", *rows])


def agent_commands() -> str:
    """The commands that `exec` runs."""
    names = [f"`{known.name}`" for known in known_commands() if known.kind == "read"]
    return ", ".join(names) + "."


def keys() -> str:
    """The table of keys."""
    rows = [
        f"| {' '.join(f'`{shown(key)}`' for key in action.keys)} | {action.help} |"
        for action in ACTIONS
        if action.id not in MOVES
    ]
    return "\n".join(["| key | what it does |", "|---|---|", *rows])


PARTS = {
    "keys": keys,
    "commands": commands,
    "exits": exits,
    "roles": roles,
    "rules": rules,
    "scenarios": scenario_table,
    "agentcommands": agent_commands,
}
"""The parts of README.md, by the name in their mark."""


def made_anew(page: str) -> str:
    """A page with its parts made again from the code."""
    return _PART.sub(lambda part: f"<!-- made: {part[1]} -->\n{PARTS[part[1]]()}\n<!-- end -->", page)


if __name__ == "__main__":
    SCHEMA.write_text(schema_page())
    CASES.write_text(cases_page())
    README.write_text(made_anew(README.read_text()))

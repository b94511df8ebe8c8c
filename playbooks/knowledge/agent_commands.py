"""Which commands may be run in an agent: those that only read, and end by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

AGENT = "cilium-dbg"
"""The agent's client; commands without a program of their own are its."""
_PROGRAMS = frozenset({"cilium-health", "hubble", "bpftool"})
_SHELL_SIGNS = frozenset("><|;&$`\n\\")
_REFUSALS = {
    "changes": "it changes something, and honeyguide only reads",
    "endless": "it does not end by itself",
    "secret": "it prints keys or certificates",
}


class Refused(Exception):
    """A command that is not run, and why."""


@dataclass(frozen=True, slots=True)
class Known:
    """One command of the list."""

    words: tuple[str, ...]
    """How it begins, without the agent's client."""
    kind: str
    """`read`, or why it is refused."""
    arguments: int = 0
    """How many words may follow that are no flags."""
    flags: frozenset[str] = frozenset()
    """Flags without a value."""
    valued: frozenset[str] = frozenset()
    """Flags with a value."""
    is_heavy: bool = False
    """Whether the output grows with traffic."""

    @property
    def name(self) -> str:
        """As a person says it."""
        return " ".join(self.words)


@cache
def known_commands() -> tuple[Known, ...]:
    """The whole list, in order of names."""
    text = files("playbooks.knowledge").joinpath("agent_commands.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple(map(_known, rows[1:]))


def _known(row: list[str]) -> Known:
    command, kind, arguments, flags, cost = [*row, "", "", ""][:5]
    given = flags.split()
    return Known(
        tuple(command.split()),
        kind,
        int(arguments or 0),
        frozenset(flag for flag in given if not flag.endswith("=")),
        frozenset(flag[:-1] for flag in given if flag.endswith("=")),
        cost == "heavy",
    )


@dataclass(frozen=True, slots=True)
class Allowed:
    """A command that may be run."""

    argv: tuple[str, ...]
    """With its program."""
    is_heavy: bool
    """Whether the output grows with traffic."""


def read_only(argv: Sequence[str]) -> Allowed:
    """The command as it is run, if it only reads; the program may be left out. Raises `Refused`."""
    words = [*argv]
    if words and words[0] in (AGENT, "cilium"):
        words = words[1:]
    if not words:
        raise Refused("no command is given")
    words = ["list" if word == "ls" else word for word in words]
    known = _longest_match(words)
    said = " ".join(words)
    if known is None:
        raise Refused(f"`{said}` is not on the list of commands that only read")
    if known.kind != "read":
        raise Refused(f"`{known.name}` is not run: {_REFUSALS[known.kind]}")
    _check(known, words[len(known.words) :])
    program = () if words[0] in _PROGRAMS else (AGENT,)
    return Allowed((*program, *words), known.is_heavy)


def _longest_match(words: list[str]) -> Known | None:
    matches = [known for known in known_commands() if tuple(words[: len(known.words)]) == known.words]
    return max(matches, key=lambda known: len(known.words), default=None)


def _check(known: Known, rest: list[str]) -> None:
    positional, is_value = 0, False
    for word in rest:
        flag, equals, _ = word.partition("=")
        if is_value:
            is_value = False
        elif word.startswith("-") and word != "-":
            if flag in known.valued:
                is_value = not equals
            elif flag not in known.flags:
                raise Refused(f"`{known.name}` is run without {flag}: {_flags(known)}")
        else:
            positional += 1
        if known.words[0] == "shell" and _SHELL_SIGNS & set(word):
            raise Refused(f"{word!r} holds a sign that the agent's shell may take for more than a word")
    if positional > known.arguments:
        count = "no argument" if known.arguments == 0 else f"at most {known.arguments} arguments"
        raise Refused(
            f"`{known.name}` is run with {count}: more of them would change something, or mean nothing"
        )


def _flags(known: Known) -> str:
    flags = sorted(known.flags | known.valued)
    return f"it may have {' '.join(flags)}" if flags else "it may have no flag"

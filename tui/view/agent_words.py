"""Agent commands as fingers know them: `bpf lb list @node-7`, `endpoint get shop/cart-0`, `status @all`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cache

from playbooks.knowledge.agent_commands import AGENT, Allowed, Refused, known_commands, read_only
from tui.commands.near import near

ENDPOINT = "0"
"""Stands for the number of an endpoint that is still to be found."""
_PROGRAMS = (AGENT, "cilium")


class NotRun(ValueError):
    """A command that is not run; the message says why, and what is near."""


@dataclass(frozen=True, slots=True)
class AgentWords:
    """What was typed: a command that only reads, and where it is to be run."""

    allowed: Allowed
    """The command; `ENDPOINT` stands in it where `pod` is named as an argument."""
    node: str = ""
    """A glob of nodes; `*` for all of them, empty when none was named."""
    pod: str = ""
    """`namespace/name` of a pod: its node is asked."""
    argument: int = -1
    """Where in the command the number of the pod's endpoint belongs; -1 for nowhere."""

    @property
    def is_placed(self) -> bool:
        """Whether it says where to run."""
        return bool(self.node or self.pod)

    @property
    def said(self) -> str:
        """As it was typed, without the agent's client."""
        words = [*self.allowed.argv]
        if self.argument >= 0:
            words[self.argument] = self.pod
        return shlex.join(words[1:] if words[0] == AGENT else words)

    def on(self, node: str) -> AgentWords:
        """The same command on a node, or on all that a glob matches."""
        return replace(self, node=node)

    def command(self) -> str:
        """What a person would type in a shell; as it was typed here until the endpoint's number is known."""
        if self.argument >= 0:
            return self.said
        where = ["--pod", self.pod] if self.pod else ["--all"] if self.node == "*" else ["--node", self.node]
        return shlex.join(("honeyguide", "exec", *where, "--", *shlex.split(self.said)))


@cache
def first_words() -> frozenset[str]:
    """Words with which an agent command begins."""
    return frozenset(one.words[0] for one in known_commands()) | frozenset(_PROGRAMS)


def read(text: str) -> AgentWords:
    """Read what was typed. Raises `NotRun`."""
    try:
        words = shlex.split(text)
    except ValueError as wrong:
        raise NotRun(f"{text}: a quote is not closed") from wrong
    places = [word[1:] for word in words if word.startswith("@")]
    words = [word for word in words if not word.startswith("@")]
    if words and words[0] in _PROGRAMS:
        words = words[1:]
    if len(places) > 1 or "" in places:
        raise NotRun("name one place: @NODE, @GLOB, @all or @NAMESPACE/POD")
    if words[:1] == ["endpoint"] and len(words) == 2 and "/" in words[1]:
        words.insert(1, "get")
    argument, pod = _pod(words)
    if argument >= 0:
        words[argument] = ENDPOINT
    allowed = _allowed(words)
    place = places[0] if places else ""
    if "/" in place:
        pod, place = place, ""
    at = argument + len(allowed.argv) - len(words) if argument >= 0 else -1
    return AgentWords(allowed, "*" if place == "all" else place, pod, at)


def _pod(words: list[str]) -> tuple[int, str]:
    """Where a pod is named in place of an endpoint's number, and which."""
    start = 2 if words[:1] == ["endpoint"] else 3 if words[:2] == ["bpf", "policy"] else len(words)
    for at, word in enumerate(words[start:], start):
        if "/" in word and not word.startswith("-"):
            return at, word
    return -1, ""


def _allowed(words: list[str]) -> Allowed:
    try:
        return read_only(words)
    except Refused as refused:
        reads = [one.name for one in known_commands() if one.kind == "read"]
        close = near(" ".join(word for word in words if not word.startswith("-")), reads)
        more = f"; near: {', '.join(close)}" if close and "is not on the list" in str(refused) else ""
        raise NotRun(f"{refused}{more}") from refused

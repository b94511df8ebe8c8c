"""What bpftool prints: JSON lists, and text in which every thing begins with its number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playbooks.model.answer import Answer, Gap
from playbooks.model.bpf.dumps import number_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.wire import text_of
from playbooks.model.fact import Fact, Unreadable, Way

_FIRST = re.compile(r"(?P<id>\d{1,10}): (?P<type>type \d{1,5}|\S{1,60})(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Block:
    """One thing in the text: its number, its type, and words with their values."""

    id: int
    """Its number."""
    type: str
    """Its type, or the type's number where bpftool does not know it."""
    words: tuple[str, ...]
    """The rest, without blanks and line ends."""

    def after(self, word: str) -> str:
        """The word that follows another; empty when there is none."""
        at = self.words.index(word) + 1 if word in self.words else len(self.words)
        return self.words[at] if at < len(self.words) else ""

    def number(self, word: str) -> int | None:
        """The number that follows a word, if there is one, without its unit. Raises `Unreadable`."""
        value = self.after(word).removesuffix("B")
        return number_in(value) if value else None


def blocks_in(answer: Answer) -> Iterator[Block]:
    """The things in the text, each with its indented lines. Raises `Unreadable`."""
    held: list[str] = []
    for line in [*text_of(answer).split("\n"), ""]:
        if line.startswith(("\t", " ")):
            held.append(line)
            continue
        if held:
            yield _block(held)
        held = [line] if line.strip() else []


def _block(lines: list[str]) -> Block:
    match = _FIRST.fullmatch(lines[0])
    if not match:
        raise Unreadable(f"not a line of bpftool: {lines[0][:80]!r}")
    words = " ".join([match["rest"], *lines[1:]]).split()
    return Block(int(match["id"]), match["type"].removeprefix("type "), tuple(words))


def shown(name: str, *words: str, decode: Callable[[Answer], Fact | Gap]) -> Way:
    """A way by a command of bpftool."""
    return answered(name, asks("bpftool", *words), decode)

"""The configuration of CoreDNS: its zones, their plugins, and where it asks further."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"(?:^|\s)#.*$")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_DEPTH = 4
"""How often an imported snippet may import another."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin of a zone."""

    name: str
    """Such as `forward`."""
    words: tuple[str, ...] = ()
    """What stands behind it on its line."""
    options: tuple[tuple[str, ...], ...] = ()
    """The lines of its block, a tuple of words each."""


@dataclass(frozen=True, slots=True)
class Zone:
    """One server block."""

    names: tuple[str, ...]
    """Zones with ports, such as `.:53`."""
    plugins: tuple[Plugin, ...]
    """In the order of the file."""

    def plugin(self, name: str) -> Plugin | None:
        """A plugin, if the zone has it."""
        return next((one for one in self.plugins if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Forward:
    """Where names are asked for that CoreDNS does not know itself."""

    zones: tuple[str, ...]
    """The server block."""
    of: str
    """The names that it is about; `.` for all."""
    targets: tuple[str, ...]
    """Addresses, or a file with nameservers such as `/etc/resolv.conf` of CoreDNS's node."""


@dataclass(frozen=True, slots=True)
class Corefile:
    """A Corefile, read."""

    zones: tuple[Zone, ...]
    """In the order of the file, snippets put in where they are imported."""
    imports: tuple[str, ...]
    """Files that it imports, whose content is not seen here."""
    problem: str
    """Where and why reading stopped; empty when all of it was read."""

    @property
    def forwards(self) -> Iterator[Forward]:
        """Every place that is asked further."""
        for zone in self.zones:
            for plugin in zone.plugins:
                if plugin.name == "forward" and plugin.words:
                    yield Forward(zone.names, plugin.words[0], plugin.words[1:])

    @property
    def cluster_domains(self) -> tuple[str, ...]:
        """The domains of services, such as `cluster.local`."""
        found = [
            word.rstrip(".")
            for zone in self.zones
            for plugin in zone.plugins
            if plugin.name == "kubernetes"
            for word in plugin.words
        ]
        return tuple(dict.fromkeys(word for word in found if not word.endswith(".arpa")))


@dataclass(frozen=True, slots=True)
class _Block:
    """A line, with the lines in its braces if it has any."""

    words: tuple[str, ...]
    inner: tuple[_Block, ...] | None = None


class _Stop(Exception):
    """The file ends or closes where it must not."""


def read_corefile(text: str) -> Corefile:
    """Read a Corefile as far as it can be read."""
    lines = [(number, _words(line)) for number, line in enumerate(text.splitlines(), start=1)]
    rest = iter([(number, words) for number, words in lines if words])
    blocks: list[_Block] = []
    problem = ""
    try:
        for block in _blocks(rest, depth=0):
            blocks.append(block)
    except _Stop as stop:
        problem = str(stop)
    snippets = {
        block.words[0][1:-1]: block.inner or ()
        for block in blocks
        if block.words and block.words[0].startswith("(") and block.words[0].endswith(")")
    }
    imports: list[str] = []
    zones = [
        _zone(block, snippets, imports)
        for block in blocks
        if block.inner is not None and block.words and not block.words[0].startswith("(")
    ]
    imports += [block.words[1] for block in blocks if block.words[:1] == ("import",) and len(block.words) > 1]
    return Corefile(tuple(zones), tuple(dict.fromkeys(imports)), problem)


def _words(line: str) -> tuple[str, ...]:
    found = _TOKEN.finditer(_COMMENT.sub("", line))
    return tuple(match[1] if match[1] is not None else match[2] for match in found)


def _blocks(lines: Iterator[tuple[int, tuple[str, ...]]], depth: int) -> Iterator[_Block]:
    for number, words in lines:
        if words == ("}",):
            if depth == 0:
                raise _Stop(f"line {number} closes a block that was never opened")
            return
        if words[-1] == "{":
            if depth > _DEPTH:
                raise _Stop(f"line {number} opens too many blocks")
            yield _Block(words[:-1], tuple(_blocks(lines, depth + 1)))
        else:
            yield _Block(words)
    if depth:
        raise _Stop("it ends within a block")


def _zone(block: _Block, snippets: dict[str, tuple[_Block, ...]], imports: list[str]) -> Zone:
    names = tuple(word.rstrip(",") for word in block.words if word != ",")
    return Zone(names, tuple(_plugins(block.inner or (), snippets, imports, _DEPTH)))


def _plugins(
    blocks: tuple[_Block, ...], snippets: dict[str, tuple[_Block, ...]], imports: list[str], depth: int
) -> Iterator[Plugin]:
    for block in blocks:
        name, *words = block.words or ("",)
        if name == "import" and words:
            if words[0] in snippets and depth:
                yield from _plugins(snippets[words[0]], snippets, imports, depth - 1)
            else:
                imports.append(words[0])
        elif name:
            options = tuple(one.words for one in block.inner or ())
            yield Plugin(name, tuple(words), options)

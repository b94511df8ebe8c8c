"""What becomes of every file of an archive: a fact with a count, a gap, or not used for a stated reason.

`python -m tests.walk_archive` writes the table of the archives that are kept here, `python -m
tests.walk_archive FOLDER OUT` that of a folder of recordings. A file that no way of any fact reads needs a
line in `unused_files.tsv`; nothing else has to be said here when facts are added.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Answer, Gap, GapKind, answer
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Choice, Fact, Scope, Way
from playbooks.model.request import ContainerLog, Request
from playbooks.sources.sysdump import SysdumpSource
from playbooks.sources.sysdump.container import Container, Index, Member
from playbooks.sources.sysdump.cursor import Cursor
from tests.facts import every_kind
from tests.recorded import archives
from tests.walk import Unused, bare, counted, named, scene_of, summary

HERE = Path(__file__).parent
TABLE = HERE / "walk_archive.tsv"
UNUSED = HERE / "unused_files.tsv"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the files of one name."""

    file: str
    """The name, without what differs from cluster to cluster."""
    fact: str
    """The fact that reads it, and its way; empty where nothing does."""
    count: int | str
    """How many things the fact holds, or the kind of gap; of files that nothing reads, how many there are."""


class _Watched:
    """A container that remembers which of its files were read."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.read: set[str] = set()

    @property
    def index(self) -> Index:
        return self._container.index

    @property
    def problem(self) -> str:
        return self._container.problem

    def member(self, folder: str, name: str) -> Member | None:
        return self._container.member(folder, name)

    def cursor(self, member: Member) -> Cursor:
        self.read.add(member.path)
        return self._container.cursor(member)

    def close(self) -> None:
        self._container.close()


class WatchedSysdump(SysdumpSource):
    """An archive of which can be told what was read for a question."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._archive.container = self._watched = _Watched(self._archive.container)

    async def read_for(self, request: Request) -> tuple[Answer | Gap, frozenset[str]]:
        """The answer, and the paths of the files that it is from."""
        self._watched.read.clear()
        told = await answer(self, request, 1)
        return told, frozenset(self._watched.read)


def walk(path: Path) -> list[Outcome]:
    """Every file of an archive."""
    return asyncio.run(_walked(WatchedSysdump(path)))


async def _walked(source: WatchedSysdump) -> list[Outcome]:
    used: set[str] = set()
    found = []
    for request, ways in (await askers_of(source)).items():
        told, files = await source.read_for(request)
        if isinstance(told, Gap) and told.kind is GapKind.NOT_RECORDED:
            continue  # looked into, and not found there
        used |= files
        for kind, way in ways:
            count = told.kind.value if isinstance(told, Gap) else counted(way, told)
            found += [Outcome(said(file), named(kind, way), count) for file in sorted(files)]
    rest = Counter(said(file) for file in source.files if file not in used)
    await source.close()
    return found + [Outcome(file, "", number) for file, number in sorted(rest.items())]


async def askers_of(source: SysdumpSource) -> Mapping[Request, list[tuple[type[Fact], Way]]]:
    """Which ways of which facts ask a request, whatever version the agents are of."""
    knowing = Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)
    agents = await knowing.know(Agents)
    asked = [one.command() for one in agents.by_node.values()] if isinstance(agents, Agents) else []
    places = [(one.node_name, one.namespace, one.pod, one.container) for one in asked]
    found: dict[Request, list[tuple[type[Fact], Way]]] = defaultdict(list)
    for kind in every_kind():
        for place in places if kind.scope is Scope.NODE else [("", "", "", "")]:
            for is_running in (True, False) if kind.scope is Scope.NODE else (False,):
                scene = await scene_of(knowing, kind, place, is_running)
                for way in kind.ways:
                    request = way.ask(scene)
                    if not isinstance(request, Gap | Fact):
                        askers = found[light(request)]
                        askers += [] if (kind, way) in askers else [(kind, way)]
    return found


def light(request: Request) -> Request:
    """A request without what makes no difference in an archive."""
    return request if isinstance(request, ContainerLog) else bare(request)


# Names


_SAME = (
    (r"^.*?/?cilium-bugtool-[^/]*/(?=(?:cmd|conf)/)", "bugtool/"),
    (r"^[^/]+/(?=[^/]+$)", ""),
    (r"tmp-(?:bt-)?cilium-bugtool-[\d.+-]+UTC-\d+", "tmp-N"),
    (r"cilium-debuginfo-[\d.+-]+UTC", "cilium-debuginfo"),
    (r"-\d{8}-\d{6}", ""),
    (r"(?<=-)[a-f0-9]{8,10}-[a-z0-9]{5}(?=[-.])", "N-N"),
    (r"(?<=(?:logs|lows|erve)-cilium-)[a-z0-9]{5}(?=[-.])", "N"),
    (r"(/cmd/(?:ethtool-(?:-i-)?|tc-\w+-show-dev-))[^-.]+", r"\1DEVICE"),
    (r"/state/\d+(_[a-z_]+)?/", r"/state/N\1/"),
    (r"/state/bpf/\w+/", "/state/bpf/DEVICE/"),
    (r"/templates/[0-9a-f]{32,}", "/templates/N"),
    (r"\.ep_config\.(h|json)\d+$", r".ep_config.\1.N"),
    (r"(bugtool/cmd/ip-)(?:-[46])-route-show-(?!table).*", r"\1N-route-show-N.md"),
    (r"(tc-globals-cilium_)\w+", r"\1MAP"),
)
_SUBSTITUTES = tuple((re.compile(pattern), by) for pattern, by in _SAME)


def said(path: str) -> str:
    """A file's name in words that are equal in all archives."""
    for pattern, by in _SUBSTITUTES:
        path = pattern.sub(by, path)
    return path.replace("\t", " ")


# The table


def table(walked: Mapping[str, Iterable[Outcome]], unused: Unused) -> str:
    """One line for each file and way: what each archive holds of it, or why nobody reads it."""
    cells: dict[tuple[str, str], dict[str, list[int | str]]] = {}
    for name, outcomes in walked.items():
        for one in outcomes:
            cells.setdefault((one.file, one.fact), {}).setdefault(name, []).append(one.count)
    lines = [["file", "fact: way", *walked]]
    for (file, fact), row in sorted(cells.items()):
        if fact:
            lines.append([file, fact, *(_sum(row.get(name, ())) for name in walked)])
        elif not any(way for (other, way) in cells if other == file):
            files = (_sum(row.get(name, ())) for name in walked)
            lines.append([file, f"not used: {unused.reason(file)}", *files])
    return "".join("\t".join(line).rstrip("\t") + "\n" for line in lines)


def _sum(counts: Sequence[int | str]) -> str:
    numbers = [count for count in counts if isinstance(count, int)]
    words = dict.fromkeys(count for count in counts if isinstance(count, str))
    return "+".join([*([str(sum(numbers))] if numbers else []), *words])


def title(path: Path) -> str:
    """What an archive is called in the table."""
    return path.parent.name if path.suffix == ".zip" else f"{path.parent.name} (bugtool alone)"


def found_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The archives of a folder of recordings."""
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        for pattern, what in (("**/*sysdump*.zip", ""), ("**/*bugtool*.tar.gz", " (bugtool alone)")):
            yield from ((f"{case.name}{what}", path) for path in sorted(case.glob(pattern)))


def main(arguments: Sequence[str]) -> None:
    """Write the table of the archives that are kept in this repository, or of a folder of recordings."""
    if arguments:
        folder, out = map(Path, arguments)
        walked = {name: walk(path) for name, path in found_in(folder)}
    else:
        out, walked = TABLE, {title(path): walk(path) for path in archives()}
    text = table(walked, Unused.read(UNUSED))
    out.write_text(text, "utf-8")
    print(summary(text, "files"))


if __name__ == "__main__":
    main(sys.argv[1:])

"""What becomes of every answer of a recording: a fact with a count, a gap, or not used for a stated reason.

`python -m tests.walk` writes the table of `tests/clusters` anew, `python -m tests.walk FOLDER OUT` that of a
folder of recordings: journals, or outputs of commands. A recorded command that no way of any fact asks
needs a line in `unused.tsv`; nothing else has to be said here when facts are added.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Answer, Gap, answer
from playbooks.model.bpf.conntrack import Conntrack
from playbooks.model.bpf.nat import NatTable
from playbooks.model.cilium.agent.exposition import page_of
from playbooks.model.cilium.agent.one_endpoint import endpoint_detail, endpoint_health, endpoint_log
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.fact import Choice, Fact, Scene, Scope, Unreadable, Way
from playbooks.model.request import AgentCommand, ContainerLog, Request
from playbooks.sources.journal import JournalSource
from tests.convert.__main__ import convert, everything
from tests.convert.lab import Look
from tests.facts import every_kind, running_agent
from tests.recorded import clusters, source

HERE = Path(__file__).parent
TABLE = HERE / "walk.tsv"
UNUSED = HERE / "unused.tsv"
NO_REASON = "NO REASON"

Asker = tuple[type[Fact], Way]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one answer in one way."""

    command: str
    """The command, without what differs from cluster to cluster."""
    fact: str
    """The fact, and its way; empty for a command that nothing asks."""
    look: int
    """In which look."""
    count: int | str
    """How many things the fact holds, or the kind of gap."""


def walk(cluster: JournalSource) -> Iterator[Outcome]:
    """Every answer of a recording."""
    return iter(asyncio.run(_walked(cluster)))


async def _walked(cluster: JournalSource) -> list[Outcome]:
    found = []
    for look in range(1, cluster.looks + 1):
        asked = [request for number, request in cluster.asked if number == look]
        askers = await askers_of(cluster, look, asked)
        for request in asked:
            told = await answer(cluster, request, look)
            ways = askers.get(bare(request), ())
            if isinstance(told, Gap):
                found.append(Outcome(said(request), named(*ways[0]) if ways else "", look, told.kind.value))
            elif not ways:
                found.append(Outcome(said(request), "", look, ""))
            else:
                found += [Outcome(said(request), named(*way), look, counted(way[1], told)) for way in ways]
    return found


def counted(way: Way, told: Answer) -> int | str:
    """What a way makes of an answer: how many things it finds, or why none."""
    reader = way.reader()
    try:
        reader.feed(told.body)
        result = reader.finish(told.request, told.end)
    except Unreadable as error:
        return f"unreadable: {error}"
    return result.kind.value if isinstance(result, Gap) else size_of(result)


def size_of(fact: Fact) -> int:
    """How many things a fact holds: the size of its first collection; one where it has none."""
    if isinstance(fact, Log):
        return len(fact.lines)
    if isinstance(fact, Conntrack | NatTable):
        return fact.entries
    held = (getattr(fact, part.name) for part in fields(fact) if part.name != "provenance")
    sizes = [len(part) for part in held if isinstance(part, Sized) and not isinstance(part, str | bytes)]
    return sizes[0] if sizes else 1


def named(kind: type[Fact], way: Way) -> str:
    """A fact with its way, as the table names it."""
    name = kind.__mro__[1].__name__ if "<locals>" in kind.__qualname__ else kind.__name__
    return f"{name}: {way.name}"


_ENDPOINT = re.compile(r"^(cilium-dbg (?:endpoint|bpf policy|identity|service) \w+) \d+\b")
_POLICY_MAP = re.compile(r"(cilium_policy_v3_)\d+")


def said(request: Request) -> str:
    """A request in words that are equal in all clusters."""
    if isinstance(request, AgentCommand):
        return _POLICY_MAP.sub(r"\1N", _ENDPOINT.sub(r"\1 N", " ".join(request.argv)))
    if isinstance(request, ContainerLog):
        previous = " --previous" if request.is_previous else ""
        return f"logs -n {request.namespace} {_workload(request.pod)} -c {request.container}{previous}"
    return re.sub(r"-[a-z0-9]{5}\b", "-XXXXX", request.command())


def _workload(pod: str) -> str:
    return re.sub(r"(-[a-f0-9]{8,10})?-[a-z0-9]{5}$", "", pod)


# Who asks for what


async def askers_of(
    cluster: JournalSource, look: int, asked: Sequence[Request]
) -> Mapping[Request, list[Asker]]:
    """Which ways of which facts ask a request, whatever version the agents are of and whether they run."""
    knowing = Knowing(Asking(cluster, look, Turns(8)), Choice(), lambda: cluster.now)
    found: dict[Request, list[Asker]] = defaultdict(list)
    agents = {(r.node_name, r.namespace, r.pod, r.container) for r in asked if isinstance(r, AgentCommand)}
    kinds = [*every_kind(), *_about_endpoints(asked)]
    for kind in kinds:
        places = sorted(agents) if kind.scope is Scope.NODE else [("", "", "", "")]
        for place in places:
            for running in (True, False) if kind.scope is Scope.NODE else (False,):
                scene = await scene_of(knowing, kind, place, running)
                for way in kind.ways:
                    request = way.ask(scene)
                    if not isinstance(request, Gap | Fact):
                        askers = found[bare(request)]
                        askers += [] if (kind, way) in askers else [(kind, way)]
    return found


async def scene_of(
    knowing: Knowing, kind: type[Fact], place: tuple[str, str, str, str], is_running: bool
) -> Scene:
    """What a kind needs, with an agent that runs where one is wanted."""
    known = {need: await knowing.know(need, place[0]) for need in kind.needs}
    if is_running and Agents in known:
        # The agent of a recording may be down; its commands are to be known all the same.
        known[Agents] = running_agent(*place, agents=known[Agents])
    return Scene(known, place[0], Choice(), knowing.now())


def _about_endpoints(asked: Iterable[Request]) -> Iterator[type[Fact]]:
    """The kinds of fact about single endpoints that these requests may be of."""
    commands = [request.argv for request in asked if isinstance(request, AgentCommand)]
    numbers = {
        int(argv[3]) for argv in commands if argv[:2] == _ABOUT and len(argv) > 3 and argv[3].isdigit()
    }
    for number in sorted(numbers):
        yield from (endpoint_detail(number), endpoint_log(number), endpoint_health(number))


_ABOUT = ("cilium-dbg", "endpoint")


def bare(request: Request) -> Request:
    if isinstance(request, AgentCommand):
        return msgspec.structs.replace(request, is_heavy=False)
    if isinstance(request, ContainerLog):
        return msgspec.structs.replace(request, node_name="", tail=0, since_seconds=0)
    return request


# The table


def table(walked: Mapping[str, Iterable[Outcome]], unused: Unused) -> str:
    """One line for each command and way: what each look of each cluster holds, or why nobody asks."""
    cells: dict[tuple[str, str], dict[str, dict[int, list[int | str]]]] = {}
    for cluster, outcomes in walked.items():
        for one in outcomes:
            row = cells.setdefault((one.command, one.fact), {})
            row.setdefault(cluster, {}).setdefault(one.look, []).append(one.count)
    header = ["command", "fact: way", *walked]
    lines = [header]
    for (command, fact), row in sorted(cells.items()):
        if fact:
            lines.append(
                [command, fact, *("/".join(map(_sum, row.get(name, {}).values())) for name in walked)]
            )
        elif not any(is_used for (other, is_used) in cells if other == command):
            lines.append([command, f"not used: {unused.reason(command)}", *("" for _ in walked)])
    return "".join("\t".join(line) + "\n" for line in lines)


def _sum(counts: Sequence[int | str]) -> str:
    numbers = [count for count in counts if isinstance(count, int)]
    words = dict.fromkeys(count for count in counts if isinstance(count, str))
    return "+".join([*([str(sum(numbers))] if numbers else []), *words])


@dataclass(frozen=True, slots=True)
class Unused:
    """Commands that nothing asks, each with the reason."""

    reasons: tuple[tuple[str, str], ...]
    """Pattern of the command, and why it is not used."""

    @classmethod
    def read(cls, path: Path = UNUSED) -> Unused:
        """The reasons in a file: pattern, tab, reason."""
        rows = (line.split("\t") for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
        return cls(tuple((row[0], row[1]) for row in rows))

    def reason(self, command: str) -> str:
        """Why nothing asks a command; `NO REASON` when none is given."""
        return next((why for pattern, why in self.reasons if fnmatchcase(command, pattern)), NO_REASON)


def main(arguments: Sequence[str]) -> None:
    """Write the table of the clusters that are kept in this repository, or of a folder of recordings."""
    if arguments:
        folder, out = map(Path, arguments)
        walked = dict(walk_folder(folder))
    else:
        out, walked = TABLE, {name: [*walk(source(name))] for name in clusters()}
    text = table(walked, Unused.read())
    out.write_text(text, "utf-8")
    print(summary(text))


def summary(text: str, what: str = "commands") -> str:
    """A table in one line."""
    lines = text.splitlines()[1:]
    unused = sum("\tnot used: " in line for line in lines)
    bad = [line.partition("\t")[0] for line in lines if NO_REASON in line or "unreadable" in line]
    verdict = f"NOT ACCOUNTED FOR: {', '.join(bad)}" if bad else "everything accounted for"
    return f"{len(lines) - unused} {what} and ways become facts, {unused} are not used: {verdict}"


def walk_folder(folder: Path) -> Iterator[tuple[str, list[Outcome]]]:
    """Every recording in a folder: journals, or outputs of commands with an index."""
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        if (case / "journal").is_dir():
            yield case.name, [*walk(JournalSource(case / "journal"))]
        elif (case / "look-1" / "index.json").is_file():
            yield case.name, [*_walk_outputs(case)]


def _walk_outputs(case: Path) -> Iterator[Outcome]:
    with TemporaryDirectory() as temporary:
        convert(case, Path(temporary) / "case")
        yield from walk(JournalSource(Path(temporary) / "case" / "journal"))
    for number in (1, 2):
        look = Look.read(case / f"look-{number}")
        converted = {told.end.taken_at for told in everything(look)}
        for row in look.rows:
            if row.kind == "metrics" and row.command.endswith("/metrics"):
                page = page_of(look.body(row).decode()) if row.exit_code == 0 else None
                yield Outcome(row.command, "Page: metrics", number, len(page.samples) if page else "failed")
            elif row.at not in converted:
                yield Outcome(row.command, "", number, "")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Answers for agents' commands, logs and paths of the API server. They block, so they run in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from playbooks.model.answer import Gap, GapKind
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog
from playbooks.sources.stream import Piece
from playbooks.sources.sysdump.archive import AgentFiles
from playbooks.sources.sysdump.asked import ELSEWHERE, Asked, pattern_of
from playbooks.sources.sysdump.commands import Ended, Failed, debuginfo_names, file_names, printed
from playbooks.sources.sysdump.container import Member
from playbooks.sources.sysdump.cursor import Cursor, read_head
from playbooks.sources.sysdump.layout import log_name
from playbooks.sources.sysdump.log import tail_of
from playbooks.sources.sysdump.observed import is_observed, observed
from playbooks.sources.sysdump.trouble import Damaged
from playbooks.sources.sysdump.version import version_json
from playbooks.sources.sysdump.within import within

_VERSION_LIMIT = 64 * 1024

Pieces = Iterator[Piece]
Reader = Callable[[Cursor], Iterator[bytes | Ended | Failed]]


def agent_command(asked: Asked, request: AgentCommand) -> Pieces:
    """What bugtool kept of a command in an agent. Raises `Damaged`."""
    agent = asked.archive.agent(request.pod)
    if agent is None:
        yield _no_agent(asked, request)
        return
    if is_observed(request):
        yield from observed(asked, request)
        return
    files = agent.names()
    names = file_names(request.argv)
    member = agent.member((*names, *debuginfo_names(request.argv, files)))
    if member is not None:
        yield from _output(asked, agent, member, lambda cursor: printed(cursor, request.argv[0]))
        return
    other = within(request.argv)
    member = agent.member(other.names(files)) if other else None
    if other is None or member is None:
        yield _no_output(asked, agent, names[0])
        return
    yield from _output(asked, agent, member, other.answer)


def container_log(asked: Asked, request: ContainerLog) -> Pieces:
    """The end of a container's log. Raises `Damaged`."""
    archive = asked.archive
    if archive.layout.is_bugtool:
        yield asked.missing("holds one agent's output of cilium-bugtool and no logs")
        return
    name = log_name(request.pod, request.container, is_previous=request.is_previous)
    member = archive.file(name)
    if member is None:
        why = archive.complaints.about_log(request.pod, request.container)
        yield asked.missing(f"holds no {pattern_of(name)}" + (f": {why}" if why else ""))
        return
    taken_at = archive.taken_at(member)
    since = taken_at.timestamp() - request.since_seconds if request.since_seconds else 0.0
    tail = tail_of(archive.cursor(member), request.tail, since)
    if tail.text:
        yield tail.text
    yield asked.end(member, is_truncated=tail.is_cut)


def api_path(asked: Asked, request: ApiPath) -> Pieces:
    """A path of the API server; only the version is collected. Raises `Damaged`."""
    archive = asked.archive
    if request.path != "/version":
        yield asked.missing(f"never holds {request.path}: `cilium sysdump` does not collect it")
        return
    member = archive.file("k8s-version.txt")
    if member is None or not member.size:
        yield asked.missing(f"holds no {pattern_of('k8s-version.txt')}")
        return
    text = read_head(archive.cursor(member), _VERSION_LIMIT).decode("utf-8", "replace")
    version = version_json(text)
    if version is None:
        yield asked.gap(GapKind.UNREADABLE, f"{member.path} tells no version", ELSEWHERE)
        return
    yield version + b"\n"
    yield asked.end(member)


def _no_agent(asked: Asked, request: AgentCommand) -> Gap:
    why = asked.archive.complaints.about_agent(request.pod)
    return asked.missing(f"holds no cilium-bugtool-{request.pod}-*" + (f": {why}" if why else ""))


def _no_output(asked: Asked, agent: AgentFiles, name: str) -> Gap:
    problem = agent.container.problem
    return asked.missing(f"holds no {name} of this agent" + (f": {problem}" if problem else ""))


def _output(asked: Asked, agent: AgentFiles, member: Member, read: Reader) -> Pieces:
    name = member.path.rpartition("/")[2]
    try:
        for piece in read(agent.container.cursor(member)):
            if isinstance(piece, bytes):
                yield piece
            elif isinstance(piece, Ended):
                yield asked.end(member, where=f"{agent.label}{member.path}", exit_code=piece.exit_code)
            else:
                yield asked.gap(piece.kind, f"{piece.detail} (in {name})")
    except Damaged as error:
        yield asked.unreadable(error, name)

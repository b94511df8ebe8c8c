"""Agent commands and logs as the product asks them, from what the lab typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.request import AgentCommand, ContainerLog
from tests.convert.lab import Look, Row, Told
from tests.convert.objects import items_of

CONTAINER = "cilium-agent"
NOT_RUNNING = b"unable to upgrade connection: container not found"
USAGE = re.compile(rb"^Usage:$", re.MULTILINE)
UNKNOWN = re.compile(rb"^Error: unknown (?:command|flag|shorthand flag)\b", re.MULTILINE)
HEAD = 4096
"""Bytes in which a command that is not known shows its usage."""
LEFT_OUT = re.compile(r"timeout |cilium-dbg (debuginfo|statedb dump)$")
"""Follows, monitors and the largest dumps: nothing in the product asks for them whole."""
HEAVY = re.compile(r"cilium-dbg bpf (ct|nat) list")

_LOG = re.compile(
    r"kubectl logs -n (?P<namespace>\S+) (?P<target>\S+)(?: -c (?P<container>\S+))?"
    r"(?P<previous> --previous)? --tail=(?P<tail>\d+)"
)


def agent_commands(look: Look) -> Iterator[Told]:
    """Every command that was run in the agent's container and is kept."""
    for row in look.of_kind("agent"):
        if not LEFT_OUT.match(row.command):
            yield _agent_command(look, row)


def _agent_command(look: Look, row: Row) -> Told:
    node, namespace, pod = row.where.split("/")
    argv = tuple(shlex.split(row.command))
    request = AgentCommand(node, namespace, pod, CONTAINER, argv, bool(HEAVY.match(row.command)))
    gap = _gap(look, row)
    if gap:
        return Told(request, b"", replace(gap, command=request.command(), node=node, taken_at=row.at))
    stderr = look.stderr(row)
    end = End(request.command(), row.where, row.at, row.seconds, row.exit_code, stderr, row.truncated)
    return Told(request, look.body(row), end)


def _gap(look: Look, row: Row) -> Gap | None:
    """What a live cluster would have given for this instead of an answer."""
    stderr = look.stderr(row)
    if NOT_RUNNING in stderr:
        return Gap(GapKind.NOT_RUNNING, stderr.decode().strip().removeprefix("error: "))
    if (row.exit_code == 0 and USAGE.search(look.body(row)[:HEAD])) or (
        row.exit_code and UNKNOWN.search(stderr)
    ):
        return Gap(GapKind.NOT_IN_THIS_VERSION, f"this version does not know `{row.command}`")
    return None


def logs(look: Look) -> Iterator[Told]:
    """Every log, asked for as the product does: by pod and container, the last 500 lines."""
    for row in look.of_kind("logs"):
        match = _LOG.fullmatch(row.command)
        assert match, row.command
        place = _pod(look, row, match["namespace"], match["target"])
        if place:
            node, pod, container = place
            is_previous = bool(match["previous"])
            request = ContainerLog(
                match["namespace"], pod, match["container"] or container, node, is_previous
            )
            yield _log(look, row, request, int(match["tail"]))


def _log(look: Look, row: Row, request: ContainerLog, tail: int) -> Told:
    body, stderr = look.body(row), look.stderr(row)
    if row.exit_code:
        assert b"not found" in stderr, stderr
        detail = stderr.decode().strip().removeprefix("Error from server (BadRequest): ")
        gap = Gap(GapKind.NOT_FOUND, detail, request.command(), "", request.node_name, row.at)
        return Told(request, b"", gap)
    is_cut = row.truncated or (tail < request.tail and body.count(b"\n") >= tail)
    where = f"{request.node_name}/{request.namespace}/{request.pod}"
    return Told(request, body, End(request.command(), where, row.at, row.seconds, 0, b"", is_cut))


def _pod(look: Look, row: Row, namespace: str, target: str) -> tuple[str, str, str] | None:
    """Node, pod and default container behind what was typed; None when it was no single pod."""
    if target == "POD":
        node, _, pod = row.where.split("/")
        return node, pod, CONTAINER
    replica_set = re.compile(re.escape(target.removeprefix("deploy/")) + r"-[a-z0-9]+")
    found = [
        pod
        for pod in items_of(look, "pods -A")
        if pod["metadata"]["namespace"] == namespace
        and any(replica_set.fullmatch(owner["name"]) for owner in pod["metadata"].get("ownerReferences", []))
    ]
    if len(found) != 1:
        return None
    spec = found[0]["spec"]
    return spec["nodeName"], found[0]["metadata"]["name"], spec["containers"][0]["name"]

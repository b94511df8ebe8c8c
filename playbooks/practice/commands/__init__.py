"""The commands of the agent's image: each answer is derived from the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from playbooks.practice import agents
from playbooks.practice.commands import (
    addresses,
    balancing,
    counters,
    devices,
    endpoints,
    files,
    filling,
    health,
    mesh,
    metrics,
    modules,
    options,
    policies,
    policy_maps,
    slots,
    status,
    tracking,
    usage,
)
from playbooks.practice.commands.following import Following
from playbooks.practice.commands.view import AgentView
from playbooks.practice.objects import Json
from playbooks.practice.runs import PodRun

if TYPE_CHECKING:
    from playbooks.practice.world import World


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed and how it ended."""

    stdout: bytes = b""
    """Standard output."""
    stderr: bytes = b""
    """Standard error."""
    exit_code: int = 0
    """Exit code."""


@dataclass(frozen=True, slots=True)
class NoProgram:
    """The image has no such program."""

    message: str
    """What the container runtime says."""


_UNREACHABLE = (
    'Get "http://localhost/v1/healthz": dial unix /var/run/cilium/cilium.sock: '
    "connect: no such file or directory\n"
    "Is the agent running?\n"
)
_BUILD: Json = {
    "Revision": "0000000000",
    "GoRuntimeVersion": "go1.26.8 linux/amd64 go version go1.26.8",
    "Arch": "linux/amd64",
    "AuthorDate": "2026-11-23T00:00:00+00:00",
}
_JSON = (("-o", "json"), ("-o=json",), ("--output", "json"), ("--output=json",), ("-ojson",))


def run(world: World, pod: PodRun, container: str, argv: tuple[str, ...]) -> Output | NoProgram | Following:
    """Run a command in a running container of a pod."""
    program, *arguments = argv or ("",)
    if not agents.is_agent(pod.pod) or container != agents.container_name(pod.pod):
        return _no_program(program)
    if program == "timeout":
        return _timed(world, pod, container, tuple(arguments))
    if program == "true":
        return Output()
    words = tuple(arguments)
    if program == "cat":
        stdout, stderr = files.printed(AgentView(world, pod), words)
        return Output(stdout.encode(), stderr.encode(), 1 if stderr else 0)
    if program == "iptables-save":
        return _text(files.rules(AgentView(world, pod)))
    if program == "hubble":
        return _hubble_command(AgentView(world, pod), words)
    if program == world.agent_program and words[:1] == ("monitor",):
        return _monitor_command(AgentView(world, pod), words)
    if program == world.agent_program:
        return _agent_command(AgentView(world, pod), words)
    if program == "cilium-health":
        return _health_command(AgentView(world, pod), words)
    return _no_program(program)


def _no_program(program: str) -> NoProgram:
    return NoProgram(
        "failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: "
        f'unable to start container process: exec: "{program}": executable file not found in $PATH: unknown'
    )


def _timed(
    world: World, pod: PodRun, container: str, words: tuple[str, ...]
) -> Output | NoProgram | Following:
    """`timeout`: everything answers in time here, so the command is simply run."""
    if words[:1] == ("--version",):
        return _text("timeout (GNU coreutils) 9.4\n")
    rest = list(words)
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag in ("-k", "-s", "--kill-after", "--signal") and rest:
            rest.pop(0)
    if len(rest) < 2:
        return Output(
            stderr=b"timeout: missing operand\nTry 'timeout --help' for more information.\n", exit_code=125
        )
    answer = run(world, pod, container, tuple(rest[1:]))
    if isinstance(answer, NoProgram):
        message = f"timeout: failed to run command '{rest[1]}': No such file or directory\n"
        return Output(stderr=message.encode(), exit_code=127)
    if isinstance(answer, Following):
        return Following(answer.more, _seconds(rest[0]), 124)
    return answer


def _seconds(text: str) -> float:
    """A duration as `timeout` takes it."""
    number = text.rstrip("smhd")
    factor = {"m": 60, "h": 3600, "d": 86400}.get(text[len(number) :], 1)
    return float(number) * factor if number.replace(".", "", 1).isdigit() else 0.0


def _hubble_command(view: AgentView, words: tuple[str, ...]) -> Output | Following:
    # What it needs takes a while to import, and most worlds are never asked for flows.
    from playbooks.practice.commands import hubble

    printed = hubble.run(view, words)
    if not isinstance(printed, tuple):
        return Following(printed)
    stdout, stderr, code = printed
    return Output(stdout.encode(), stderr.encode(), code)


def _monitor_command(view: AgentView, words: tuple[str, ...]) -> Output | Following:
    from playbooks.practice.commands import monitor

    if not _answers(view):
        return Output(stderr=_UNREACHABLE.encode(), exit_code=1)
    more = monitor.follow(view, words[1:])
    return Following(more) if more is not None else _refusal(words)


def _agent_command(view: AgentView, words: tuple[str, ...]) -> Output:
    command, wants_json = _without_format(words)
    if command[:2] in _OF_ONE and len(command) == 3:
        return _of_one(view, command)
    if command[:3] == _POLICY_MAP and command[3:4] and command[3][:1].isdigit():
        return _policy_map(view, command[3], wants_json=wants_json, is_numeric="-n" in command[4:])
    answer = _COMMANDS.get(command)
    if answer is None:
        return _refusal(command)
    text, document = answer
    if not _answers(view):
        return Output(stderr=_UNREACHABLE.encode(), exit_code=1)
    if wants_json:
        return _refusal(command) if document is None else _json(document(view))
    return _text(text(view))


def _of_one(view: AgentView, command: tuple[str, ...]) -> Output:
    """A command about one endpoint or identity, which prints JSON either way."""
    kind, _, number = command
    if not _answers(view):
        return Output(stderr=_UNREACHABLE.encode(), exit_code=1)
    found = [row for row in _OF_ONE[kind, "get"](view) if str(row["id"]) == number]
    if found:
        return _json(found)
    why = {
        "endpoint": f"Cannot get endpoint {number}: [GET /endpoint/{{id}}][404] getEndpointIdNotFound",
        "identity": f"Cannot get identity for given ID {number}: [GET /identity/{{id}}][404] "
        "getIdentityIdNotFound",
    }
    return Output(stderr=f"Error: {why[kind]}\n\n".encode(), exit_code=1)


def _policy_map(view: AgentView, number: str, *, wants_json: bool, is_numeric: bool) -> Output:
    if not _answers(view):
        return Output(stderr=_UNREACHABLE.encode(), exit_code=1)
    if number.isdigit() and wants_json and (rows := policy_maps.documents(view, int(number))) is not None:
        return _json(rows)
    if number.isdigit() and (text := policy_maps.text(view, int(number), is_numeric=is_numeric)):
        return _text(text)
    return Output(stderr=f'Error: Failed to parse endpointID "{number}"\n'.encode(), exit_code=1)


def _answers(view: AgentView) -> bool:
    """Whether this pod is its node's agent, and up."""
    return agents.is_up(view.world, view.node) and view.world.agents.get(view.node) is view.run


def _health_command(view: AgentView, words: tuple[str, ...]) -> Output:
    command, wants_json = _without_format(words)
    if command not in (("status",), ("status", "--verbose")):
        stdout, stderr = usage.unknown_command(command[0] if command else "")
        return Output(stdout.encode(), stderr.encode(), 1)
    if not agents.is_up(view.world, view.node):
        text = _UNREACHABLE.replace("cilium.sock", "health.sock")
        return Output(stderr=text.encode(), exit_code=1)
    if wants_json:
        return _json(health.document(view))
    return _text(health.text(view, is_verbose=len(command) > 1))


def _without_format(words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    for form in _JSON:
        for index in range(len(words)):
            if words[index : index + len(form)] == form:
                return words[:index] + words[index + len(form) :], True
    return words, False


def _refusal(command: tuple[str, ...]) -> Output:
    """The answer of an agent without that command."""
    if not command:
        return _text(f"Usage:\n  {usage.PROGRAM} [command]\n")
    if command[0] == "shell":
        return _no_table(command)
    if command[0] in usage.GROUPS:
        return _text(usage.group_help(command[0]))
    known = {name[0] for name in _COMMANDS}
    flags = [word for word in command if word.startswith("-")]
    if command[0] in known and flags:
        message = f"Error: unknown flag: {flags[0]}\n"
        body = usage.flag_usage(command[0]) + f"unknown flag: {flags[0]}\n"
        return Output(body.encode(), message.encode(), 1)
    stdout, stderr = usage.unknown_command(command[0])
    return Output(stdout.encode(), stderr.encode(), 1)


def _no_table(command: tuple[str, ...]) -> Output:
    words = [word for word in command[1:] if word not in ("--", "-f", "json")]
    if words[:1] == ["db/show"] and len(words) > 1:
        text = f'<stdin>:0: db/show {words[1]}: table "{words[1]}" not found'
    else:
        text = f"<stdin>:0: {words[0] if words else ''}: unknown command"
    return Output(f"{text}\nerror: {text}\n".encode(), exit_code=1)


def _text(text: str) -> Output:
    return Output(text.encode())


def _json(document: object) -> Output:
    return Output(msgspec.json.encode(document) + b"\n")


def _versions(view: AgentView) -> Json:
    version = {"Version": view.version, **_BUILD}
    return {"Client": version, "Daemon": version}


def _version_text(view: AgentView) -> str:
    stamp = f"{view.version} {_BUILD['Revision']} {_BUILD['AuthorDate']}"
    line = f"{stamp} go version go1.26.8 linux/amd64 go version go1.26.8 {_BUILD['Arch']}"
    return f"Client: {line}\nDaemon: {line}\n"


def _table_rows(documents: list[Json]) -> str:
    """Rows of a table as the shell prints them in JSON: one object after the other."""
    rows = [msgspec.json.format(msgspec.json.encode(row), indent=2).decode() for row in documents]
    return "\n".join(rows) + "\n"


def _health_rows(view: AgentView) -> str:
    return _table_rows(modules.documents(view))


def _backend_rows(view: AgentView) -> str:
    return _table_rows(balancing.backend_rows(view))


def _frontend_rows(view: AgentView) -> str:
    return _table_rows(slots.frontend_rows(view))


def _announced_rows(view: AgentView) -> str:
    rows = balancing.announced_rows(view)
    return _table_rows(rows) if rows else ""


def _short_status(view: AgentView) -> str:
    return status.text(view, is_verbose=False)


def _long_status(view: AgentView) -> str:
    return status.text(view, is_verbose=True)


_POLICY_MAP = ("bpf", "policy", "get")


def _status_of_clusters(view: AgentView) -> str:
    return status.text(view, is_verbose=False, with_clusters=True)


_Text = Callable[[AgentView], str]
_Document = Callable[[AgentView], object]
_COMMANDS: dict[tuple[str, ...], tuple[_Text, _Document | None]] = {
    ("status",): (_short_status, status.document),
    ("status", "--verbose"): (_long_status, None),
    ("status", "--brief"): (lambda _view: "OK\n", None),
    ("shell", "--", "db/show", "health"): (modules.table, None),
    ("shell", "--", "db/show", "health", "-f", "json"): (_health_rows, None),
    ("shell", "db/show", "health"): (modules.table, None),
    ("shell", "db/show", "health", "-f", "json"): (_health_rows, None),
    ("config", "-a"): (options.text, options.document),
    ("config", "--all"): (options.text, options.document),
    ("version",): (_version_text, _versions),
    ("endpoint", "list"): (endpoints.text, endpoints.documents),
    ("service", "list"): (balancing.service_text, balancing.service_documents),
    ("bpf", "lb", "list"): (balancing.map_text, balancing.map_documents),
    ("bpf", "lb", "list", "--backends"): (balancing.backend_map_text, balancing.backend_map),
    ("bpf", "lb", "list", "--revnat"): (balancing.reverse_map_text, balancing.reverse_map),
    ("bpf", "lb", "list", "--frontends"): (slots.slot_text, slots.slot_map),
    ("bpf", "lb", "list", "--source-ranges"): (slots.source_range_text, slots.source_ranges),
    ("bpf", "ct", "list", "global"): (tracking.conntrack_text, tracking.conntrack_documents),
    ("bpf", "ct", "list", "global", "-d"): (tracking.conntrack_aged, None),
    ("bpf", "nat", "list"): (tracking.nat_text, tracking.nat_documents),
    ("bpf", "nat", "retries", "list"): (tracking.nat_retries, None),
    ("bpf", "metrics", "list"): (counters.text, counters.documents),
    ("metrics", "list"): (metrics.text, metrics.documents),
    ("map", "list"): (filling.text, None),
    ("shell", "--", "db/show", "devices"): (devices.table, None),
    ("statedb", "devices"): (devices.table, None),
    ("shell", "--", "db/show", "nat-stats"): (tracking.nat_stats, None),
    ("shell", "--", "lb/maps-dump"): (balancing.maps_dump, None),
    ("shell", "--", "db/show", "frontends"): (balancing.frontend_table, None),
    ("shell", "--", "db/show", "frontends", "-f", "json"): (_frontend_rows, None),
    ("shell", "--", "db/show", "backends"): (balancing.backend_table, None),
    ("shell", "--", "db/show", "backends", "-f", "json"): (_backend_rows, None),
    ("shell", "--", "db/show", "l2-announce"): (balancing.announced_table, None),
    ("shell", "--", "db/show", "l2-announce", "-f", "json"): (_announced_rows, None),
    ("identity", "list"): (addresses.identity_text, addresses.identity_documents),
    ("ip", "list"): (addresses.ip_text, addresses.ip_documents),
    ("bpf", "ipcache", "list"): (addresses.ipcache_text, addresses.ipcache_documents),
    ("bpf", "endpoint", "list"): (addresses.endpoint_map_text, addresses.endpoint_map_documents),
    ("nodeid", "list"): (addresses.node_number_text, addresses.node_number_documents),
    ("node", "list"): (addresses.node_text, addresses.node_documents),
    ("status", "--all-clusters"): (_status_of_clusters, None),
    ("troubleshoot", "clustermesh"): (mesh.troubleshoot, None),
    ("shell", "--", "policy/mapstate/entries"): (policy_maps.wanted, None),
    ("policy", "get"): (policies.policy_text, policies.policy_document),
    ("policy", "selectors"): (policies.selector_text, policies.selector_documents),
    ("fqdn", "cache", "list"): (policies.lookup_text, policies.lookup_documents),
    ("fqdn", "names"): (policies.name_document, None),
    ("bpf", "policy", "list"): (policy_maps.all_labels, policy_maps.all_documents),
    ("bpf", "policy", "get", "--all"): (policy_maps.all_labels, policy_maps.all_documents),
    ("bpf", "policy", "get", "--all", "-n"): (policy_maps.all_numbers, policy_maps.all_documents),
}
_OF_ONE: dict[tuple[str, ...], Callable[[AgentView], list[Json]]] = {
    ("endpoint", "get"): endpoints.documents,
    ("identity", "get"): addresses.identity_documents,
}

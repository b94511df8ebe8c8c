"""`hubble` in the agent's container: what the command prints of the agent's own observer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec
from google.protobuf.json_format import MessageToDict

from playbooks.model.hubble.filters.asked import Help, Observe
from playbooks.model.hubble.filters.flag import Kind
from playbooks.model.hubble.filters.observing import observe
from playbooks.model.hubble.filters.wording import Refused
from playbooks.model.hubble.printers import Screen, printer
from playbooks.model.hubble.proto import observer_pb2
from playbooks.practice.hubble.observers import Agent, NotOffered
from playbooks.practice.hubble.past import has_hubble, past_of
from playbooks.practice.hubble.question import WrongRequest

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from playbooks.practice.commands.view import AgentView
    from playbooks.practice.hubble.streams import Stream

SOCKET = "unix:///var/run/cilium/hubble.sock"
"""Where the command asks."""
_PATH = SOCKET.removeprefix("unix://")
_JSON = (("-o", "json"), ("-o=json",), ("-ojson",), ("--output", "json"), ("--output=json",))
_NO_SOCKET = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
    f'dial unix {_PATH}: connect: no such file or directory"\n'
)
_USAGE = (
    "Hubble is a utility to observe and inspect recent Cilium routed traffic in a cluster.\n\n"
    "Usage:\n  hubble [command]\n\nAvailable Commands:\n"
    "  list        List Hubble objects\n"
    "  observe     Observe flows and events of a Hubble server\n"
    "  status      Display status of Hubble server\n"
    "  version     Display detailed version information\n"
)

Printed = tuple[str, str, int]
"""Standard output, standard error, exit code."""


def run(view: AgentView, words: tuple[str, ...]) -> Printed | Callable[[], bytes]:
    """What the command prints, or what prints on for one that follows."""
    command, rest = words[:1], words[1:]
    if command == ("observe",):
        return _observe(view, rest)
    if command == ("version",):
        version = view.world.profile.version
        return f"hubble v{version} compiled with go1.26.8 on linux/amd64\n", "", 0
    kind, wants_json = _without_format(words)
    show = _SHOWN.get(kind)
    if show is None:
        if not words or words[0] in ("help", "-h", "--help"):
            return _USAGE, "", 0
        return "", f'unknown command "{words[0]}" for "hubble"\n', 1
    if not _is_there(view):
        return "", _NO_SOCKET, 1
    try:
        return show(view, wants_json), "", 0
    except NotOffered as error:
        return "", f"rpc error: code = Unimplemented desc = {error}\n", 1


def _observe(view: AgentView, words: tuple[str, ...]) -> Printed | Callable[[], bytes]:
    asked = observe(words, view.now)
    if isinstance(asked, Help):
        return asked.text, "", 0
    if isinstance(asked, Refused):
        return "", f"{asked.message}\n", asked.exit
    if asked.print_raw_filters:
        return asked.raw_filters(), "", 0
    if not _is_there(view):
        return "", _NO_SOCKET, 1
    try:
        stream = _stream(Agent(view.world, view.node, view.world.hubble.encoder(view.world)), asked)
    except WrongRequest as error:
        return "", f"rpc error: code = InvalidArgument desc = {error}\n", 1
    pad = _Pad(asked)
    pad.print(stream.begin(past_of(view.world)))
    if asked.follow:
        return lambda: pad.more(stream, view)
    return pad.whole()


def _stream(agent: Agent, asked: Observe) -> Stream:
    if asked.kind is Kind.AGENT_EVENTS:
        return agent.agent_events(asked.agent_events_request())
    if asked.kind is Kind.DEBUG_EVENTS:
        return agent.debug_events(asked.debug_events_request())
    return agent.flows(asked.request())


class _Pad:
    """What a command has printed and nobody has read yet."""

    def __init__(self, asked: Observe) -> None:
        self._kind = asked.kind
        self._out: list[str] = []
        self._err: list[str] = []
        self._printer = printer(asked.look, self._out.append, self._err.append, Screen())

    def print(self, raws: Iterable[bytes]) -> None:
        for raw in raws:
            if self._kind is Kind.AGENT_EVENTS:
                self._printer.agent_event(observer_pb2.GetAgentEventsResponse.FromString(raw))
            elif self._kind is Kind.DEBUG_EVENTS:
                self._printer.debug_event(observer_pb2.GetDebugEventsResponse.FromString(raw))
            else:
                self._printer.response(raw)

    def more(self, stream: Stream, view: AgentView) -> bytes:
        self.print(stream.more(past_of(view.world)))
        text = "".join(self._out)
        self._out.clear()
        return text.encode()

    def whole(self) -> Printed:
        self._printer.close()
        return "".join(self._out), "".join(self._err), 0


def _is_there(view: AgentView) -> bool:
    return has_hubble(view.run) and view.node in past_of(view.world).watched


def _without_format(words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    for form in _JSON:
        for index in range(len(words)):
            if words[index : index + len(form)] == form:
                return words[:index] + words[index + len(form) :], True
    return words, False


def _status(view: AgentView, wants_json: bool) -> str:
    told = Agent(view.world, view.node).status(past_of(view.world))
    if wants_json:
        return _json(told)
    share = 100 * told.num_flows / told.max_flows
    return (
        f"Healthcheck (via {SOCKET}): Ok\n"
        f"Current/Max Flows: {told.num_flows:,}/{told.max_flows:,} ({share:.2f}%)\n"
        f"Flows/s: {told.seen_flows / max(told.uptime_ns / 1e9, 1.0):.2f}\n"
    )


def _namespaces(view: AgentView, wants_json: bool) -> str:
    told = Agent(view.world, view.node).namespaces(past_of(view.world))
    if wants_json:
        return f"[{','.join(_json(one).rstrip() for one in told.namespaces)}]\n"
    return "NAMESPACE\n" + "".join(f"{one.namespace}\n" for one in told.namespaces)


def _nodes(view: AgentView, wants_json: bool) -> str:  # noqa: ARG001  as the others are asked
    return str(Agent(view.world, view.node).nodes(past_of(view.world)))


def _json(message: Message) -> str:
    document = MessageToDict(message, preserving_proto_field_name=True)
    return msgspec.json.encode(document).decode() + "\n"


_SHOWN: dict[tuple[str, ...], Callable[[AgentView, bool], str]] = {
    ("status",): _status,
    ("list", "namespaces"): _namespaces,
    ("list", "nodes"): _nodes,
}

"""The hubble command's words for a request, and the monitor's."""

from __future__ import annotations

from google.protobuf.json_format import MessageToJson

from playbooks.model.hubble.proto import flow_pb2
from playbooks.sources.hubble.wish import Call, Wish

ALL = 2**64 - 1
"""The number that means all flows."""
STATUS = ("hubble", "status", "-o", "json")
"""Whether Hubble's server answers where the command runs."""
MONITOR = ("cilium-dbg", "monitor", "-j", "-t", "drop", "-t", "policy-verdict")
"""Drops and verdicts where there is no Hubble."""
_WORDS = {Call.FLOWS: (), Call.AGENT_EVENTS: ("agent-events",), Call.DEBUG_EVENTS: ("debug-events",)}


def observe(wish: Wish) -> tuple[str, ...]:
    """`hubble observe` with everything that the request says, but for a field mask: whole flows hold more."""
    request = wish.request
    words = ["hubble", "observe", *_WORDS[wish.call], "-o", "jsonpb"]
    if request.follow:
        words.append("--follow")
    if request.HasField("since"):
        words += ["--since", request.since.ToJsonString()]
    if request.HasField("until"):
        words += ["--until", request.until.ToJsonString()]
    words += _count(request.number, request.first, is_open=request.follow or request.HasField("since"))
    for flag, filters in (
        ("--allowlist", getattr(request, "whitelist", ())),
        ("--denylist", getattr(request, "blacklist", ())),
    ):
        for one in filters:
            words += [flag, _json(one)]
    return tuple(words)


def _count(number: int, is_first: bool, *, is_open: bool) -> list[str]:
    if number == ALL or (not number and not is_open):
        # Without any bound the command would show twenty, the server all.
        return ["--all"]
    if not number:
        return []
    return ["--first" if is_first else "--last", str(number)]


def _json(one: flow_pb2.FlowFilter) -> str:
    return MessageToJson(one, preserving_proto_field_name=True, indent=None)

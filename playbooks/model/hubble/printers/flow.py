"""A flow of which only the first level is parsed, as the printers read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.shallow import shallow


class ShallowFlow(Protocol):
    """A flow with its sub-messages as bytes."""

    time: bytes
    verdict: int
    ethernet: bytes
    IP: bytes
    l4: bytes
    source: bytes
    destination: bytes
    node_name: str
    source_names: Sequence[str]
    destination_names: Sequence[str]
    l7: bytes
    event_type: bytes
    source_service: bytes
    destination_service: bytes
    traffic_direction: int
    policy_match_type: int
    drop_reason_desc: int
    is_reply: bytes
    debug_capture_point: int
    sock_xlate_point: int
    uuid: str
    auth_type: int
    ip_trace_id: bytes
    egress_allowed_by: Sequence[bytes]
    ingress_allowed_by: Sequence[bytes]
    egress_denied_by: Sequence[bytes]
    ingress_denied_by: Sequence[bytes]
    Summary: str

    def HasField(self, name: str) -> bool:  # noqa: N802  as protobuf names it
        """Whether a sub-message is there, be it empty."""


def flow_of(raw: bytes) -> ShallowFlow:
    """A serialized flow. Raises `DecodeError`."""
    return cast("ShallowFlow", _parse(raw))


_parse = shallow(flow_pb2.Flow.DESCRIPTOR).FromString

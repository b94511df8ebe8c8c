"""Field masks: which fields of a flow are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask

from playbooks.model.hubble.filters.wording import WrongValue, quoted
from playbooks.model.hubble.proto import flow_pb2

VISIBLE = (
    "time",
    "verdict",
    "ethernet",
    "IP",
    "l4",
    "source.identity",
    "source.namespace",
    "source.pod_name",
    "destination.identity",
    "destination.namespace",
    "destination.pod_name",
    "Type",
    "node_name",
    "l7",
    "event_type",
    "source_service",
    "destination_service",
    "is_reply",
    "Summary",
    "ip_trace_id",
    "traffic_direction",
    "policy_match_type",
    "ingress_allowed_by",
    "ingress_denied_by",
    "egress_allowed_by",
    "egress_denied_by",
)
"""What compact, dict and table show of a flow."""


def mask(paths: Iterable[str]) -> FieldMask:
    """A mask of these paths; one that no flow has is refused."""
    found = FieldMask()
    for path in paths:
        if not _is_known(path):
            raise WrongValue(f'proto: invalid path {quoted(path)} for message "flow.Flow"')
        found.paths.append(path)
    return found


def _is_known(path: str) -> bool:
    message: Descriptor | None = flow_pb2.Flow.DESCRIPTOR
    for name in path.split("."):
        if message is None:
            return False
        field = message.fields_by_name.get(name)
        if field is None:
            return False
        message = (
            None if field.is_repeated or field.type != FieldDescriptor.TYPE_MESSAGE else field.message_type
        )
    return True

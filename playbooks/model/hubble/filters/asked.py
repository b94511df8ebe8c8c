"""What a person asks of Hubble, as the arguments say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.filters import raw
from playbooks.model.hubble.filters.flag import Kind
from playbooks.model.hubble.proto import flow_pb2, observer_pb2

ALL = (1 << 64) - 1
"""The number that stands for all flows that are kept."""


class Output(StrEnum):
    """How events are printed."""

    COMPACT = "compact"
    DICT = "dict"
    JSONPB = "jsonpb"
    """Also what `json` means."""
    TABLE = "table"
    """Also what `tab` means."""
    CSV = "csv"
    """Only honeyguide has it."""


class TimeFormat(StrEnum):
    """How moments are printed; an unknown name means StampMilli."""

    STAMP_MILLI = "StampMilli"
    YEAR_MONTH_DAY = "YearMonthDay"
    YEAR_MONTH_DAY_HOUR = "YearMonthDayHour"
    YEAR_MONTH_DAY_HOUR_MINUTE = "YearMonthDayHourMinute"
    RFC3339 = "RFC3339"
    RFC3339_MILLI = "RFC3339Milli"
    RFC3339_MICRO = "RFC3339Micro"
    RFC3339_NANO = "RFC3339Nano"
    RFC1123Z = "RFC1123Z"


class Color(StrEnum):
    """When the output has colours; an unknown name means auto."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Look:
    """How events are to be printed."""

    output: Output = Output.COMPACT
    """The format."""
    time_format: TimeFormat = TimeFormat.STAMP_MILLI
    """The layout of moments, of no effect on JSON."""
    color: Color = Color.AUTO
    """When there are colours."""
    ip_translation: bool = True
    """Whether names stand for addresses; `--numeric` is the same as not."""
    node_name: bool = False
    """Whether the node's name is printed."""
    policy_names: bool = False
    """Whether the policies' names are printed."""
    debug: bool = False
    """Whether node states that are no trouble, and debug messages, are printed."""
    silent_errors: bool = False
    """Whether standard error stays empty."""


@dataclass(frozen=True, slots=True)
class Observe:
    """What the arguments ask for: which events, from where, and how they are to look."""

    kind: Kind = Kind.FLOWS
    """Flows, agent events or debug events."""
    allowlist: tuple[flow_pb2.FlowFilter, ...] = ()
    """One of these has to match; none at all matches everything."""
    denylist: tuple[flow_pb2.FlowFilter, ...] = ()
    """None of these may match."""
    number: int = 0
    """How many events; 0 is no limit, ALL all that are kept."""
    first: bool = False
    """Whether the oldest are meant and not the newest."""
    follow: bool = False
    """Whether to go on as events arrive."""
    since: Timestamp | None = None
    """The earliest moment."""
    until: Timestamp | None = None
    """The latest moment; never with `follow`."""
    field_mask: tuple[str, ...] = ()
    """The fields of flows that are asked for; none means all."""
    look: Look = field(default_factory=Look)
    """How events are printed."""
    print_raw_filters: bool = False
    """Whether only the filters are to be printed."""
    input_file: str = ""
    """A file of JSON lines to read instead of a server; `-` is standard input."""
    input: str = ""
    """A sysdump or journal to read instead of a server."""
    server: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The flags about the server, the configuration file and debugging that were given: name → values."""
    words: tuple[str, ...] = ()
    """Arguments that are no flags; the hubble command ignores them."""

    def request(self) -> observer_pb2.GetFlowsRequest:
        """What is sent for flows."""
        return observer_pb2.GetFlowsRequest(
            number=self.number,
            first=self.first,
            follow=self.follow,
            since=self.since,
            until=self.until,
            whitelist=self.allowlist,
            blacklist=self.denylist,
            field_mask=FieldMask(paths=self.field_mask) if self.field_mask else None,
        )

    def agent_events_request(self) -> observer_pb2.GetAgentEventsRequest:
        """What is sent for agent events."""
        return observer_pb2.GetAgentEventsRequest(
            number=self.number, first=self.first, follow=self.follow, since=self.since, until=self.until
        )

    def debug_events_request(self) -> observer_pb2.GetDebugEventsRequest:
        """What is sent for debug events."""
        return observer_pb2.GetDebugEventsRequest(
            number=self.number, first=self.first, follow=self.follow, since=self.since, until=self.until
        )

    def raw_filters(self) -> str:
        """The text that `--print-raw-filters` prints."""
        return raw.printed(self.allowlist, self.denylist)


@dataclass(frozen=True, slots=True)
class Help:
    """The arguments ask what there is to ask."""

    kind: Kind
    """The command whose flags are wanted."""
    text: str
    """The flags, by group, for standard output."""

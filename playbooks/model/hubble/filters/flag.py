"""What is known of one flag, and how a group of flags excludes itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from google.protobuf.message import Message

FieldValue = str | int | bool | Message


class Kind(StrEnum):
    """What is observed: `hubble observe`, and its two sub-commands for other events."""

    FLOWS = "flows"
    AGENT_EVENTS = "agent-events"
    DEBUG_EVENTS = "debug-events"


class Takes(StrEnum):
    """What a flag takes as its value."""

    TEXT = "string"
    TRUTH = "bool"
    UINT64 = "uint64"
    UINT16 = "uint16"
    DURATION = "duration"
    WORDS = "strings"
    """Comma-separated, repeatable."""
    TEXTS = "stringArray"
    """Repeatable, commas kept."""
    FILTER = "filter"


class Group(StrEnum):
    """The part of the help that a flag stands in."""

    SELECTOR = "Selectors"
    FILTER = "Filters"
    RAW = "Raw filters"
    FORMAT = "Formatting"
    FLOW_FORMAT = "Flow format"
    SERVER = "Server"
    OTHER = "Other"
    GLOBAL = "Global"


class Side(StrEnum):
    """Which of the two filters of a list a value goes to."""

    BOTH = "both"
    EITHER = "either"
    """The first field of the left filter, the second of the right one."""
    NAMESPACE = "namespace"
    """Kept aside and put before the names of pods and services in the end."""
    SWITCH = "switch"
    """No field: the next filter excludes."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as a person types it, and where its value goes."""

    name: str
    """Without the two dashes."""
    help: str
    """One line."""
    group: Group = Group.FILTER
    takes: Takes = Takes.FILTER
    short: str = ""
    """One letter, or none."""
    bare: str = ""
    """The value of the flag when it stands alone; empty when it needs one."""
    default: str = ""
    """What holds when it is not given, in words."""
    fields: tuple[str, ...] = ()
    """Fields of a FlowFilter."""
    side: Side = Side.BOTH
    read: Callable[[str], FieldValue] = str
    """Makes the field's value of the text, or raises WrongValue."""
    since: str = ""
    """The first release of Cilium that has it, if later than 1.14."""
    is_ours: bool = False
    """Whether only honeyguide has it."""

    @property
    def shown(self) -> str:
        """The flag as an error calls it."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"

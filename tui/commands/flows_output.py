"""Where `honeyguide flows` prints: events in pieces, warnings as the hubble command logs them."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from google.protobuf.message import DecodeError

from playbooks.model.hubble.filters.asked import Color, Observe
from playbooks.model.hubble.filters.flag import Kind
from playbooks.model.hubble.filters.wording import quoted
from playbooks.model.hubble.printers import Screen, printer
from playbooks.model.hubble.proto.observer_pb2 import (
    ExportEvent,
    GetAgentEventsResponse,
    GetDebugEventsResponse,
)
from playbooks.model.text import Text
from tui.commands.terminal import is_dumb
from tui.commands.writing import write_bytes

_PIECE = 256
"""Events that are written together."""
_SHOWN = 2000
"""Characters of a line that is no event."""


class Output:
    """Prints events, and says what could not be printed."""

    def __init__(self, asked: Observe) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._is_error_terminal = sys.stderr.isatty()
        self._is_debug, self._is_silent = asked.look.debug, asked.look.silent_errors
        self._pending: list[str] = []
        screen = Screen(_is_colored(asked, self._is_terminal), self._is_terminal, self._is_error_terminal)
        self._printer = printer(asked.look, self._pending.append, self._err, screen)

    def response(self, raw: bytes) -> None:
        """Print what a serialized GetFlowsResponse tells."""
        try:
            self._printer.response(raw)
        except (DecodeError, ValueError) as error:
            self.warn("failed to read an event", str(error))
        self._flush_full()

    def event(self, raw: bytes, kind: Kind) -> None:
        """Print an agent or debug event; others are passed over."""
        event = ExportEvent.FromString(raw)
        if kind is Kind.AGENT_EVENTS and event.HasField("agent_event"):
            self._printer.agent_event(event)
        elif kind is Kind.DEBUG_EVENTS and event.HasField("debug_event"):
            self._printer.debug_event(event)
        self._flush_full()

    def answer(self, raw: bytes, kind: Kind) -> None:
        """Print a serialized GetAgentEventsResponse or GetDebugEventsResponse."""
        try:
            if kind is Kind.AGENT_EVENTS:
                self._printer.agent_event(GetAgentEventsResponse.FromString(raw))
            else:
                self._printer.debug_event(GetDebugEventsResponse.FromString(raw))
        except (DecodeError, ValueError) as error:
            self.warn("failed to read an event", str(error))
        self._flush_full()

    def _flush_full(self) -> None:
        if len(self._pending) >= _PIECE:
            self.flush()

    def end_batch(self, *, is_prompt: bool) -> None:
        """Nothing more has come yet: where somebody waits for it, print what there is."""
        if is_prompt or self._is_terminal:
            self.flush()

    def close(self) -> None:
        """Print the rest."""
        self._printer.close()
        self.flush()

    def flush(self) -> None:
        """Write everything that was printed."""
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        # UTF-8 whatever the locale is: the hubble command knows nothing else.
        if self._is_terminal:
            data = text.encode(sys.stdout.encoding or "ascii", "backslashreplace")
        else:
            data = text.encode()
        write_bytes(data)

    def warn(self, message: str, error: str, line: bytes | None = None) -> None:
        """Say on standard error that something was left out."""
        more = f" line={_word(line.decode('utf-8', 'replace')[:_SHOWN])}" if line is not None else ""
        self._log("WARN", f"msg={_word(message)} error={_word(error)}{more}")

    def note(self, text: str) -> None:
        """Say on standard error what the hubble command has no words for."""
        if not self._is_silent:
            self._err(f"honeyguide: {text}\n")

    def debug_request(self, asked: Observe) -> None:
        """Say for debugging what would be sent to a server."""
        if self._is_debug:
            from tui.commands.flows_request import as_text

            request = {
                Kind.FLOWS: asked.request,
                Kind.AGENT_EVENTS: asked.agent_events_request,
                Kind.DEBUG_EVENTS: asked.debug_events_request,
            }[asked.kind]()
            name = type(request).DESCRIPTOR.name.removesuffix("Request")
            self._log("DEBUG", f'msg="Sending {name} request" req={_word(as_text(request))}')

    def _log(self, level: str, rest: str) -> None:
        now = datetime.now(UTC)
        self._err(f"time={now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z level={level} {rest}\n")

    def _err(self, text: str) -> None:
        self.flush()
        if self._is_error_terminal:
            text = "".join(f"{Text(line).shown}\n" for line in text.removesuffix("\n").split("\n"))
        sys.stderr.write(text)
        sys.stderr.flush()


def _word(text: str) -> str:
    """A value in a log line: between quotes where it needs them."""
    is_plain = text.isprintable() and not set(' "=') & set(text) and text
    return text if is_plain else quoted(text)


def _is_colored(asked: Observe, is_terminal: bool) -> bool:
    if asked.look.color is not Color.AUTO:
        return asked.look.color is Color.ALWAYS
    return is_terminal and "NO_COLOR" not in os.environ and not is_dumb()

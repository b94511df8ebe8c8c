"""`honeyguide flows`: what `hubble observe` does, from a file, a sysdump, a journal or a server."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.commands.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playbooks.model.hubble.filters.asked import Observe
    from tui.commands.flows_output import Output
    from tui.commands.flows_reading import Input

_REFUSED = 1
_OURS = {"--context": "--kube-context", "--cilium-namespace": "--kube-namespace"}


def run(options: Options) -> int:
    """Print the events that are asked for; the exit code is the hubble command's."""
    from playbooks.model.hubble.filters.asked import Help
    from playbooks.model.hubble.filters.observing import observe
    from playbooks.model.hubble.filters.wording import Refused
    from tui.commands.writing import write

    asked = observe(_as_hubble_names_them(options.argv), datetime.now(UTC))
    if isinstance(asked, Help):
        write(_HEAD + asked.text)
        return 0
    if isinstance(asked, Refused):
        return _refused(asked.message, asked.exit)
    if asked.print_raw_filters:
        write(asked.raw_filters())
        return 0
    return _printed(asked, options)


def _as_hubble_names_them(argv: Iterable[str]) -> list[str]:
    """Arguments with the names that all our commands have for a context turned into the hubble command's."""
    found = []
    for argument in argv:
        name, equals, value = argument.partition("=")
        found.append(_OURS.get(name, name) + equals + value)
    return found


def _refused(message: str, code: int = _REFUSED) -> int:
    """Say why, in the hubble command's words; they may repeat anything that was typed."""
    from playbooks.model.text import Text

    lines = Text(message).lines if sys.stderr.isatty() else message.split("\n")
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return code


def _printed(asked: Observe, options: Options) -> int:
    from playbooks.model.hubble.filters.matching import FilterRefused
    from playbooks.model.text import Text
    from tui.commands.flows_output import Output
    from tui.commands.flows_reading import opened
    from tui.commands.flows_trouble import Unavailable

    output = Output(asked)
    try:
        output.debug_request(asked)
        source = opened(asked, output, options)
        _print_all(asked, source, output)
    except FilterRefused as error:
        return _refused(str(error))
    except Unavailable as error:
        output.flush()
        return _refused("\n".join(Text(str(error)).lines))
    except KeyboardInterrupt:
        # As the hubble command: whoever follows flows ends with this key, and nothing is wrong.
        output.close()
    return 0


def _print_all(asked: Observe, source: Input, output: Output) -> None:
    from playbooks.model.hubble.filters.flag import Kind

    if asked.kind is not Kind.FLOWS:
        # A server has answers of their own for these; a file has all kinds of events in one.
        tell = output.answer if source.is_selected else output.event
        for raw in _flat(source, output):
            tell(raw, asked.kind)
    elif source.is_selected or _is_whole(asked):
        for raw in _flat(source, output):
            output.response(raw)
    else:
        _print_selected(asked, _flat(source, output), output)
    output.close()


def _is_whole(asked: Observe) -> bool:
    """Whether everything passes, so that nothing has to be looked at before it is printed."""
    from playbooks.model.hubble.filters.asked import ALL

    is_limited = bool(asked.number and asked.number != ALL) or bool(asked.since or asked.until)
    return not (asked.allowlist or asked.denylist or is_limited)


def _print_selected(asked: Observe, raws: Iterable[bytes], output: Output) -> None:
    from playbooks.model.hubble.filters.selection import selected
    from playbooks.model.hubble.proto.observer_pb2 import ExportEvent

    for event in selected(asked.request(), map(ExportEvent.FromString, raws)):
        output.response(event.SerializeToString())


def _flat(source: Input, output: Output) -> Iterator[bytes]:
    """One message after the other; what there was is printed before more is waited for."""
    for batch in source.batches():
        yield from batch
        output.end_batch(is_prompt=source.is_prompt)


_HEAD = """usage: honeyguide flows [agent-events | debug-events] [flags]

Print flows as `hubble observe` does, from a server, a file of JSON lines, a sysdump or a recording.
Filters of one kind are alternatives, of different kinds all have to match; --not turns the next one round.

"""

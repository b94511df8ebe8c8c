"""`honeyguide logs`: the logs of Cilium and of the cluster's DNS, merged by time, repeats folded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from playbooks.engine.knowing import Knowing
from playbooks.engine.logbook import USUAL_TAIL, Reading, read_logs
from playbooks.engine.selection import Selection, select
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.log_places import Component, LogPlaces, Place
from playbooks.model.kube.nodes import Nodes
from tui.commands.logs_printing import print_logs
from tui.commands.near import near
from tui.commands.options import Options
from tui.commands.progress import ProgressLine
from tui.commands.sourced import knowing_of, over_source
from tui.commands.trouble import Trouble

_CLEAN, _UNSEEN = 0, 4
_SINCE_TAIL = 5000
"""Lines of each log at most when only its age was limited."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d{1,9}[smhd])+")


def run(options: Options) -> int:
    """Print them; 0 when every log was read, 4 when one could not be."""
    wanted = _reading(options)
    return over_source(options, lambda source: _read(source, options, wanted))


def _reading(options: Options) -> Reading:
    since = _seconds(options.since) if options.since else 0
    tail = options.tail or (_SINCE_TAIL if since else USUAL_TAIL)
    return Reading(tail, since, options.is_previous, options.level, options.grep)


def _seconds(duration: str) -> int:
    if not _DURATION.fullmatch(duration):
        raise Trouble(f"--since {duration} is no duration", "", "write it like 90s, 15m, 2h, 1d or 1h30m")
    parts = re.findall(r"(\d+)([smhd])", duration)
    return max(1, sum(int(number) * _UNITS[unit] for number, unit in parts))


async def _read(source: Source, options: Options, wanted: Reading) -> int:
    knowing = knowing_of(source, options)
    progress = ProgressLine(is_quiet=options.is_quiet)
    progress.say("finding the pods that write logs")
    try:
        places, unasked = await _places(knowing, source.name, options)
        progress.say(f"reading {len(places)} logs")
        book = await read_logs(knowing, places, wanted)
    finally:
        await knowing.cancel()
        progress.clear()
    missing = (*book.missing, *unasked)
    print_logs(source.name, book, missing, options)
    return _UNSEEN if missing or book.cut else _CLEAN


Missing = tuple[tuple[Place, Gap], ...]
"""Logs that were not read, with why."""


async def _places(knowing: Knowing, cluster: str, options: Options) -> tuple[tuple[Place, ...], Missing]:
    """The logs that are meant, and those of nodes that are not asked. Raises `Trouble`."""
    known = await knowing.know(LogPlaces)
    if isinstance(known, Gap):
        raise Trouble(known.detail, known.command, known.remedy, _UNSEEN)
    components = frozenset(options.components or [component.value for component in Component])
    places = [place for place in known.items if place.component.value in components]
    if options.pod:
        return _of_pod(known.items, options), ()
    if options.nodes:
        places = _on_nodes(places, cluster, options.nodes)
    if options.is_previous:
        places = [place for place in places if place.has_previous]
    # An init container that ended well has said nothing of interest; --pod shows it all the same.
    places = [place for place in places if not place.is_done]
    selection = await _selection(knowing, options)
    refusal = selection.refusal()
    asked = [place for place in places if not _is_left_out(place, selection)]
    refused = [(place, gap) for place in places if place not in asked and (gap := refusal(place.node))]
    return tuple(asked), tuple(refused)


def _of_pod(places: Sequence[Place], options: Options) -> tuple[Place, ...]:
    found = [place for place in places if place.name == options.pod]
    if not found:
        close = near(options.pod, sorted({place.name for place in places}))
        remedy = f"did you mean {', '.join(close)}?" if close else "write it as NAMESPACE/NAME"
        raise Trouble(f"{options.pod} is no pod of Cilium or of the cluster's DNS", "", remedy)
    return tuple(place for place in found if place.has_previous or not options.is_previous)


def _on_nodes(places: Sequence[Place], cluster: str, globs: Sequence[str]) -> list[Place]:
    found = [place for place in places if any(fnmatchcase(place.node, glob) for glob in globs)]
    if not found:
        nodes = sorted({place.node for place in places if place.node})
        close = near(globs[0], nodes)
        remedy = (
            f"did you mean {', '.join(close)}?" if close else f"there are {len(nodes)} nodes with such pods"
        )
        raise Trouble(f"no node with such a pod matches {' or '.join(globs)}", cluster, remedy)
    return found


async def _selection(knowing: Knowing, options: Options) -> Selection:
    agents, nodes = await knowing.know(Agents), await knowing.know(Nodes)
    if isinstance(agents, Gap):
        return Selection()
    return select(agents, nodes, tuple(options.nodes), all_nodes=options.all_nodes)


def _is_left_out(place: Place, selection: Selection) -> bool:
    """Whether a log is one of so many that only some are read: those that every node has."""
    is_per_node = place.component in (Component.AGENT, Component.ENVOY)
    return is_per_node and place.node in selection.nodes and place.node not in selection.asked

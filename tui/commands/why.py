"""`honeyguide why`: may this call that, and what decides it."""

from __future__ import annotations

from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.asking import reach
from playbooks.engine.reaching.requests import Asked
from playbooks.engine.reaching.verdicts import Reach, Said
from playbooks.engine.targets.parsing import WrongTarget, parse
from playbooks.engine.targets.resolving import Directory, Resolved, Unresolved
from playbooks.model.answer import Gap, Source
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.services import Services
from playbooks.model.policies.pods import LabelledPods
from tui.commands.options import Options
from tui.commands.printing import print_lines, write
from tui.commands.progress import ProgressLine
from tui.commands.sourced import knowing_of, over_source
from tui.commands.trouble import Trouble
from tui.commands.why_printing import as_json, lines

_EXITS = {Said.ADMITTED: 0, Said.NOT_ADMITTED: 1, Said.DENIED: 1, Said.CANNOT_TELL: 4}
_USAGE, _UNSEEN = 2, 4


def run(options: Options) -> int:
    """Print the verdict; 0 when the call passes, 1 when something refuses it, 4 when it cannot be told."""
    request = request_of(options)
    return over_source(options, lambda source: _judge(source, options, request))


async def _judge(source: Source, options: Options, request: Asked | None) -> int:
    knowing = knowing_of(source, options)
    progress = ProgressLine(is_quiet=options.is_quiet)
    progress.say("finding both ends")
    try:
        names = await directory(knowing)
        one, other = (resolved(names, word, options) for word in options.words)
        progress.say(f"asking the agents of {one.said} and {other.said}")
        found = await reach(knowing, one, other, request)
    finally:
        await knowing.cancel()
        progress.clear()
    _print(found, options)
    return _EXITS[found.said]


async def directory(knowing: Knowing) -> Directory:
    """The names of the cluster. Raises `Trouble` where they cannot be read."""
    pods, services = await knowing.know(LabelledPods), await knowing.know(Services)
    slices = await knowing.know(EndpointSlices)
    for gap in (pods, services, slices):
        if isinstance(gap, Gap):
            raise Trouble(gap.detail, gap.command, gap.remedy, _UNSEEN)
    assert isinstance(pods, LabelledPods)
    assert isinstance(services, Services)
    assert isinstance(slices, EndpointSlices)
    return Directory(pods, services, slices)


def resolved(names: Directory, word: str, options: Options) -> Resolved:
    """What a word names. Raises `Trouble`, with what is near."""
    try:
        found = names.resolve(parse(word, options.namespace or "default"))
    except WrongTarget as wrong:
        raise Trouble(str(wrong), "", "write it like shop/redis:6379", _USAGE) from wrong
    if isinstance(found, Unresolved):
        near = f"did you mean {' or '.join(found.near)}?" if found.near else "name it as NAMESPACE/NAME"
        raise Trouble(f"{word} names nothing: looked for {found.looked_for}", "", near, _USAGE)
    return found


def request_of(options: Options) -> Asked | None:
    """The request to be judged, if one was given. Raises `Trouble`."""
    method, _, path = options.http.strip().partition(" ")
    if options.http and not (method and path.startswith("/")):
        raise Trouble(f"--http {options.http} is no request", "", "write it like --http 'GET /path'", _USAGE)
    headers = []
    for header in options.headers:
        name, mark, value = header.partition(":")
        if not mark or not name.strip():
            raise Trouble(
                f"--header {header} is no header", "", "write it like --header 'X-Role: admin'", _USAGE
            )
        headers.append((name.strip(), value.strip()))
    # A proxy compares the host with rules of their own, not with those on headers.
    host = next((value for name, value in headers if name.lower() == "host"), "")
    others = tuple(pair for pair in headers if pair[0].lower() != "host")
    asked = Asked(method.upper(), path.strip(), host, others, options.dns)
    return asked if asked.is_http or asked.dns else None


def _print(found: Reach, options: Options) -> None:
    if options.output == "json":
        write(as_json(found))
    else:
        print_lines(lines(found))

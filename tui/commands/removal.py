"""`honeyguide check service --before-removing-kube-proxy`: may it go, and what would break."""

from __future__ import annotations

from fnmatch import fnmatchcase

from playbooks.engine.knowing import Knowing
from playbooks.engine.removing.judging import judge
from playbooks.engine.removing.verdicts import May, Removal
from playbooks.engine.selection import ALL_UP_TO
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.agents import Agents
from tui.commands.options import Options
from tui.commands.printing import print_lines, write
from tui.commands.progress import ProgressLine
from tui.commands.removal_printing import as_json, lines
from tui.commands.sourced import knowing_of, over_source
from tui.commands.trouble import Trouble

_EXITS = {May.GO: 0, May.WOULD_BREAK: 1, May.CANNOT_TELL: 4}
_UNSEEN = 4


def run(options: Options) -> int:
    """Print what would break; 0 when nothing would, 1 when something would, 4 when it cannot be told."""
    flag = "--before-removing-kube-proxy"
    if options.words not in ([], ["service"]):
        raise Trouble(f"{flag} is a question to the playbook service", "", f"honeyguide check service {flag}")
    if options.output == "markdown":
        raise Trouble(f"{flag} is printed as text or json", "", "choose -o text or -o json")
    if options.record:
        raise Trouble(f"{flag} keeps no recording", "", "record with honeyguide check --record, then --input")
    return over_source(options, lambda source: _judge(source, options))


async def _judge(source: Source, options: Options) -> int:
    knowing = knowing_of(source, options)
    progress = ProgressLine(is_quiet=options.is_quiet)
    progress.say("asking the agents what they serve")
    try:
        found = await judge(knowing, await _nodes(knowing, options))
    finally:
        await knowing.cancel()
        progress.clear()
    if isinstance(found, Gap):
        raise Trouble(found.detail, found.command, found.remedy, _UNSEEN)
    _print(found, options)
    if options.fail_on == "never" and found.may is May.WOULD_BREAK:
        return 0
    is_unseen = any(one.unchecked for one in found.nodes) or bool(found.unchecked)
    return _UNSEEN if options.is_strict and is_unseen else _EXITS[found.may]


async def _nodes(knowing: Knowing, options: Options) -> tuple[str, ...]:
    agents = await knowing.know(Agents)
    if isinstance(agents, Gap):
        raise Trouble(agents.detail, agents.command, agents.remedy, _UNSEEN)
    globs = options.nodes
    chosen = [name for name in agents.nodes if not globs or any(fnmatchcase(name, glob) for glob in globs)]
    if not chosen:
        raise Trouble(f"no node with an agent matches {' or '.join(globs) or '*'}", "", "kubectl get nodes")
    if len(chosen) > ALL_UP_TO and not options.all_nodes and not globs:
        raise Trouble(
            f"there are {len(chosen)} nodes, and every one of them counts",
            "",
            "ask them all with --all-nodes, or some with --node",
        )
    return tuple(chosen)


def _print(found: Removal, options: Options) -> None:
    if options.output == "json":
        write(as_json(found))
    else:
        print_lines(lines(found))

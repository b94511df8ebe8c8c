"""`honeyguide doctor`: what each playbook will be able to see here, and the roles to ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from playbooks.engine.discovery import catalogue
from playbooks.engine.report import Exit, Line, Mark, Tone
from playbooks.knowledge.roles import WARNING, roles_text
from playbooks.model.answer import Gap, answer
from playbooks.model.rule import Rule
from playbooks.model.text import Text
from tui.commands.opening import Opened, open_live, way_in
from tui.commands.options import Options
from tui.commands.printing import print_lines
from tui.commands.reviewing import Reviewing
from tui.commands.sight import Sight, sight
from tui.commands.signals import Interrupted, Signals, foreground

if TYPE_CHECKING:
    from playbooks.sources.access import Access

RULES_SHOWN = 12
"""How many rule ids a line names."""


def run(options: Options) -> int:
    """Look, and say it; 0 when every rule can look, else 4."""
    return foreground(_run(way_in(options), options))


async def _run(access: Access, options: Options) -> int:
    rules = catalogue().rules
    with Signals() as signals:
        try:
            opened = await signals.unless(open_live(access, options))
        except Interrupted as interrupted:
            return interrupted.code
        try:
            reviewing = Reviewing(opened.source, opened.cluster.live)
            seen = await signals.unless(sight(reviewing, rules, options.choice(), options.workers))
            broken = await signals.unless(_tried(opened, seen))
        except Interrupted as interrupted:
            return interrupted.code
        finally:
            await opened.close()
    print_lines(_report(access, opened.version, rules, seen, broken))
    return Exit.UNJUDGED if seen.blind or broken else Exit.CLEAN


async def _tried(opened: Opened, seen: Sight) -> Gap | None:
    """Why a command cannot be run although it is allowed, such as a proxy that refuses websockets."""
    if isinstance(seen.agents, Gap):
        return None
    agent = next((agent for agent in seen.agents.by_node.values() if agent.is_running), None)
    may = (
        await opened.cluster.live.may("create", "", "pods", "exec", agent.pod.metadata.namespace)
        if agent
        else False
    )
    if agent is None or may is not True:
        return None
    result = await answer(opened.source, agent.command("cilium-dbg", "version"), 1)
    return result if isinstance(result, Gap) else None


def _report(
    access: Access, version: str, rules: tuple[Rule, ...], seen: Sight, broken: Gap | None
) -> Iterator[Line]:
    yield from _head(access, version, seen)
    for name in dict.fromkeys(rule.playbook for rule in rules):
        yield _playbook(name, [rule.id for rule in rules if rule.playbook == name], seen)
    if broken:
        yield Line()
        yield from _obstacle("a command in an agent is allowed and does not work", broken)
    if seen.obstacles:
        yield Line()
        yield Line("What is missing", Tone.TITLE)
    for gap, ids in seen.obstacles:
        more = f" and {len(ids) - RULES_SHOWN} more" if len(ids) > RULES_SHOWN else ""
        yield from _obstacle(f"{len(ids)} of {len(rules)} rules: {', '.join(ids[:RULES_SHOWN])}{more}", gap)
    yield Line()
    yield Line("Roles to ask for" if seen.blind else "Nothing is missing; these roles are enough", Tone.TITLE)
    yield Line(f"# {WARNING}", Tone.WARN)
    found = seen.installation
    namespace = "kube-system" if isinstance(found, Gap) else found.namespace
    yield from (Line(line) for line in roles_text(namespace).splitlines())


def _head(access: Access, version: str, seen: Sight) -> Iterator[Line]:
    parts = [access.name, access.server, f"Kubernetes {version}", f"user {access.user_name}"]
    yield Line(" · ".join(Text(part).shown for part in parts), Tone.TITLE)
    if access.is_insecure:
        yield Line("The server's certificate is not verified: anybody on the way could answer.", Tone.WARN)
    found, agents = seen.installation, seen.agents
    if isinstance(found, Gap):
        yield Line(f"{Mark.NOT_CHECKED.glyph} {Text(found.detail).shown}", Tone.UNSEEN)
        return
    text = f"Cilium {found.version or 'of unknown version'} in namespace {found.namespace}"
    if not isinstance(agents, Gap):
        running = sum(agent.is_running for agent in agents.by_node.values())
        text += f" · agents run on {running} of {len(agents.nodes)} nodes"
    yield Line(Text(text).shown)


def _playbook(name: str, ids: list[str], seen: Sight) -> Line:
    can_look = sum(one not in seen.blind for one in ids)
    mark = Mark.OK if can_look == len(ids) else Mark.NOT_CHECKED
    return Line(f"{mark.shown():<17} {name:<14} {can_look} of {len(ids)} rules can look", Tone.of(mark))


def _obstacle(what: str, gap: Gap) -> Iterator[Line]:
    kind = gap.kind.value.replace("_", " ")
    yield Line(f"  {Mark.NOT_CHECKED.glyph} {kind}: {Text(gap.detail).shown}", Tone.UNSEEN)
    yield Line(f"    {what}")
    if gap.remedy:
        yield Line(f"    to do: {Text(gap.remedy).shown}")
    if gap.command:
        yield Line(f"    $ {Text(gap.command).shown}", Tone.COMMAND)

"""Makes commands go to the cluster that was looked at, and to no other."""

from __future__ import annotations

import re
from dataclasses import replace

from playbooks.model.finding import Finding, Fix, Step
from playbooks.model.text import Text

BARE = "kubectl"
"""What a command begins with that goes to whatever cluster is current."""
# At the beginning of a command only, and only where no cluster is named already.
_KUBECTL = re.compile(r"(^|[\n|&;(`]\s*)kubectl (?!--(?:kubeconfig|context|as)\b)")


def addressed(finding: Finding, kubectl: str) -> Finding:
    """The finding with the commands of its fixes going to the right cluster.

    A rule does not know the cluster's name. A fix that is copied must not change another cluster than the one
    in which the fault was seen.
    """
    if kubectl == BARE:
        return finding
    return replace(finding, fixes=tuple(_fix(fix, kubectl) for fix in finding.fixes))


def addressed_command(command: str, kubectl: str) -> str:
    """A command with every bare `kubectl` in it going to the right cluster."""
    return _KUBECTL.sub(lambda match: f"{match[1]}{kubectl} ", command)


def _fix(fix: Fix, kubectl: str) -> Fix:
    return replace(fix, steps=tuple(_step(step, kubectl) for step in fix.steps))


def _step(step: Step, kubectl: str) -> Step:
    if step.command is None:
        return step
    return replace(step, command=Text(addressed_command(step.command.raw, kubectl)))

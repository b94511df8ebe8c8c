"""Makes commands go to the cluster that was looked at, and to no other."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from playbooks.model.finding import Finding, Fix, Step
from playbooks.model.text import Text

BARE = "kubectl"
"""What a command begins with that goes to whatever cluster is current."""
# At the beginning of a command only, and only where no cluster is named already.
_PROGRAM = re.compile(r"(^|[\n|&;(`]\s*)(kubectl|helm|cilium) (?!--(?:kubeconfig|context|kube-context|as)\b)")
_OF_HELM = {"--context": "--kube-context", "--as": "--kube-as-user", "--as-group": "--kube-as-group"}


def addressed(finding: Finding, kubectl: str) -> Finding:
    """The finding with the commands of its fixes going to the right cluster.

    A rule does not know the cluster's name. A fix that is copied must not change another cluster than the one
    in which the fault was seen.
    """
    if kubectl == BARE:
        return finding
    return replace(finding, fixes=tuple(_fix(fix, kubectl) for fix in finding.fixes))


def addressed_command(command: str, kubectl: str) -> str:
    """A command with every bare `kubectl`, `helm` and `cilium` in it going to the right cluster."""
    flags = shlex.split(kubectl)[1:]
    return _PROGRAM.sub(lambda match: f"{match[1]}{_program(match[2], flags)} ", command)


def _program(name: str, flags: list[str]) -> str:
    if name == "helm":
        flags = [_OF_HELM.get(flag, flag) for flag in flags]
    return shlex.join([name, *flags])


def _fix(fix: Fix, kubectl: str) -> Fix:
    return replace(fix, steps=tuple(_step(step, kubectl) for step in fix.steps))


def _step(step: Step, kubectl: str) -> Step:
    if step.command is None:
        return step
    return replace(step, command=Text(addressed_command(step.command.raw, kubectl)))

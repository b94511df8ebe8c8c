"""One label makes nearly every pod an identity of its own."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.identities import CiliumIdentities, CiliumIdentity
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import Evidence, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SOME = 50
"""Fewer identities are never too many."""
_MANY = 1000
"""From here on every new pod makes all agents work, and policy maps grow by it."""
_SHARE = 0.5
_PATTERNS = 0.2
_NUMBERED = re.compile(r"[0-9A-Za-z]*[0-9][0-9A-Za-z]*")
_RANDOM = re.compile(r"-[bcdfghjklmnpqrstvwxz]{4,10}$")
"""The end of a generated name that happens to hold no digit."""


@fault(
    "END018",
    step="identity",
    cases=(Case("EP-05", proof="W", twin="as many identities whose labels somebody named"),),
)
def identities_explode(identities: CiliumIdentities, config: CiliumConfig | None) -> Iterator[Finding]:
    """One label makes nearly every pod an identity of its own.

    Every distinct set of labels is one identity, and a policy map holds an entry for each identity that a
    rule admits. A label whose value is new for every pod (the id of a job, a time, a run) makes an identity
    for each: every agent of the cluster computes anew for every pod, endpoints take long, and maps fill up.
    """
    many = [one for one in identities.items if one.security_labels]
    if len(many) < _SOME:
        return
    values: dict[str, set[str]] = defaultdict(set)
    for one in many:
        for key, value in (one.security_labels or {}).items():
            values[key].add(value)
    counts = sorted(((len(found), key) for key, found in values.items()), reverse=True)
    blamed = [(count, key) for count, key in counts if count >= _SHARE * len(many) and _is_made(values[key])]
    without = {key for _, key in blamed}
    left = {
        frozenset((key, value) for key, value in (one.security_labels or {}).items() if key not in without)
        for one in many
    }
    if not blamed or len(left) > _SHARE * len(many):
        return
    proof = [
        identities.evidence(f"{count} of {len(many)} identities differ in {key}: {_shown(values[key])}")
        for count, key in blamed[:3]
    ]
    yield _finding(many, blamed, proof, identities, config)


def _is_made(values: set[str]) -> bool:
    """Whether most values are one pattern with a number, a time or a random end: nobody named them."""
    patterns = {_RANDOM.sub("", _NUMBERED.sub("#", value)) for value in values}
    return len(patterns) <= _PATTERNS * len(values)


def _shown(values: set[str]) -> str:
    return ", ".join(sorted(values)[:3]) + " …"


def _finding(
    many: list[CiliumIdentity],
    blamed: list[tuple[int, str]],
    proof: list[Evidence],
    identities: CiliumIdentities,
    config: CiliumConfig | None,
) -> Finding:
    count, key = blamed[0]
    subject = config.ref if config else Ref("CiliumIdentity", str(many[0].metadata.name))
    label = key.removeprefix("k8s:")
    return finding(
        Severity.WARN if len(many) >= _MANY else Severity.INFO,
        subject,
        f"{subject}: label {label} makes {count} of {len(many)} identities",
        evidence=proof,
        impact=f"{len(many)} identities: agents compute for each, and policy maps hold each",
        first_seen=min(
            (one.metadata.creation_timestamp for one in many if one.metadata.creation_timestamp), default=None
        ),
        last_seen=identities.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by if config else "",
        fixes=(
            Fix.cure(
                f"Take {label} out of the labels that make an identity.",
                why="Pods that differ in it only then share one identity.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        "Look whether a policy selects by the label; it would no longer hold.",
                        kubectl("get", "cnp,ccnp,netpol", "-A", "-o", "yaml")
                        + f" | grep -F {shlex.quote(label)}",
                    ),
                    step("Set the chart's value `labels`, and upgrade.", f"labels: '!{_escaped(label)}'"),
                    step("Restart operator and agents, node by node."),
                ),
                undo="Set `labels` back and restart operator and agents.",
                verify="The number of identities falls after the operator's next collection.",
            ),
        ),
    )


def _escaped(label: str) -> str:
    return label.replace(".", "\\.").replace("'", "")

"""A value in cilium-config is refused, so that agents or the operator end at their start."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.knowledge.option_values import likely
from playbooks.model.cilium.agent_steps import deleted, saved_log
from playbooks.model.cilium.agent_words import unseen
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.last_run import LastRun, Run
from playbooks.model.cilium.logs import LAST, LogLine
from playbooks.model.cilium.operator import OperatorRun, container_of
from playbooks.model.cilium.refusal import Refused, refused
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pod
from playbooks.model.rule import Case, fault

_START_FAILED = re.compile(r"(invoke|start|start hook) failed|failed to (start|populate)", re.IGNORECASE)
_DOWN = frozenset({Standing.CRASHING, Standing.OUT_OF_MEMORY, Standing.UNREADY, Standing.STARTING})


@fault(
    "AGT001",
    step="running",
    cases=(
        Case("LAB-05", proof="R", twin="LAB-05 with tunnel-protocol: vxlan in the ConfigMap"),
        Case(
            "CONFIG-operator",
            proof="V",
            lines=(
                'level=fatal msg="Unable to init cluster-pool allocator" error="unable to initialize IPv6 '
                'allocator New CIDR set failed; the node CIDR size is too big" '
                "subsys=cilium-operator-generic",
            ),
            twin="the same operator log with a sound cluster-pool-ipv4-cidr",
        ),
        Case(
            "CONFIG-missing",
            proof="V",
            lines=(
                'time="2024-06-10T14:23:43Z" level=fatal msg="invalid daemon configuration: native routing '
                "cidr must be configured with option --ipv6-native-routing-cidr in combination with "
                "--enable-ipv6=true --enable-ipv6-masquerade=true --enable-ip-masq-agent=false "
                '--routing-mode=native" subsys=daemon',
            ),
            twin="the same log with ipv6-native-routing-cidr in the ConfigMap",
        ),
    ),
)
def agent_config_value_refused(
    config: CiliumConfig, runs: Fleet[LastRun], operator: OperatorRun | None
) -> Iterator[Finding | CouldNotLook]:
    """A value in cilium-config is refused at the start.

    Agents and operator read the ConfigMap once, when their pod starts, and end with a fatal line when a
    value is not one they know or does not go with another. Nothing checks it before: the ConfigMap takes any
    text, and the init container that copies it does not read it. Agents that still run hold the old value
    and go on until their next restart, so the fault spreads with every reboot and rollout. Programs and maps
    stay in the kernel: known traffic goes on where only the agent is gone.
    """
    yield from unseen(runs)
    hits: dict[tuple[str, ...], list[_Hit]] = defaultdict(list)
    for node, run in runs:
        pod = run.agent.pod
        if run.end and standing_of(pod, run.agent.container, run.taken_at) in _DOWN:
            hit = _hit(
                config, run, Condition(ConditionKind.AGENT_CONFIG_REFUSED, node), pod, run.agent.container
            )
            if hit:
                hits[hit.keys].append(hit)
            elif run.missing:
                yield CouldNotLook(f"how the agent on {node} ended is not known: {run.missing.detail}")
    if operator and operator.pod and not operator.is_ready:
        condition = Condition(ConditionKind.AGENT_CONFIG_REFUSED, detail="operator")
        hit = _hit(config, operator, condition, operator.pod, container_of(operator.pod))
        if hit:
            hits[hit.keys].append(hit)
    for same in hits.values():
        yield _finding(config, same)


@dataclass(frozen=True, slots=True)
class _Hit:
    run: Run
    line: LogLine
    found: tuple[Refused, ...]
    condition: Condition
    pod: Pod
    container: str

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(one.key for one in self.found)


def _hit(config: CiliumConfig, run: Run, condition: Condition, pod: Pod, container: str) -> _Hit | None:
    for line in _final_lines(run):
        found = refused(line.text, config.values, run.options)
        current = tuple(one for one in found if _is_current(one, config, run))
        if current:
            return _Hit(run, line, current, condition, pod, container)
    return None


def _final_lines(run: Run) -> Iterator[LogLine]:
    """The line with which the run ended, then those that say which part of the start failed."""
    if run.last:
        yield run.last
    for line in reversed(run.log.lines if run.log else ()):
        if line is not run.last and line.level in ("error", *LAST) and _START_FAILED.search(line.said):
            yield line


def _is_current(one: Refused, config: CiliumConfig, run: Run) -> bool:
    """Whether the refused run saw the value that the ConfigMap has now."""
    if one.is_quoted or (one.key in run.options and run.options[one.key] == one.value):
        return True
    change, end = config.metadata.last_change, run.end
    return not (change and change.time and end and end.finished_at and change.time > end.finished_at)


def _finding(config: CiliumConfig, hits: list[_Hit]) -> Finding:
    first = hits[0]
    main = first.found[0]
    nodes = [hit.condition.where for hit in hits if hit.condition.where]
    who = [
        *(["the operator"] if len(nodes) < len(hits) else []),
        *([f"{len(nodes)} agent{'s' if len(nodes) > 1 else ''}"] if nodes else []),
    ]
    times = [hit.line.time or (hit.run.end.finished_at if hit.run.end else None) for hit in hits]
    known = [time for time in times if time]
    # The log holds the last start only; a pod that has not been ready since an earlier one says since when.
    began = [*known, *(hit.pod.unready_since for hit in hits if hit.pod.unready_since)]
    where = f" ({', '.join(nodes[:5])})" if nodes else ""
    said = f"{main.key}: {main.value}" if main.value else f"{main.key}, which is missing,"
    return finding(
        Severity.ERROR,
        config.ref,
        f"{config.ref}: {said} is refused at the start",
        evidence=(
            first.run.words(first.line),
            config.evidence(
                "\n".join(f"{one.key}: {one.value}" if one.value else f"no {one.key}" for one in first.found)
            ),
            *(hit.run.words(hit.line) for hit in hits[1:4]),
        ),
        asserts=tuple(hit.condition for hit in hits),
        first_seen=min(began, default=None),
        last_seen=max(known, default=None),
        ongoing=Ongoing.YES,
        impact=f"{' and '.join(who)} cannot start{where}; the others fail the same way at their next restart",
        changes=_changes(config, first.keys),
        owner=config.metadata.managed_by,
        fixes=(_fix(config, first, main),),
    )


def _changes(config: CiliumConfig, keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys[:3]:
        write = config.metadata.write_of(key)
        if write and write.time:
            yield f"{write.time:%Y-%m-%dT%H:%M:%SZ} {config.ref} written by {write.manager} ({key})"


def _fix(config: CiliumConfig, hit: _Hit, main: Refused) -> Fix:
    meta = config.metadata
    status = hit.pod.container(hit.container)
    value = likely(main.key, main.value)
    patch = json.dumps({"data": {main.key: value or "VALUE"}})
    owner = f", in the values of {meta.managed_by} too" if meta.managed_by else ""
    return Fix.cure(
        f"Set {main.key} in {meta.name} to {value or 'a value that this version knows'}{owner}.",
        why="The start fails on this value alone; with a sound one the next start succeeds.",
        risk=Risk.LOW,
        steps=(
            saved_log(hit.pod, hit.container, is_previous=bool(status and status.state.running)),
            step(
                f"Write the value into {config.ref}.",
                kubectl(
                    "-n", meta.namespace, "patch", "configmap", meta.name, "--type", "merge", "-p", patch
                ),
            ),
            deleted(hit.pod),
        ),
        undo=f"Set {main.key} back to {main.value or 'nothing'}.",
        verify="The new pod becomes ready, and its log has no line level=fatal.",
    )

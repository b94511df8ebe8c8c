"""An endpoint is shut off whole, since its policy does not fit into its map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent_words import AgentWords
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.cilium.lasting_states import has_failed
from playbooks.model.cilium.logs import LogLine
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_KEY = "enable-endpoint-lockdown-on-policy-overflow"
_LOCKED = re.compile(
    r"endpoint.{0,40}\block(?:ed|ing)[ -]?down|\block(?:ed|ing)[ -]?down.{0,40}endpoint"
    r"|\blocking the endpoint down",
    re.I,
)
_FREED = re.compile(r"lockdown.{0,40}(?:lifted|removed|cleared|ended|disabled)|(?:no longer|un)locked", re.I)
_TOO_MANY = re.compile(r"max(?:imum)? entries limit", re.I)
"""Why an endpoint that is locked down cannot be regenerated."""
_LONG_AGO = timedelta(minutes=20)
"""The agent says it once for each endpoint; from then on only its failures tell that it lasts."""
_ID = re.compile(r"\b(?:endpointID|ciliumEndpointID|endpoint[ _-]?id)[=:\" ]+(\d{1,6})\b", re.I)


@fault(
    "POL015",
    step="realized",
    cases=(Case("PO-13", proof="W", twin="the same log without the line about the lockdown"),),
)
def policy_map_locked_down(
    words: OnNode[AgentWords],
    config: CiliumConfig,
    endpoints: OnNode[AgentEndpoints] | None,
    agents: Agents,
    pods: Pods | None,
    published: ClusterEndpoints | None,
) -> Iterator[Finding]:
    """An endpoint is shut off whole, since its policy does not fit into its map.

    A policy map holds `bpf-policy-map-max` entries, one for each identity and port that a rule admits. When
    more are wanted, entries are left out and a part of the policy is not enforced. With
    `enable-endpoint-lockdown-on-policy-overflow` the agent rather refuses everything to and from the
    endpoint, until its policy fits again.
    """
    if not config.is_on(_KEY):
        return
    node = words.node
    agent = agents.by_node.get(node)
    for number, (log, line) in _locked(words.fact).items():
        endpoint = endpoints.fact.get(int(number)) if endpoints and number else None
        if number and endpoints and endpoint is None:
            continue
        is_old = line.time is not None and log.taken_at - line.time > _LONG_AGO
        lasts = endpoint is not None and has_failed(endpoint) and _says_why(endpoint)
        if is_old and not lasts:
            continue
        subject = (
            endpoint_ref(endpoint, node, pods, published)
            if endpoint
            else Ref("Endpoint", number or "unknown", "", node)
        )
        yield finding(
            Severity.ERROR,
            subject,
            f"{subject} is locked down: its policy does not fit into its map",
            evidence=(log.evidence(line.raw[:1000]), config.evidence(f"{_KEY}: {config.get(_KEY)}")),
            asserts=(Condition(ConditionKind.MAP_FULL, node),),
            because_of=(Condition(ConditionKind.MAP_FULL, node),),
            impact="everything to and from the pod is refused",
            first_seen=line.time,
            last_seen=log.taken_at if lasts else line.time,
            ongoing=Ongoing.YES if lasts else Ongoing.UNKNOWN,
            fixes=(_fix(node, agent),),
        )


def _number(line: LogLine) -> str:
    match = _ID.search(line.raw)
    return match[1] if match else ""


def _says_why(endpoint: Endpoint) -> bool:
    return endpoint.last_entry is not None and bool(_TOO_MANY.search(endpoint.last_entry.message))


def _locked(words: AgentWords) -> dict[str, tuple[Log, LogLine]]:
    """The last word on each endpoint, by its number, unless that is that it is free again."""
    last: dict[str, tuple[Log, LogLine]] = {}
    for log in words.logs:
        for line in log.lines:
            number = _number(line)
            if _FREED.search(line.raw):
                last.pop(number, None)
            elif _LOCKED.search(line.raw):
                last[number] = (log, line)
    return last


def _fix(node: str, agent: Agent | None) -> Fix:
    selectors = ("cilium-dbg", "policy", "selectors")
    return Fix.cure(
        "Let the endpoint's policy need fewer entries.",
        why="One selector of very many identities fills the map, or many single addresses do.",
        risk=Risk.MEDIUM,
        steps=(
            sysdump(),
            step(
                f"Find the selector with the most identities on {node}.",
                agent.command(*selectors).command() if agent else " ".join(selectors),
            ),
            step("Name wider prefixes or entities instead, or keep labels out of identities."),
        ),
        undo="Apply the policy as it was.",
        verify="`cilium_bpf_map_pressure` of the policy map is below 1, and traffic passes.",
    )

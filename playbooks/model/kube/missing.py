"""Secrets and ConfigMaps that a pod needs and that are not there, as kubelet says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playbooks.model.finding import Evidence, Ref
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.pods import Pod, Pods

_NOT_FOUND = re.compile(r'(secrets?|configmaps?) \\?"([^"\\]+)\\?" not found', re.IGNORECASE)
_NO_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+)", re.IGNORECASE)
_KINDS = {"secret": "Secret", "secrets": "Secret", "configmap": "ConfigMap", "configmaps": "ConfigMap"}


_NO_ACCOUNT = re.compile(r'serviceaccounts? \\?"([^"\\]+)\\?" not found', re.IGNORECASE)


def missing_account(text: str, namespace: str) -> Ref | None:
    """The ServiceAccount that a refused pod lacks, if its refusal says so."""
    found = _NO_ACCOUNT.search(text)
    return Ref("ServiceAccount", found[1], namespace) if found else None


@dataclass(frozen=True, slots=True)
class Missing:
    """A Secret or ConfigMap that is missing, or lacks a key."""

    ref: Ref
    """It."""
    key: str
    """The key that it lacks; empty when it is missing as a whole."""
    said: str
    """What kubelet said."""
    proof: Evidence
    """Where."""


def missing_in(text: str, namespace: str) -> tuple[Ref, str] | None:
    """The object that a text says is missing, and the key if only that is."""
    if found := _NOT_FOUND.search(text):
        return Ref(_KINDS[found[1].lower()], found[2], namespace), ""
    if found := _NO_KEY.search(text):
        return Ref(_KINDS[found[2].lower()], found[3].rpartition("/")[2].rstrip(".,"), namespace), found[1]
    return None


def missing_object(pod: Pod, pods: Pods, warnings: Warnings | None) -> Missing | None:
    """What a pod that does not start waits for, by its own status, else by its events."""
    namespace = pod.metadata.namespace
    every = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    for status in every:
        said = status.state.waiting.message if status.state.waiting else ""
        if found := missing_in(said, namespace):
            return Missing(*found, said, pods.evidence(f"{status.name}: {status.waiting_reason}: {said}"))
    for status in pod.status.init_container_statuses or ():
        # An init container that asked the API server for it ends with that answer.
        end = None if status.ready else status.last_end
        lines = end.message.strip().splitlines() if end and end.exit_code else []
        said = next((line for line in reversed(lines) if missing_in(line, namespace)), "")
        if found := missing_in(said, namespace):
            return Missing(*found, said, pods.evidence(f"{status.name}: {said}"))
    for event in warnings.about(pod, "FailedMount") if warnings else ():
        if warnings and (found := missing_in(event.text, namespace)):
            return Missing(*found, event.text, warnings.evidence(event.excerpt))
    return None

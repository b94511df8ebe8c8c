"""Pods behind a service that are not ready, and do not just start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from playbooks.model.kube.complaints import complaint_of
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service
from playbooks.model.kube.unready import unready_since
from playbooks.model.services.backends import listed

_LONG = timedelta(minutes=2)
"""Pods that start are not ready for a while."""
_SHORT = timedelta(seconds=15)
"""A pod that has run for long does not start: it was ready, and its probe failed several times."""


def all_down(service: Service, pods: Pods, slices: EndpointSlices) -> Sequence[Pod]:
    """The pods of a service that has some and no backend, where none of them will be ready by waiting."""
    if not service.selects_pods or service.spec.publish_not_ready_addresses:
        return ()
    every = pods.matching(service.spec.selector or {}, service.metadata.namespace)
    mine = [pod for pod in every if not pod.is_going]
    if not all(_is_down(pod, pods.taken_at) for pod in mine) or listed(service, slices).ready:
        return ()
    return mine


def _is_down(pod: Pod, now: datetime) -> bool:
    since = unready_since(pod)
    if since is None:
        return False
    created = pod.metadata.creation_timestamp
    is_old = created is not None and now - created >= _LONG
    return now - since >= (_SHORT if is_old or complaint_of(pod) else _LONG)

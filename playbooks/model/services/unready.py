"""Pods behind a service that are not ready, and do not just start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import Fix, Risk, Step, step
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


def made_ready(service: Service, pod: Pod, *, title: str, first: str, rest: Sequence[Step] = ()) -> Fix:
    """Make its pods ready; `first` is what to read in the description of the first of them."""
    where = ("-n", pod.metadata.namespace)
    return Fix.cure(
        title,
        why="A pod becomes a backend the moment its condition Ready is True; Cilium needs nothing else.",
        risk=Risk.LOW,
        steps=(
            step(first, kubectl(*where, "describe", "pod", pod.metadata.name)),
            step(
                f"Read the log of {pod.ref}.",
                kubectl(*where, "logs", pod.metadata.name, "--all-containers", "--tail=100"),
            ),
            *rest,
        ),
        undo="Nothing is changed by looking.",
        verify=f"The EndpointSlices of {service.ref} list a backend with ready true.",
    )


def _is_down(pod: Pod, now: datetime) -> bool:
    since = unready_since(pod)
    if since is None:
        return False
    created = pod.metadata.creation_timestamp
    is_old = created is not None and now - created >= _LONG
    return now - since >= (_SHORT if is_old or complaint_of(pod) else _LONG)

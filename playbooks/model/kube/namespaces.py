"""Namespaces, with the labels that policies select them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import NAMESPACES


class NamespaceStatus(Object, frozen=True):
    """A namespace as it is."""

    phase: str = ""


class Namespace(Object, frozen=True):
    """A namespace."""

    metadata: Meta
    status: NamespaceStatus = NamespaceStatus()


@dataclass(frozen=True, kw_only=True)
class Namespaces(Fact):
    """All namespaces of the cluster."""

    items: tuple[Namespace, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


Namespaces.ways = (objects("namespaces", NAMESPACES, Namespace, Namespaces),)

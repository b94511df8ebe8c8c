"""Reads a target as it is typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address

from playbooks.model.kube.selectors import Selector

PROTOCOLS = ("TCP", "UDP", "SCTP", "ICMP")
"""What may stand behind a port."""
ENTITIES = ("world", "host", "remote-node", "kube-apiserver", "ingress", "health", "init", "unmanaged")
"""Reserved identities that may be named instead of a thing."""
KINDS = {
    "pod": "Pod",
    "po": "Pod",
    "deployment": "Deployment",
    "deploy": "Deployment",
    "statefulset": "StatefulSet",
    "sts": "StatefulSet",
    "daemonset": "DaemonSet",
    "ds": "DaemonSet",
    "job": "Job",
    "cronjob": "CronJob",
    "service": "Service",
    "svc": "Service",
    "namespace": "Namespace",
    "ns": "Namespace",
    "node": "Node",
}
"""Words that may precede a name, with the kind that they mean."""
_PORT = re.compile(
    r"^(?P<host>.*?)(?::(?P<port>\d{1,5}|[a-z][a-z0-9-]{0,14}))?(?:/(?P<protocol>[A-Za-z]{3,4}))?$"
)
_BRACKETS = re.compile(r"^\[(?P<address>[0-9A-Fa-f:.]+)\](?P<rest>.*)$")
_NAME = re.compile(r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")


class Form(StrEnum):
    """How something is named."""

    NAMED = "name"
    """By name: a pod, a workload, a service."""
    LABELS = "labels"
    """By labels."""
    NAMESPACE = "namespace"
    """All pods of a namespace."""
    ADDRESS = "address"
    """By address."""
    HOST = "DNS name"
    """By DNS name."""
    ENTITY = "entity"
    """By one of Cilium's names for groups of peers."""


class WrongTarget(ValueError):
    """What was typed names nothing; the message says what would."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a person named."""

    text: str
    """As typed."""
    form: Form
    """How it is named."""
    namespace: str = ""
    """Where, if that is part of it."""
    name: str = ""
    """Name, address, DNS name or entity."""
    kind: str = ""
    """The kind, where it was told."""
    selector: Selector | None = None
    """The labels."""
    port: int = 0
    """0 where none was told."""
    port_name: str = ""
    """The port, where it is told by name."""
    protocol: str = "TCP"
    """The protocol of the port."""


def parse(text: str, namespace: str = "default") -> Target:
    """Read `[KIND/][NAMESPACE/]NAME[:PORT[/PROTOCOL]]`, labels, an address, a DNS name or an entity.

    Raises `WrongTarget`.
    """
    bare = text.strip()
    if not bare:
        raise WrongTarget(
            "a target is a pod, workload, service, namespace, address or DNS name; none is given"
        )
    host, port, protocol = _split(bare)
    number = int(port) if port.isdecimal() else 0
    if number > 65535:
        raise WrongTarget(f"{text}: {port} is no port")
    named = _named(text, host, namespace)
    return replace(named, port=number, port_name="" if port.isdecimal() else port, protocol=protocol)


def _named(text: str, host: str, namespace: str) -> Target:
    if _is_address(host):
        return Target(text, Form.ADDRESS, name=host)
    if "=" in host:
        where, _, labels = host.partition("/") if _is_scoped(host) else ("", "", host)
        return Target(text, Form.LABELS, where or namespace, labels, selector=_selector(text, labels))
    kind, rest = _kind(host)
    if kind == "Namespace" or rest.endswith("/"):
        return Target(text, Form.NAMESPACE, rest.rstrip("/"), rest.rstrip("/"))
    where, mark, name = rest.partition("/") if "/" in rest else ("", "", rest)
    if not _NAME.match(name) or (mark and not _NAME.match(where)):
        raise WrongTarget(
            f"{text} names nothing: write NAMESPACE/NAME, app=LABEL, an address, a DNS name or an entity"
        )
    if not mark and not kind and name in ENTITIES:
        return Target(text, Form.ENTITY, name=name)
    if not mark and not kind and "." in name:
        return Target(text, Form.HOST, name=name)
    return Target(text, Form.NAMED, where or ("" if kind == "Node" else namespace), name, kind)


def _split(text: str) -> tuple[str, str, str]:
    bracketed = _BRACKETS.match(text)
    if bracketed:
        _, port, protocol = _split(f"x{bracketed['rest']}")
        return bracketed["address"], port, protocol
    if _is_address(text):
        return text, "", "TCP"
    match = _PORT.match(text)
    if match and match["protocol"] and match["port"]:
        protocol = match["protocol"].upper()
        if protocol not in PROTOCOLS:
            raise WrongTarget(f"{text}: {match['protocol']} is none of {', '.join(PROTOCOLS)}")
        return match["host"], match["port"], protocol
    host, mark, port = text.rpartition(":")
    if mark and re.fullmatch(r"\d{1,5}|[a-z][a-z0-9-]{0,14}", port) and not host.endswith(":"):
        return host, port, "TCP"
    return text, "", "TCP"


def _kind(host: str) -> tuple[str, str]:
    word, mark, rest = host.partition("/")
    if mark and rest and word.lower() in KINDS:
        return KINDS[word.lower()], rest
    return "", host


def _is_scoped(host: str) -> bool:
    """Whether a slash before the first `=` ends a namespace: keys of labels may hold one too."""
    before = host.split("=")[0]
    where, _, key = before.partition("/")
    return "." not in where and bool(key)


def _selector(text: str, labels: str) -> Selector:
    wanted = {}
    for part in labels.split(","):
        key, mark, value = part.strip().partition("=")
        if not mark or not key:
            raise WrongTarget(f"{text}: {part.strip() or 'nothing'} is no label; write key=value")
        wanted[key] = value.removeprefix("=")
    return Selector(wanted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

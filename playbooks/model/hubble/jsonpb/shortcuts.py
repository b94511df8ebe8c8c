"""The parts of a flow that seldom come again, addresses and ports, told without going through their fields.

A shortcut tells only the usual case and leaves everything else to the writer.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Protocol, cast

from playbooks.model.hubble.memory import Memory
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.shallow import shallow

Shortcut = Callable[[bytes], str | None]
"""A serialized message as JSON; nothing when it is an unusual one."""

_VERSIONS = {flow_pb2.IPv4: '"IPv4"', flow_pb2.IPv6: '"IPv6"'}


class _Layer(Protocol):
    TCP: bytes
    UDP: bytes


class _Ports(Protocol):
    source_port: int
    destination_port: int
    flags: bytes


_layer = shallow(flow_pb2.Layer4.DESCRIPTOR).FromString
_tcp = shallow(flow_pb2.TCP.DESCRIPTOR).FromString


def ip(raw: bytes) -> str | None:
    """Source, destination and version, where there is nothing else."""
    told = flow_pb2.IP.FromString(raw)
    source, destination, version = told.source, told.destination, _VERSIONS.get(told.ipVersion)
    if not (source and destination and version) or told.encrypted or told.source_xlated:
        return None
    ends = f'"source":{encode_basestring(source)},"destination":{encode_basestring(destination)}'
    return f'{{{ends},"ipVersion":{version}}}'


def tcp(flags: Callable[[bytes], str]) -> Shortcut:
    """Ports and flags of TCP; `flags` tells the flags."""
    remembered = Memory(flags)

    def told(raw: bytes) -> str | None:
        layer = cast("_Layer", _layer(raw)).TCP
        if not layer:
            return None
        ports = cast("_Ports", _tcp(layer))
        source, destination = ports.source_port, ports.destination_port
        if not (source and destination and ports.flags):
            return None
        numbers = f'"source_port":{source},"destination_port":{destination}'
        return f'{{"TCP":{{{numbers},"flags":{remembered[ports.flags]}}}}}'

    return told

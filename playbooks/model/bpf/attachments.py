"""Where programs are attached: devices, links and the cgroup root, as bpftool shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.bpf.bpftool import Block, blocks_in, shown
from playbooks.model.bpf.dumps import number_in
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

TCX_LINK = "11"
"""The number of the type of a TCX link, which bpftool before 7.3 does not know by name."""
_TCX = ("tcx", TCX_LINK)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One program on one device."""

    device: str
    """Its name; empty when not told."""
    interface_index: int | None
    """Its index; nothing when not told."""
    hook: str
    """`tcx/ingress`, `clsact/egress`, `netkit/peer`, `xdp/driver` …"""
    name: str
    """The program's name, or the filter's: `<program>-<device>`; empty for XDP."""
    program: int | None
    """The program's number; nothing when not told."""
    link: int | None
    """The link's number; nothing for a classic filter."""


@dataclass(frozen=True, kw_only=True)
class Attachments(Fact):
    """`bpftool net show` on one node.

    Versions before 7.3 leave TCX out, so that the absence of an attachment proves nothing there.
    """

    items: tuple[Attachment, ...]
    """In the order of bpftool."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def on(self, device: str) -> Iterator[Attachment]:
        """What is attached to a device."""
        return (item for item in self.items if item.device == device)


class _Mode(msgspec.Struct, frozen=True):
    mode: str = ""
    id: int | None = None


class _Item(msgspec.Struct, frozen=True):
    devname: str = ""
    ifindex: int | None = None
    kind: str = ""
    mode: str = ""
    name: str = ""
    id: int | None = None
    prog_id: int | None = None
    link_id: int | None = None
    multi_attachments: tuple[_Mode, ...] | None = None


class _Net(msgspec.Struct, frozen=True):
    tc: tuple[_Item, ...]
    xdp: tuple[_Item, ...]


def _net(answer: Answer) -> Attachments:
    shown_nets = rows_of(answer, _Net)
    if not shown_nets:
        raise Unreadable("the answer tells of no hook", 0)
    items = [item for net in shown_nets for item in (*map(_of_tc, net.tc), *_of_xdp(net.xdp))]
    return Attachments(provenance=Provenance.of(answer.request, answer.end), items=tuple(items))


def _of_tc(one: _Item) -> Attachment:
    program = one.id if one.prog_id is None else one.prog_id
    return Attachment(one.devname, one.ifindex, one.kind, one.name, program, one.link_id)


def _of_xdp(items: tuple[_Item, ...]) -> Iterator[Attachment]:
    for one in items:
        for each in one.multi_attachments or (_Mode(one.mode, one.id),):
            if not each.mode:
                raise Unreadable(f"no mode is told of the program on {one.devname[:40]!r}")
            yield Attachment(one.devname, one.ifindex, f"xdp/{each.mode}", "", each.id, None)


@dataclass(frozen=True, slots=True)
class Link:
    """One link: what keeps a program attached."""

    id: int
    """Its number."""
    type: str
    """`cgroup`, `tcx`, `xdp`, `netkit` …; a number where bpftool does not know it."""
    program: int | None
    """The program's number; nothing when not told."""
    attach_type: str
    """`cgroup_inet4_connect` …; empty when not told."""
    device: str
    """Empty when not told, as for TCX before bpftool 7.3."""
    interface_index: int | None
    """0 for a link that was detached; nothing when not told."""

    @property
    def is_tcx(self) -> bool:
        """Whether it holds a program on a device by TCX."""
        return self.type in _TCX


@dataclass(frozen=True, kw_only=True)
class Links(Fact):
    """`bpftool link show` on one node."""

    items: tuple[Link, ...]
    """By number."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Link(msgspec.Struct, frozen=True):
    id: int
    type: str | int
    prog_id: int | None = None
    attach_type: str | int = ""
    devname: str = ""
    ifindex: int | None = None


def _links_json(answer: Answer) -> Links:
    items = tuple(
        Link(one.id, str(one.type), one.prog_id, str(one.attach_type), one.devname, one.ifindex)
        for one in rows_of(answer, _Link)
    )
    return Links(provenance=Provenance.of(answer.request, answer.end), items=items)


def _links_text(answer: Answer) -> Links:
    items = tuple(map(_link, blocks_in(answer)))
    if not items:
        raise Unreadable("the answer holds no link", 0)
    return Links(provenance=Provenance.of(answer.request, answer.end), items=items)


def _link(block: Block) -> Link:
    device, _, index = block.after("ifindex").partition("(")
    number = index.rstrip(")") or (device if device.isdecimal() else "")
    name = "" if device.isdecimal() else device
    attach = block.after("attach_type")
    return Link(
        block.id, block.type, block.number("prog"), attach, name, number_in(number) if number else None
    )


@dataclass(frozen=True, slots=True)
class CgroupProgram:
    """One program on a cgroup."""

    cgroup: str
    """The cgroup's path."""
    id: int
    """The program's number."""
    attach_type: str
    """`cgroup_inet4_connect`, or `connect4` in older versions."""
    flags: str
    """`multi` where others may be beside it; empty for none."""
    name: str
    """The program's name."""


@dataclass(frozen=True, kw_only=True)
class CgroupPrograms(Fact):
    """`bpftool cgroup tree` on one node: the programs of the socket load balancer."""

    items: tuple[CgroupProgram, ...]
    """In the order of bpftool."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _OnCgroup(msgspec.Struct, frozen=True):
    id: int
    attach_type: str = ""
    attach_flags: str = ""
    name: str = ""


class _Cgroup(msgspec.Struct, frozen=True):
    cgroup: str
    programs: tuple[_OnCgroup, ...] | None


def _cgroups_json(answer: Answer) -> CgroupPrograms:
    items = tuple(
        CgroupProgram(one.cgroup, program.id, program.attach_type, program.attach_flags, program.name)
        for one in rows_of(answer, _Cgroup)
        for program in one.programs or ()
    )
    return CgroupPrograms(provenance=Provenance.of(answer.request, answer.end), items=items)


def _cgroups_text(answer: Answer) -> CgroupPrograms:
    lines = text_of(answer).split("\n")
    if len(lines) < 2 or lines[0].strip() != "CgroupPath":
        raise Unreadable("the answer does not begin with the path of a cgroup", 0)
    items: list[CgroupProgram] = []
    cgroup = ""
    for line in lines[2:]:
        words = line.split()
        if line.startswith("/"):
            cgroup = line.rstrip()
        elif len(words) in (3, 4) and cgroup:
            flags = words[2] if len(words) == 4 else ""
            items.append(CgroupProgram(cgroup, number_in(words[0]), words[1], flags, words[-1]))
        elif words:
            raise Unreadable(f"not a program of a cgroup: {line[:80]!r}")
    return CgroupPrograms(provenance=Provenance.of(answer.request, answer.end), items=tuple(items))


_ROOTS = ("/run/cilium/cgroupv2", "/var/run/cilium/cgroupv2")
Attachments.ways = (shown("bpftool's devices", "net", "show", "-j", decode=_net),)
Links.ways = (
    shown("bpftool's links", "link", "show", "-j", decode=_links_json),
    shown("bpftool's links as text", "link", "show", decode=_links_text),
)
CgroupPrograms.ways = (
    shown("bpftool's cgroups", "cgroup", "tree", _ROOTS[0], "-j", decode=_cgroups_json),
    shown("bpftool's cgroups, wherever they are", "cgroup", "tree", "-j", decode=_cgroups_json),
    shown("bpftool's cgroups as text", "cgroup", "tree", _ROOTS[0], decode=_cgroups_text),
    shown("bpftool's other cgroups as text", "cgroup", "tree", _ROOTS[1], decode=_cgroups_text),
)

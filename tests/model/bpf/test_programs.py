"""What bpftool shows: programs, maps, links, devices and the cgroup root."""

from __future__ import annotations

from playbooks.model.answer import Gap
from playbooks.model.bpf.attachments import Attachments, CgroupPrograms, Links
from playbooks.model.bpf.filling import MapFilling
from playbooks.model.bpf.programs import KernelMaps, Programs
from tests.model.bpf.reading import known, read, recorded
from tests.model.bpf.samples import WRITTEN


async def test_programs_are_the_same_in_json_and_text() -> None:
    of_json = read(Programs, 0, await recorded("healthy", "bpftool prog show -j"))
    of_text = read(Programs, 1, await recorded("healthy", "bpftool prog show"))
    assert isinstance(of_json, Programs)
    assert isinstance(of_text, Programs)
    assert len(of_json.items) == 206
    assert of_json.items == of_text.items
    assert len([*of_json.named("cil_from_container")]) == 15
    assert all(program.loaded_at for program in of_json.items)


async def test_links_are_the_same_in_json_and_text() -> None:
    of_json = read(Links, 0, await recorded("healthy", "bpftool link show -j"))
    of_text = read(Links, 1, await recorded("healthy", "bpftool link show"))
    assert isinstance(of_json, Links)
    assert isinstance(of_text, Links)
    assert of_json.items == of_text.items
    programs = await known("healthy", Programs)
    held = {programs.by_id[link.program].name for link in of_json.items if link.is_tcx and link.program}
    assert held >= {"cil_from_container", "cil_from_netdev", "cil_to_overlay"}
    assert sum(link.type == "cgroup" for link in of_json.items) == 11


def test_a_link_that_newer_versions_show_with_its_device() -> None:
    fact = read(
        Links, 1, "110: tcx  prog 40\n\tifindex eth0(4)  attach_type tcx_ingress\n111: tcx  prog 41\n"
    )
    assert isinstance(fact, Links)
    assert [(one.device, one.interface_index, one.is_tcx) for one in fact.items] == [
        ("eth0", 4, True),
        ("", None, True),
    ]


async def test_maps_of_the_kernel() -> None:
    maps = await known("healthy", KernelMaps)
    conntrack = [*maps.named("cilium_ct4_global")]
    assert [(one.max_entries, one.is_lru, one.key_bytes) for one in conntrack] == [(221723, True, 14)]
    text = "42: lru_hash  name cilium_ct4_glob  flags 0x0\n\tkey 14B  value 56B  max_entries 221723\n"
    of_text = read(KernelMaps, 1, text)
    assert isinstance(of_text, KernelMaps)
    assert (of_text.items[0].max_entries, of_text.items[0].name) == (221723, "cilium_ct4_glob")


async def test_the_cgroup_root_holds_the_socket_load_balancer() -> None:
    programs = await known("healthy", CgroupPrograms)
    assert {one.attach_type for one in programs.items} >= {"cgroup_inet4_connect", "cgroup_udp4_recvmsg"}
    assert {one.cgroup for one in programs.items} == {"/run/cilium/cgroupv2"}
    of_text = read(CgroupPrograms, 2, WRITTEN["CgroupPrograms: bpftool's cgroups as text"])
    assert isinstance(of_text, CgroupPrograms)
    assert [(one.id, one.flags) for one in of_text.items] == [(4337, "multi"), (4343, "multi"), (4350, "")]


def test_devices_by_all_kinds_of_hooks() -> None:
    fact = read(Attachments, 0, WRITTEN["Attachments: bpftool's devices"])
    assert isinstance(fact, Attachments)
    assert {(one.device, one.hook, one.program, one.link) for one in fact.items} == {
        ("eth0", "xdp/driver", 71, None),
        ("eth1", "xdp/generic", 72, None),
        ("eth1", "xdp/offload", 73, None),
        ("eth0", "tcx/ingress", 81, 9),
        ("eth1", "clsact/ingress", 82, None),
        ("lxc1", "netkit/peer", 83, 10),
    }
    assert len([*fact.on("eth1")]) == 3


async def test_a_bpftool_that_does_not_know_tcx_shows_no_device() -> None:
    assert (await known("healthy", Attachments)).items == ()


def test_an_image_without_bpftool_is_a_gap() -> None:
    said = b'OCI runtime exec failed: exec: "bpftool": executable file not found in $PATH\n'
    for kind in (Programs, KernelMaps, Links, Attachments, CgroupPrograms):
        assert isinstance(read(kind, 0, b"", stderr=said, exit_code=126), Gap)


async def test_how_full_maps_are() -> None:
    filling = await known("healthy", MapFilling)
    by_name = {one.name: one for one in filling.items}
    assert (by_name["cilium_ct4_global"].entries, by_name["cilium_ct4_global"].maximum) == (180, 221723)
    assert by_name["cilium_ct4_global"].is_lru
    assert by_name["cilium_policy_v3_00031"].maximum == 16384
    assert filling.at_least(0.01) == ()
    assert [one.share for one in filling.items] == sorted((one.share for one in filling.items), reverse=True)


async def test_what_cannot_be_told_is_not_guessed() -> None:
    filling = await known("healthy", MapFilling)
    assert {"cilium_lb4_reverse_nat", "cilium_metrics", "cilium_snat_v4_external"} <= set(filling.unknown)
    assert not {one.name for one in filling.items} & set(filling.unknown)

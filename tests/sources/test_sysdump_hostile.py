"""An archive may come from anybody: a clear error or a gap, and nothing outside of it is touched."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from playbooks.model.answer import GapKind, answer
from playbooks.model.kube import resources
from playbooks.model.request import ApiPath, ContainerLog, Objects
from playbooks.sources.sysdump import SysdumpSource, UnreadableArchive, limits
from tests.sources.archives import (
    BUGTOOL,
    HEALTHY,
    POD,
    PODS,
    ROOT,
    STAMP,
    agent_files,
    answered,
    command,
    missed,
    packed,
    sysdump,
    tarred,
    zipped,
)

LISTED = Objects(resources.PODS)
STATUS = command("cilium-dbg", "status", "--verbose")
PODS_FILE = f"{ROOT}/k8s-pods-{STAMP}.yaml"
EVERYTHING = (LISTED, STATUS, ContainerLog("kube-system", POD, "cilium-agent"), ApiPath("/version"))


def refused(path: Path) -> UnreadableArchive:
    with pytest.raises(UnreadableArchive) as raised:
        SysdumpSource(path)
    assert str(path) in str(raised.value)
    assert raised.value.remedy
    return raised.value


def small(folder: Path) -> Path:
    log = {f"logs_{POD}_cilium_agent_log".replace("-", "_"): b"2026-01-02T03:04:05Z a line\n" * 20}
    files = {**sysdump(**log), **agent_files(POD, {"cilium-dbg-status---verbose.md": b"KVStore: Ok\n" * 20})}
    return zipped(folder / "sysdump.zip", files)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello", "neither zip nor tar"),
        (b"\xfd7zXZ\0" + bytes(600), "packed with xz"),
        (b"\x28\xb5\x2f\xfd" + bytes(600), "packed with zstd"),
        (b"PK\x03\x04" + bytes(600), "directory at its end is missing"),
        (gzip.compress(b"not a tar"), "ends within a file's header"),
        (gzip.compress(bytes(10240)), "neither a sysdump nor"),
        (gzip.compress(b"x" * 2000), "header in it is broken"),
        (packed({"notes/readme.md": b"hello"}), "neither a sysdump nor"),
    ],
    ids=("empty", "text", "xz", "zstd", "headless zip", "text.gz", "zeros.gz", "letters.gz", "notes.tar"),
)
def test_what_is_no_archive_of_ours_says_so(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(data)
    assert words in str(refused(path))


def test_what_is_not_there_or_no_file_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert "No such file" in str(refused(tmp_path / "nothing"))
    assert "not a plain file" in str(refused(tmp_path / "pipe"))
    assert "neither a sysdump" in str(refused(tmp_path / "folder"))


def test_two_sysdumps_in_one_archive_must_be_parted(tmp_path: Path) -> None:
    files = {**sysdump(), **{f"other/{path}": data for path, data in sysdump().items()}}
    error = refused(zipped(tmp_path / "two.zip", files))
    assert "2 sysdumps" in error.what
    assert "folder of one" in error.remedy


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
def test_a_zip_that_is_cut_off_says_how_to_save_the_rest(kept: float, tmp_path: Path) -> None:
    data = HEALTHY.read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(data[: int(len(data) * kept)])
    assert "zip -FF" in refused(path).remedy


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
async def test_a_tar_that_is_cut_off_answers_from_what_is_there(kept: float, tmp_path: Path) -> None:
    data = BUGTOOL.read_bytes()
    path = tmp_path / "bugtool.tar.gz"
    path.write_bytes(data[: int(len(data) * kept)])
    source = SysdumpSource(path)
    assert "cut off" in source.problems[0]
    assert (await answered(source, command("cilium-dbg", "bpf", "lb", "list"))).body
    gap = await missed(source, command("cilium-dbg", "nothing"))
    assert "cut off" in gap.detail


async def test_a_wrong_checksum_is_no_answer(tmp_path: Path) -> None:
    stored = zipfile.ZipInfo(PODS_FILE)
    path = zipped(tmp_path / "a.zip", [(stored, PODS)])
    path.write_bytes(path.read_bytes().replace(b"web-1", b"web-2"))
    gap = await missed(SysdumpSource(path), LISTED)
    assert gap.kind is GapKind.UNREADABLE
    assert "checksum" in gap.detail
    data = bytearray(BUGTOOL.read_bytes())
    data[-6] ^= 1
    (tmp_path / "b.tar.gz").write_bytes(data)
    assert "broken" in str(refused(tmp_path / "b.tar.gz"))


async def test_an_encrypted_file_is_a_gap_that_says_what_to_do(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 4)
    path.write_bytes(data)
    gap = await missed(SysdumpSource(path), LISTED)
    assert "encrypted" in gap.detail
    assert "password" in gap.remedy


async def test_a_zip_bomb_is_stopped_early(tmp_path: Path) -> None:
    log = {f"logs_{POD}_cilium_agent_log".replace("-", "_"): bytes(20 << 20)}
    source = SysdumpSource(zipped(tmp_path / "bomb.zip", sysdump(k8s_pods_yaml=b" " * (20 << 20), **log)))
    for request in (LISTED, ContainerLog("kube-system", POD, "cilium-agent")):
        gap = await missed(source, request)
        assert gap.kind is GapKind.UNREADABLE
        assert "bomb" in gap.detail
    (tmp_path / "bomb.tar.gz").write_bytes(packed({"cilium-bugtool-x/cmd/a.md": bytes(20 << 20)}))
    assert "bomb" in str(refused(tmp_path / "bomb.tar.gz"))


async def test_sizes_that_are_a_lie_do_no_harm(tmp_path: Path) -> None:
    path = small(tmp_path)
    whole = path.read_bytes()
    at = whole.find(b"PK\x01\x02")
    for size, words in ((10, "checksum"), (len(PODS) + 1, "shorter"), (0xFFFFFFFE, "announced with")):
        data = bytearray(whole)
        data[at + 24 : at + 28] = struct.pack("<L", size)
        path.write_bytes(data)
        gap = await missed(SysdumpSource(path), LISTED)
        assert gap.kind is GapKind.UNREADABLE
        assert words in gap.detail
    data = bytearray(whole)
    data[at + 42 : at + 46] = struct.pack("<L", 0x7FFFFFFF)
    path.write_bytes(data)
    assert "does not fit" in (await missed(SysdumpSource(path), LISTED)).detail


async def test_a_name_that_occurs_twice_is_a_gap(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = zipped(tmp_path / "a.zip", [(PODS_FILE, PODS), (PODS_FILE, PODS.replace(b"web", b"evil"))])
    for source in (SysdumpSource(path),):
        gap = await missed(source, LISTED)
        assert gap.kind is GapKind.UNREADABLE
        assert "more than once" in gap.detail
    double = tarred({PODS_FILE: PODS}).rstrip(b"\0") + bytes(
        -len(tarred({PODS_FILE: PODS}).rstrip(b"\0")) % 512
    )
    (tmp_path / "a.tar").write_bytes(double + tarred({PODS_FILE: PODS}))
    assert "more than once" in (await missed(SysdumpSource(tmp_path / "a.tar"), LISTED)).detail


NAMES = (
    "../k8s-pods-{}.yaml",
    "/k8s-pods-{}.yaml",
    f"{ROOT}/../../etc/passwd",
    f"{ROOT}/a\\b",
    f"{ROOT}//x",
    "a/./b",
)


async def test_names_that_lead_out_are_left_out(tmp_path: Path) -> None:
    files = {**sysdump(), **{name.format(STAMP): b"evil" for name in NAMES}}
    (tmp_path / "a.tar").write_bytes(tarred(files))
    for path in (zipped(tmp_path / "a.zip", files), tmp_path / "a.tar"):
        source = SysdumpSource(path)
        assert source.files == (PODS_FILE,)
        assert f"{len(NAMES)} entries were left out" in source.problems[0]
        assert (await answered(source, LISTED)).body
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "a.zip"]


async def test_links_and_devices_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(PODS)
    link = zipfile.ZipInfo(PODS_FILE)
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    events = f"{ROOT}/k8s-events-{STAMP}.yaml"
    packed_link = zipped(
        tmp_path / "a.zip", [(link, str(secret).encode()), (events, b"items: []\nkind: EventList\n")]
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(PODS_FILE)
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo(events))
    (tmp_path / "a.tar").write_bytes(buffer.getvalue())
    folder = tmp_path / ROOT
    folder.mkdir()
    (folder / f"k8s-pods-{STAMP}.yaml").symlink_to(secret)
    (folder / f"k8s-nodes-{STAMP}.yaml").write_bytes(b"items: []\nkind: NodeList\n")
    (folder / "loop").symlink_to(folder)
    (folder / "cilium-sysdump.log").write_bytes(b"")
    for path, count in ((packed_link, 1), (tmp_path / "a.tar", 4), (folder, 2)):
        source = SysdumpSource(path)
        assert (await missed(source, LISTED)).kind is GapKind.NOT_RECORDED
        assert f"{count} entries were left out" in source.problems[0]


@pytest.mark.parametrize("kind", [b"L", b"x"])
def test_a_name_of_absurd_length_is_not_read(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 3 << 30
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
    assert "name of" in str(refused(tmp_path / "a.tar.gz"))


@pytest.mark.parametrize("size", [b"\x80" + bytes(3) + b"\xff" * 8, b"\xff" * 12, b"zzzzzzzzzzz\0"])
def test_a_file_of_absurd_size_is_not_waited_for(size: bytes, tmp_path: Path) -> None:
    block = bytearray(tarfile.TarInfo("a/cmd/b.md").tobuf())
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "a.tar").write_bytes(block + bytes(2048))
    assert refused(tmp_path / "a.tar")


def test_long_names_and_large_numbers_of_every_dialect_are_read(tmp_path: Path) -> None:
    name = f"{ROOT}/cilium-bugtool-{'very-' * 30}long-{STAMP}/cmd/a.md"
    for dialect in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        path = tmp_path / f"{dialect}.tar"
        path.write_bytes(tarred({**sysdump(), name: b"x"}, dialect))
        assert name in SysdumpSource(path).files


def test_more_files_than_any_cluster_leaves_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FILES", 100)
    files = {f"{ROOT}/{number}.md": b"" for number in range(101)}
    (tmp_path / "a.tar").write_bytes(tarred(files))
    folder = tmp_path / "folder" / ROOT
    folder.mkdir(parents=True)
    for name in files:
        (tmp_path / "folder" / name).touch()
    for path in (zipped(tmp_path / "a.zip", files), tmp_path / "a.tar", tmp_path / "folder"):
        assert "more than 100 files" in str(refused(path))


def test_a_directory_of_any_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small(tmp_path)
    monkeypatch.setattr(limits, "NAMES", 100)
    assert "directory is larger" in str(refused(path))


async def test_a_bomb_within_a_bomb_is_stopped(tmp_path: Path) -> None:
    inner = packed({"cilium-bugtool-x/cmd/cilium-dbg-status---verbose.md": bytes(20 << 20)})
    files = {**sysdump(), f"{ROOT}/cilium-bugtool-{POD}-{STAMP}.tar.gz": inner}
    gap = await missed(SysdumpSource(zipped(tmp_path / "a.zip", files)), STATUS)
    assert gap.kind is GapKind.UNREADABLE
    assert "bomb" in gap.detail


async def test_a_packed_agent_that_is_no_tar_is_a_gap(tmp_path: Path) -> None:
    for data in (b"", b"nothing", gzip.compress(b"nothing"), packed({"a/b": b"c"}), packed(sysdump())):
        files = {**sysdump(), f"{ROOT}/cilium-bugtool-{POD}-{STAMP}.tar.gz": data}
        gap = await missed(SysdumpSource(zipped(tmp_path / "a.zip", files)), STATUS)
        assert gap.kind is GapKind.UNREADABLE


async def same_or_gap(path: Path, good: dict[object, bytes]) -> None:
    """No exception, and no answer that is not the true one."""
    try:
        source = SysdumpSource(path)
    except UnreadableArchive:
        return
    for request in EVERYTHING:
        found = await answer(source, request, 1)
        body = getattr(found, "body", None)
        assert body is None or body == good[request], request
    await source.close()


Damage = Callable[[bytes, Random], bytes]


def flipped(data: bytes, random: Random) -> bytes:
    """A few bits turned over."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(data: bytes, random: Random) -> bytes:
    """The beginning."""
    return data[: random.randrange(len(data))]


@pytest.mark.parametrize("damage", [flipped, cut])
@pytest.mark.parametrize("form", ["zip", "tar.gz"])
async def test_damage_anywhere_is_an_error_a_gap_or_harmless(
    damage: Damage, form: str, tmp_path: Path
) -> None:
    random = Random(47)
    path = small(tmp_path)
    if form == "tar.gz":
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        path = tmp_path / "sysdump.tar.gz"
        path.write_bytes(packed(files))
    whole = path.read_bytes()
    source = SysdumpSource(path)
    good = {request: getattr(await answer(source, request, 1), "body", b"") for request in EVERYTHING}
    for _ in range(120):
        path.write_bytes(damage(whole, random))
        await same_or_gap(path, good)


def test_nothing_is_written_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    for path in (HEALTHY, BUGTOOL):
        SysdumpSource(path)
    assert list(tmp_path.iterdir()) == []

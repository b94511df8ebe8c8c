from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event as Signal

import pytest

from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.seen import Reader
from playbooks.sources.journal import flows
from playbooks.sources.journal.archive import FOREVER, FlowArchive
from playbooks.sources.journal.flows import FlowStore
from playbooks.sources.journal.segments import MESSAGES, Index, messages, records
from playbooks.sources.journal.shelves import FOLDER, Memory
from playbooks.sources.journal.trouble import UnwritableJournal
from tests.model.hubble.seen.events import GOLDEN, RECORDED, raw

SECOND = 10**9
T0 = 1_800_000_000


def made(number: int, node: str = "node-1", **fields: object) -> bytes:
    """A flow of the second `number`."""
    flow = {"time": {"seconds": T0 + number}, "uuid": f"u{number}", "node_name": node, "verdict": 1, **fields}
    return ExportEvent(flow=flow, node_name=node).SerializeToString()  # type: ignore[arg-type]


def fill(store: FlowStore, raws: list[bytes], batch: int = 500) -> None:
    reader = Reader()
    for at in range(0, len(raws), batch):
        part = raws[at : at + batch]
        store.add(part, reader.read_all(part))


def kept(
    source: FlowStore | FlowArchive, since: int = 0, until: int = FOREVER, node: str = ""
) -> list[bytes]:
    return [
        found[0] if isinstance(found, tuple) else found.encode()
        for found in source.between(since, until, node)
    ]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in (GOLDEN, RECORDED)])
def test_what_real_software_told_comes_back_byte_for_byte(path: Path, tmp_path: Path) -> None:
    raws = raw(path)
    store = FlowStore.in_journal(tmp_path)
    fill(store, raws)
    assert kept(store) == raws
    store.close()
    assert kept(FlowArchive(tmp_path)) == raws


@pytest.mark.parametrize("where", ["memory", "journal"])
def test_ten_thousand_flows_are_found_by_time_node_and_number(where: str, tmp_path: Path) -> None:
    raws = [made(number, f"node-{number % 3}") for number in range(10_000)]
    store = FlowStore.in_journal(tmp_path) if where == "journal" else FlowStore.in_memory()
    fill(store, raws, 1000)
    store.flush()
    assert store.keeping.segments == 2
    assert kept(store) == raws
    assert kept(store, (T0 + 4000) * SECOND, (T0 + 4200) * SECOND) == raws[4000:4201]
    assert kept(store, (T0 + 9000) * SECOND, (T0 + 9005) * SECOND, "node-1") == [raws[9001], raws[9004]]
    assert [store.raw(number) for number in (0, 4095, 4096, 9999)] == [
        raws[0],
        raws[4095],
        raws[4096],
        raws[9999],
    ]
    assert store.raw(10_000) is None
    store.close()


def test_what_was_written_survives_a_process_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.sources.flows.test_store import FlowStore, fill, made\n"
        "store = FlowStore.in_journal(Path(sys.argv[1]))\n"
        "fill(store, [made(n) for n in range(5000)]); store.flush()\n"
        "store.add([made(5000)], []); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert kept(FlowArchive(tmp_path)) == [made(number) for number in range(5000)]


def test_a_record_that_a_crash_cut_is_left_out_and_said(tmp_path: Path) -> None:
    store = FlowStore.in_journal(tmp_path)
    fill(store, [made(number) for number in range(10)])
    store.flush()
    tail = tmp_path / FOLDER / "00000001.tail"
    os.truncate(tail, tail.stat().st_size - 3)
    found = kept(FlowArchive(tmp_path))
    assert found[:-1] == [made(number) for number in range(9)]
    assert b"half-written" in found[-1]


def test_a_session_goes_on_where_a_killed_one_ended(tmp_path: Path) -> None:
    first = FlowStore.in_journal(tmp_path)
    fill(first, [made(number) for number in range(5000)])
    first.flush()
    first._shelf.close()
    second = FlowStore.in_journal(tmp_path)
    fill(second, [made(number) for number in range(5000, 5010)])
    second.close()
    archive = FlowArchive(tmp_path)
    assert kept(archive) == [made(number) for number in range(5010)]
    assert [index.count for index in archive.segments] == [4096, 904, 10]
    assert not list((tmp_path / FOLDER).glob("*.tail"))


def test_a_crash_between_sealing_and_removing_doubles_nothing(tmp_path: Path) -> None:
    store = FlowStore.in_journal(tmp_path)
    fill(store, [made(number) for number in range(10)])
    store.flush()
    tail = tmp_path / FOLDER / "00000001.tail"
    left = tail.read_bytes()
    store.close()
    tail.write_bytes(left)
    assert len(kept(FlowArchive(tmp_path))) == 10
    FlowStore.in_journal(tmp_path).close()
    assert len(kept(FlowArchive(tmp_path))) == 10


def test_the_stores_own_thread_writes_without_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "EVERY", 0.01)
    store, written = FlowStore.in_journal(tmp_path), Signal()
    append = store._shelf.append

    def told(number: int, raws: list[bytes]) -> None:
        append(number, raws)
        written.set()

    monkeypatch.setattr(store._shelf, "append", told)
    store.start()
    fill(store, [made(1)])
    assert written.wait(20)
    store.close()
    assert kept(FlowArchive(tmp_path)) == [made(1)]


def test_old_segments_go_when_the_limit_is_reached_and_that_is_said(tmp_path: Path) -> None:
    raws = [made(number) for number in range(20_480)]
    store = FlowStore.in_journal(tmp_path, limit=40_000)
    for at in range(0, len(raws), MESSAGES):
        fill(store, raws[at : at + MESSAGES])
        store.flush()
    keeping = store.keeping
    assert keeping.size <= 41_000
    assert keeping.dropped == 20_480 - keeping.segments * MESSAGES > 0
    assert keeping.dropped_until == (T0 + keeping.dropped - 1) * SECOND
    assert kept(store) == raws[keeping.dropped :]
    assert store.raw(0) is None
    store.close()
    fill(again := FlowStore.in_journal(tmp_path, limit=40_000), [made(1)])
    assert again.keeping.dropped > 0
    again.close()
    assert FlowArchive(tmp_path).dropped[0] == again.keeping.dropped


class _FullDisk(Memory):
    def seal(self, index: Index, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def append(self, number: int, raws: list[bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_ends_the_writing_visibly_and_costs_no_flow() -> None:
    store, said = FlowStore(_FullDisk(10**9)), []
    store.on_stop = said.append
    raws = [made(number) for number in range(5000)]
    fill(store, raws)
    store.flush()
    assert len(said) == 1
    assert "No space left on device" in store.keeping.stopped
    assert kept(store) == raws
    store.close()


def test_one_folder_belongs_to_one_session(tmp_path: Path) -> None:
    store = FlowStore.in_journal(tmp_path)
    with pytest.raises(UnwritableJournal, match="another session"):
        FlowStore.in_journal(tmp_path)
    store.close()
    FlowStore.in_journal(tmp_path).close()


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("not a folder")
    with pytest.raises(UnwritableJournal, match="cannot keep flows"):
        FlowStore.in_journal(tmp_path)


def test_what_comes_faster_than_it_can_be_kept_is_shown_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    raws = [made(number) for number in range(400)]
    monkeypatch.setattr(flows, "WAITING_LIMIT", sum(map(len, raws[:200])) + 10)
    store = FlowStore.in_memory()
    fill(store, raws[:300], 100)
    store.flush(seal=True)
    fill(store, raws[300:], 100)
    assert store.keeping.overrun == 100
    assert len(store.ring) == 400
    assert kept(store) == raws[:200] + raws[300:]
    assert [store.raw(number) for number in (199, 200, 300)] == [raws[199], None, raws[300]]
    store.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:-20], "not what its index says"),
        (lambda data: data[:-200] + bytes(200), "segment 1"),
        (lambda data: b"{}\n", "its index is broken"),
        (lambda data: b"", "it has no index"),
        (lambda data: data.replace(b'"schema":1', b'"schema":9'), "schema 9"),
        (lambda data: data.replace(b'"number":1', b'"number":7'), "says it is 7"),
        (lambda data: data.replace(b'"size":', b'"size":9'), "not what its index says"),
        (lambda data: data.replace(b'"size":', b'"size":99999'), "impossible size"),
    ],
)
def test_a_damaged_segment_is_named_and_the_others_are_read(damage, said: str, tmp_path: Path) -> None:
    store = FlowStore.in_journal(tmp_path)
    raws = [made(number) for number in range(MESSAGES + 10)]
    fill(store, raws)
    store.close()
    path = tmp_path / FOLDER / "00000001.segment"
    path.write_bytes(damage(path.read_bytes()))
    archive = FlowArchive(tmp_path)
    found = kept(archive)
    assert found[-10:] == raws[-10:]
    assert any(
        said in text for text in (*archive.problems, *(one.decode("utf-8", "replace") for one in found[:-10]))
    )
    FlowStore.in_journal(tmp_path).close()


def test_a_link_put_into_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(records([made(1)]))
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "00000001.tail").symlink_to(secret)
    assert made(1) not in kept(FlowArchive(tmp_path))


def test_a_journal_without_flows_has_none(tmp_path: Path) -> None:
    assert kept(FlowArchive(tmp_path)) == []


def test_large_messages_seal_early(tmp_path: Path) -> None:
    store = FlowStore.in_memory()
    raws = [made(number, extensions={"value": bytes(7_000_000)}) for number in range(5)]
    fill(store, raws, 1)
    store.flush()
    assert store.keeping.segments == 1
    assert kept(store) == raws
    store.close()


def test_records_are_read_as_written() -> None:
    assert messages(records([b"", b"abc"])) == ([b"", b"abc"], True)
    assert messages(records([b"abc", b"def"])[:-1]) == ([b"abc"], False)
    assert messages(b"\x00\x00") == ([], False)

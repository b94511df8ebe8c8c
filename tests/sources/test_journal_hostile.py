"""A journal may come from anybody: a clear error or a gap, and nothing outside the folder is touched."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from playbooks.model.answer import Answer, End, Gap, GapKind, answer
from playbooks.model.request import ApiPath, key_of
from playbooks.sources.journal import JournalSource, UnreadableJournal, contents

ASKED = ApiPath("/version")
AT = {"at": "2026-11-23T01:40:00Z", "by": "mallory"}
HEADER = {"type": "session", "schema": 1, "cluster": "c", "product": "0", **AT}
RUN = {"type": "run", "run": 1, **AT}


def told(body: str, **parts: object) -> dict[str, object]:
    return {
        "type": "answer",
        "run": 1,
        "look": 1,
        "request": json.loads(key_of(ASKED)),
        "command": "c",
        "where": "w",
        "taken_at": AT["at"],
        "seconds": 1,
        "body": body,
        **AT,
        **parts,
    }


def kept(data: bytes, **parts: object) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    stored = len(zlib.compress(data))
    return {"type": "body", "hash": digest, "offset": 0, "stored": stored, "size": len(data), **AT, **parts}


def journal(folder: Path, *records: object, bodies: bytes = b"") -> Path:
    folder.mkdir(exist_ok=True)
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    (folder / "records.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "bodies.bin").write_bytes(bodies)
    return folder


async def gap_of(folder: Path) -> Gap:
    found = await answer(JournalSource(folder), ASKED, 1)
    assert isinstance(found, Gap), found
    return found


async def test_the_pattern_of_these_tests_is_a_good_journal(tmp_path: Path) -> None:
    body = kept(b"fine")
    folder = journal(tmp_path, HEADER, RUN, body, told(str(body["hash"])), bodies=zlib.compress(b"fine"))
    found = await answer(JournalSource(folder), ASKED, 1)
    assert isinstance(found, Answer)
    assert found.body == b"fine"


async def test_a_bomb_is_not_inflated_beyond_what_it_said(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(200_000_000))
    body = kept(b"", size=1000, stored=len(bomb), hash="ab")
    folder = journal(tmp_path, HEADER, RUN, body, told("ab"), bodies=bomb)
    sizes = [len(piece) async for piece in JournalSource(folder).open(ASKED, 1) if isinstance(piece, bytes)]
    assert sum(sizes) <= 1000
    gap = await gap_of(folder)
    assert (gap.kind, gap.detail) == (
        GapKind.UNREADABLE,
        "the kept answer is damaged: it is larger than its record says",
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"size": 1 << 40},
        {"size": -1},
        {"offset": -5},
        {"stored": -1},
        {"offset": 1 << 62},
        {"offset": 10_000},
        {"offset": 1},
        {"size": 3},
        {"size": 5},
        {"stored": 3},
        {"hash": "0" * 64},
    ],
    ids=str,
)
async def test_a_body_that_is_not_as_promised_is_unreadable(tmp_path: Path, parts: dict[str, object]) -> None:
    body = kept(b"fine", **parts)
    folder = journal(tmp_path, HEADER, RUN, body, told(str(body["hash"])), bodies=zlib.compress(b"fine"))
    assert (await gap_of(folder)).kind is GapKind.UNREADABLE


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "/etc/passwd", "..", "a/b", "\x00", "ab"])
async def test_a_hash_is_a_name_and_never_a_path(tmp_path: Path, name: str) -> None:
    gap = await gap_of(journal(tmp_path, HEADER, RUN, told(name)))
    assert (gap.kind, gap.detail) == (
        GapKind.NOT_RECORDED,
        "the answer itself is missing from the recording",
    )


@pytest.mark.parametrize("pages", [[0], [-1, 4], [10**12], [1, 1, 1, 1, 1, 1]], ids=str)
async def test_impossible_pages_lose_no_byte(tmp_path: Path, pages: list[int]) -> None:
    body = kept(b"fine")
    record = told(str(body["hash"]), pages=pages)
    folder = journal(tmp_path, HEADER, RUN, body, record, bodies=zlib.compress(b"fine"))
    *chunks, last = [piece async for piece in JournalSource(folder).open(ASKED, 1)]
    assert b"".join(chunk for chunk in chunks if isinstance(chunk, bytes)) == b"fine"
    assert isinstance(last, End)


def _link(path: Path) -> None:
    outside = path.parent.parent / "outside"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", ["records.jsonl", "bodies.bin"])
@pytest.mark.parametrize("twist", [_link, _fifo, _directory])
def test_anything_but_a_plain_file_is_refused(
    tmp_path: Path, name: str, twist: Callable[[Path], None]
) -> None:
    folder = journal(tmp_path / "j", HEADER, RUN)
    twist(folder / name)
    with pytest.raises(UnreadableJournal) as caught:
        JournalSource(folder)
    assert str(folder) in caught.value.where
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("first", "what"),
    [
        (b"", "broken"),
        (b"PK\x03\x04", "broken"),
        (b"[" * 100_000, "broken"),
        ({**HEADER, "schema": 2}, "recorded in schema 2, this version reads 1"),
        ({"schema": 1}, "broken"),
        (RUN, "broken"),
        ({**RUN, "schema": 1}, "no header"),
        ({**HEADER, "at": "2026-11-23T01:40:00"}, "broken"),
        ({**HEADER, "cluster": 7}, "broken"),
    ],
    ids=["empty", "zip", "deep", "newer", "bare", "run", "run with schema", "no zone", "number"],
)
def test_a_file_without_a_good_header_is_no_journal(tmp_path: Path, first: object, what: str) -> None:
    with pytest.raises(UnreadableJournal, match=what) as caught:
        JournalSource(journal(tmp_path, first))
    assert caught.value.remedy


def test_a_folder_that_is_no_journal_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "none", tmp_path / "file"):
        with pytest.raises(UnreadableJournal, match="not a recording"):
            JournalSource(path)


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableJournal, match="run 7 is not in this recording"):
        JournalSource(journal(tmp_path, HEADER, RUN), run=7)


def test_an_error_shows_hostile_text_harmless(tmp_path: Path) -> None:
    with pytest.raises(UnreadableJournal) as caught:
        JournalSource(journal(tmp_path, {**HEADER, "type": "\x1b]0;x\x07"}))
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [b"\x00" * 50, b"{}", b'{"type":"later kind"}', b"[" * 50_000, b'{"type":"run","run":"x"}', b"\xff\xfe"],
    ids=["zeros", "empty", "unknown", "deep", "wrong type", "not UTF-8"],
)
async def test_a_broken_record_costs_only_itself(tmp_path: Path, line: bytes) -> None:
    body = kept(b"fine")
    folder = journal(
        tmp_path, HEADER, RUN, line, body, told(str(body["hash"])), bodies=zlib.compress(b"fine")
    )
    replay = JournalSource(folder)
    assert replay.problems == ("record 3 cannot be read and was skipped",)
    assert isinstance(await answer(replay, ASKED, 1), Answer)


async def test_a_record_without_end_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LINE_LIMIT", 1000)
    folder = journal(tmp_path, HEADER, b"x" * 100_000, RUN, told("", not_kept="too large"))
    replay = JournalSource(folder)
    assert replay.problems == ("record 2 is too long and was skipped",)
    assert (await gap_of(folder)).detail == "too large"


async def test_answers_are_read_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = kept(b"fine")
    folder = journal(tmp_path, HEADER, RUN, body, told(str(body["hash"])), bodies=b"garbage")
    replay = JournalSource(folder)
    (folder / "bodies.bin").write_bytes(zlib.compress(b"fine"))
    assert isinstance(await answer(replay, ASKED, 1), Answer)


async def test_a_journal_without_its_answers_still_tells_its_gaps(tmp_path: Path) -> None:
    folder = journal(tmp_path, HEADER, RUN, kept(b"fine"), told(str(kept(b"fine")["hash"])))
    (folder / "bodies.bin").unlink()
    assert JournalSource(folder).problems == ("bodies.bin is missing: no answer can be shown",)
    assert (await gap_of(folder)).kind is GapKind.NOT_RECORDED

"""What is recorded is answered again; a crash, a full disk and limits lose as little as possible."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from playbooks.model.answer import Answer, End, Gap, GapKind, Source, answer
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request, Resource, key_of
from playbooks.sources.journal import (
    About,
    Journal,
    JournalSource,
    Recording,
    UnwritableJournal,
    bodies,
    ledger,
    session_folder,
)

NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
ABOUT = About("prod-1", "0.1.0", "ada", "kubectl --context prod-1")
PODS = Objects(Resource("", "v1", "pods", "Pod"))
STATUS = AgentCommand("node-1", "kube-system", "cilium-x", "cilium-agent", ("cilium-dbg", "status"))
LOG = ContainerLog("kube-system", "cilium-x", "cilium-agent", "node-1")
VERSION = ApiPath("/version")

Pieces = list[bytes | End | Gap]


def end(request: Request, seconds: int = 0, **parts: object) -> End:
    return End(request.command(), "somewhere", NOW + timedelta(seconds=seconds), 0.25, **parts)  # type: ignore[arg-type]


class Script:
    """A source that plays what it was given."""

    def __init__(self, told: dict[tuple[int, Request], Pieces]) -> None:
        self.told = told
        self.is_closed = False
        self.name, self.now = "prod-1", NOW

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        for piece in self.told[look, request]:
            yield piece

    async def pause(self, seconds: float) -> None: ...

    async def close(self) -> None:
        self.is_closed = True


TOLD: dict[tuple[int, Request], Pieces] = {
    (1, PODS): [b'{"kind":"PodList"}\n', b'{"kind":"PodList","items":[]}\n', end(PODS)],
    (1, STATUS): [
        b"\x00\xff not text",
        b"",
        end(STATUS, exit_code=3, stderr=b"\xfe no\n", is_truncated=True),
    ],
    (1, LOG): [end(LOG)],
    (1, VERSION): [Gap(GapKind.FORBIDDEN, "get /version", "kubectl get", "ask for it", "node-1", NOW)],
    (2, PODS): [b'{"kind":"PodList"}\n', end(PODS, 60)],
}


async def pieces(source: Source, request: Request, look: int = 1) -> Pieces:
    return [piece async for piece in source.open(request, look)]


async def record(folder: Path, told: dict[tuple[int, Request], Pieces], what: str = "") -> None:
    journal = Journal.open(folder, ABOUT, lambda: NOW)
    recording = Recording(Script(told), journal)
    journal.begin_run(what)
    for look, request in told:
        await pieces(recording, request, look)
    await journal.close()
    assert not journal.stopped


async def test_replay_gives_the_same_answers(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    replay = JournalSource(tmp_path / "j")
    for (look, request), told in TOLD.items():
        assert await answer(replay, request, look) == await answer(Script(TOLD), request, look), told
    assert (replay.name, replay.looks, replay.kubectl) == ("prod-1", 2, ABOUT.kubectl)
    assert replay.now == NOW + timedelta(seconds=60)
    assert replay.asked == tuple(TOLD)
    assert replay.problems == ()
    await replay.pause(1000)
    await replay.close()


async def test_pages_of_a_list_come_in_the_chunks_in_which_they_came(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    assert await pieces(JournalSource(tmp_path / "j"), PODS) == TOLD[1, PODS]


async def test_what_is_recorded_passes_through_unchanged(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j", ABOUT)
    script = Script(TOLD)
    recording = Recording(script, journal)
    for (look, request), told in TOLD.items():
        assert await pieces(recording, request, look) == told
    assert (recording.name, recording.now) == (script.name, script.now)
    await recording.close()
    assert script.is_closed
    await journal.close()


async def test_what_was_not_asked_is_a_gap_with_the_command(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    gap = await answer(JournalSource(tmp_path / "j"), ApiPath("/apis"), 1)
    assert isinstance(gap, Gap)
    assert (gap.kind, gap.command) == (GapKind.NOT_RECORDED, "kubectl --context prod-1 get --raw /apis")


@pytest.mark.parametrize(("looks", "detail"), [(1, "one look"), (2, "2 looks")])
async def test_a_look_that_was_not_taken_says_how_many_were(tmp_path: Path, looks: int, detail: str) -> None:
    await record(tmp_path / "j", {key: told for key, told in TOLD.items() if key[0] <= looks})
    gap = await answer(JournalSource(tmp_path / "j"), PODS, 3)
    assert isinstance(gap, Gap)
    assert (gap.kind, gap.detail) == (GapKind.NOT_RECORDED, detail)


async def test_looks_of_a_later_run_count_from_one_again(tmp_path: Path) -> None:
    await record(tmp_path / "j", {(look + 6, request): told for (look, request), told in TOLD.items()})
    replay = JournalSource(tmp_path / "j")
    assert await pieces(replay, PODS, 2) == TOLD[2, PODS]
    assert replay.asked == tuple(TOLD)


async def test_the_expected_cost_of_a_command_makes_no_other_question(tmp_path: Path) -> None:
    dear = AgentCommand("n", "a", "p", "c", ("x",), is_heavy=True)
    await record(tmp_path / "j", {(1, dear): [b"yes", end(dear)]})
    cheap = AgentCommand("n", "a", "p", "c", ("x",))
    assert await pieces(JournalSource(tmp_path / "j"), cheap) == [b"yes", end(dear)]


async def test_runs_follow_each_other_in_one_folder(tmp_path: Path) -> None:
    await record(tmp_path / "j", {(1, PODS): [b"first\n", end(PODS)]}, "check agent")
    await record(tmp_path / "j", {(1, PODS): [b"second\n", end(PODS)]}, "check all")
    last, first = JournalSource(tmp_path / "j"), JournalSource(tmp_path / "j", run=1)
    assert [(run.number, run.what, run.is_complete, run.by) for run in last.runs] == [
        (1, "check agent", True, "ada"),
        (2, "check all", True, "ada"),
    ]
    assert (last.run, (await pieces(last, PODS))[0]) == (2, b"second\n")
    assert (first.run, (await pieces(first, PODS))[0]) == (1, b"first\n")


async def test_a_run_that_recorded_nothing_does_not_hide_the_one_before(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    await record(tmp_path / "j", {})
    assert JournalSource(tmp_path / "j").run == 1


async def test_equal_answers_are_kept_once(tmp_path: Path) -> None:
    noise = bytes(range(256)) * 4000
    await record(tmp_path / "j", {(1, STATUS): [noise, end(STATUS)], (2, STATUS): [noise, end(STATUS, 9)]})
    size = (tmp_path / "j/bodies.bin").stat().st_size
    await record(tmp_path / "j", {(1, STATUS): [noise, end(STATUS)]})
    assert (tmp_path / "j/bodies.bin").stat().st_size == size < len(noise)
    assert (await pieces(JournalSource(tmp_path / "j"), STATUS))[0]


async def test_findings_and_notes_are_there_with_author_and_time(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j", ABOUT, lambda: NOW)
    journal.begin_run("check agent")
    journal.report(b'{\n  "findings": []\n}')
    journal.note("that was the rollout")
    await journal.close()
    replay = JournalSource(tmp_path / "j")
    assert replay.report == b'{"findings":[]}'
    assert [(note.text, note.by, note.at, note.run) for note in replay.notes] == [
        ("that was the rollout", "ada", NOW, 1)
    ]


async def test_the_records_carry_the_request_as_its_key(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    text = (tmp_path / "j/records.jsonl").read_bytes()
    assert all(b'"request":' + key_of(request) in text for _, request in TOLD)
    assert all(b'"by":"ada"' in line and b'"at":"2026' in line for line in text.splitlines())


async def test_only_its_owner_may_read_a_journal(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "j", *(tmp_path / "j").iterdir())]
    assert modes == [0o700, 0o600, 0o600]


# Crashes


async def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    file = tmp_path / "j/records.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex(b'"type":"run_end"') + 9])
    replay = JournalSource(tmp_path / "j")
    assert "torn in the middle" in replay.problems[0]
    assert await pieces(replay, PODS, 2) == TOLD[2, PODS]
    assert not replay.runs[0].is_complete


async def test_recording_goes_on_behind_a_torn_line(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    file = tmp_path / "j/records.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    await record(tmp_path / "j", {(1, LOG): [b"later\n", end(LOG)]})
    replay = JournalSource(tmp_path / "j")
    assert await pieces(replay, LOG) == [b"later\n", end(LOG)]
    assert len(replay.problems) == 1


async def test_every_crash_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    file = tmp_path / "j/records.jsonl"
    whole = file.read_bytes()
    header = whole.index(b"\n") + 1
    for cut in range(header, len(whole), 37):
        file.write_bytes(whole[:cut])
        replay = JournalSource(tmp_path / "j")
        for look, request in replay.asked:
            assert await pieces(replay, request, look) == await pieces(
                JournalSource(tmp_path / "j"), request, look
            )
        await replay.close()


async def test_an_answer_whose_bytes_never_reached_the_disk_is_a_gap(tmp_path: Path) -> None:
    await record(tmp_path / "j", {(1, STATUS): [b"x" * 1000, end(STATUS)]})
    (tmp_path / "j/bodies.bin").write_bytes(b"")
    gap = await answer(JournalSource(tmp_path / "j"), STATUS, 1)
    assert isinstance(gap, Gap)
    assert (gap.kind, gap.command) == (GapKind.UNREADABLE, STATUS.command())


# Readers who stop


async def test_of_an_answer_that_nobody_read_to_its_end_the_beginning_is_kept(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j", ABOUT)
    recording = Recording(Script({(1, LOG): [b"one\n", b"two\n", end(LOG)]}), journal)
    stream = recording.open(LOG, 1)
    assert await anext(stream) == b"one\n"
    await stream.aclose()  # type: ignore[attr-defined]
    await journal.close()
    first, gap = await pieces(JournalSource(tmp_path / "j"), LOG)
    assert first == b"one\n"
    assert isinstance(gap, Gap)
    assert (gap.kind, gap.detail) == (GapKind.NOT_RECORDED, "given up after 4 bytes, before it ended")


async def test_an_answer_too_large_to_collect_is_too_large_again(tmp_path: Path) -> None:
    mib = bytes(1024 * 1024)
    told: Pieces = [*[mib] * 34, end(STATUS)]
    journal = Journal.open(tmp_path / "j", ABOUT)
    live = await answer(Recording(Script({(1, STATUS): told}), journal), STATUS, 1)
    await asyncio.sleep(0)
    await journal.close()
    assert await answer(JournalSource(tmp_path / "j"), STATUS, 1) == live
    assert isinstance(live, Gap)
    assert live.kind is GapKind.TOO_LARGE


# Limits


async def test_an_answer_over_the_limit_is_named_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_LIMIT", 1000)
    await record(
        tmp_path / "j", {(1, LOG): [b"x" * 600, b"x" * 600, end(LOG)], (1, STATUS): [b"ok", end(STATUS)]}
    )
    replay = JournalSource(tmp_path / "j")
    gap = await answer(replay, LOG, 1)
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_RECORDED
    assert "larger than" in gap.detail
    assert gap.taken_at == NOW
    assert isinstance(await answer(replay, STATUS, 1), Answer)


async def test_a_run_keeps_so_much_and_the_next_one_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "RUN_LIMIT", 100)
    noise = [bytes((i * k) % 251 for i in range(70)) for k in (7, 11, 13)]
    await record(tmp_path / "j", {(1, LOG): [noise[0], end(LOG)], (1, STATUS): [noise[1], end(STATUS)]})
    gap = await answer(JournalSource(tmp_path / "j"), STATUS, 1)
    assert isinstance(gap, Gap)
    assert "the run had already filled" in gap.detail
    await record(tmp_path / "j", {(1, STATUS): [noise[2], end(STATUS)]})
    assert await pieces(JournalSource(tmp_path / "j"), STATUS) == [noise[2], end(STATUS)]


async def test_a_full_journal_stops_recording_visibly_and_not_the_run(tmp_path: Path) -> None:
    heard: list[str] = []
    journal = Journal.open(tmp_path / "j", ABOUT, limit=2000)
    journal.on_stop = heard.append
    recording = Recording(Script({(look, LOG): [b"x\n", end(LOG)] for look in range(50)}), journal)
    for look in range(50):
        assert await pieces(recording, LOG, look) == [b"x\n", end(LOG)]
    await journal.close()
    assert heard == [journal.stopped]
    assert "reached its limit" in journal.stopped
    assert JournalSource(tmp_path / "j").looks > 1


async def test_text_that_is_no_unicode_costs_one_record(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j", ABOUT)
    journal.note("\udcff")
    journal.note("after it")
    await journal.close()
    assert not journal.stopped
    texts = [note.text for note in JournalSource(tmp_path / "j").notes]
    assert "after it" in texts
    assert any("could not be written" in text for text in texts)


# Folders


async def test_one_session_at_a_time_records_into_a_folder(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j", ABOUT)
    with pytest.raises(UnwritableJournal, match="another session"):
        Journal.open(tmp_path / "j", ABOUT)
    await journal.close()


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(UnwritableJournal, match="something other") as caught:
        Journal.open(tmp_path, ABOUT)
    assert caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


async def test_another_cluster_does_not_go_into_the_same_folder(tmp_path: Path) -> None:
    await record(tmp_path / "j", TOLD)
    with pytest.raises(UnwritableJournal, match="another cluster, prod-1"):
        Journal.open(tmp_path / "j", About("prod-2", "0.1.0", "ada"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableJournal, match="cannot record") as caught:
        Journal.open(tmp_path / "file" / "j", ABOUT)
    assert str(tmp_path) in caught.value.where


def test_a_session_folder_is_named_by_time_and_cluster_and_is_free(tmp_path: Path) -> None:
    first = session_folder(tmp_path, "../../etc/..: a\x1b[31m", NOW)
    assert first == tmp_path / "20261123T014000Z-etc-..-a-31m"
    first.mkdir()
    assert session_folder(tmp_path, "../../etc/..: a\x1b[31m", NOW).name == f"{first.name}-2"
    assert session_folder(tmp_path, "…", NOW).name == "20261123T014000Z-cluster"

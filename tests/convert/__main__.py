"""`python -m tests.convert LAB_FOLDER OUT`: convert one case, or every case below the folder."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from playbooks.model.answer import COLLECT_LIMIT, End, Gap, answer
from playbooks.model.request import Request, key_of
from playbooks.sources.journal import About, Journal, Recording
from tests.convert.commands import agent_commands, logs
from tests.convert.lab import Look, Told
from tests.convert.objects import objects
from tests.recorded import Truth


class Lab:
    """The two looks of a case as a source, so that they are recorded like any cluster."""

    def __init__(self, folder: Path) -> None:
        self.told: dict[tuple[int, bytes], Told] = {}
        for number in (1, 2):
            for told in everything(Look.read(folder / f"look-{number}")):
                self.told.setdefault((number, key_of(told.request)), told)
        self._now = max(told.end.taken_at for told in self.told.values() if told.end.taken_at)

    @property
    def name(self) -> str:
        return "lab"

    @property
    def now(self) -> datetime:
        return self._now

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        told = self.told[look, key_of(request)]
        if isinstance(told.end, End):
            yield told.body
        yield told.end

    async def pause(self, seconds: float) -> None:
        """Both looks are there."""

    async def close(self) -> None:
        """Nothing is open."""


def everything(look: Look) -> Iterator[Told]:
    """All requests that the outputs of one look answer."""
    yield from objects(look)
    yield from logs(look)
    yield from agent_commands(look)


def convert(folder: Path, out: Path) -> None:
    """Write the recorded cluster of one case; what `out` held of it before is replaced."""
    shutil.rmtree(out / "journal", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    asyncio.run(_record(folder, out / "journal"))
    truth = msgspec.json.decode((folder / "truth.json").read_bytes(), type=Truth)
    (out / "truth.json").write_bytes(msgspec.json.format(msgspec.json.encode(truth)) + b"\n")
    symptoms = out / "symptoms.json"
    if not symptoms.exists():
        symptoms.write_text("[]\n")


async def _record(folder: Path, out: Path) -> None:
    lab = Lab(folder)
    journal = Journal.open(out, About("lab", "0.1.0", "tests.convert"), lambda: lab.now)
    recording = Recording(lab, journal)
    journal.begin_run(folder.name)
    for (look, _), told in lab.told.items():
        await answer(recording, told.request, look, COLLECT_LIMIT)
    await journal.close()
    if journal.stopped:
        raise SystemExit(journal.stopped)


def main(lab: str, out: str) -> None:
    """Convert a case, or all cases in a folder of them."""
    folder = Path(lab)
    cases = [folder] if (folder / "truth.json").exists() else sorted(folder.iterdir())
    for case in cases:
        convert(case, Path(out) / case.name)


if __name__ == "__main__":
    main(*sys.argv[1:])

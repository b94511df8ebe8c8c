"""Lists in YAML are split, typed and selected without holding them whole; odd ones are gaps, no guesses."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.kube import resources
from playbooks.model.kube.pods import Pods
from playbooks.model.request import Objects
from playbooks.sources.sysdump import SysdumpSource, limits
from playbooks.sources.sysdump.pages import Batch, Readers
from playbooks.sources.sysdump.selecting import Selection
from tests.sources.archives import PODS, answered, missed, sysdump, zipped

EVENTS = Objects(resources.EVENTS)
HEAD = b"apiVersion: v1\nitems:\n"
END = b'kind: EventList\nmetadata:\n  resourceVersion: "1"\n'


def archive(folder: Path, **files: bytes) -> SysdumpSource:
    return SysdumpSource(zipped(folder / "sysdump.zip", sysdump(**files)))


async def events(folder: Path, text: bytes) -> list[dict[str, Any]]:
    got = await answered(archive(folder, k8s_events_yaml=text), EVENTS)
    return [item for line in got.body.splitlines() for item in json.loads(line)["items"]]


async def test_plain_words_are_what_json_would_have(tmp_path: Path) -> None:
    text = b"""- count: 3
  negative: -2
  ratio: 1.5e+02
  yes: yes
  "on": "on"
  flag: true
  none: null
  tilde: ~
  empty: ""
  text: "12"
  octal: 0644
  sexagesimal: 12:30:45
  huge: 123456789012345678901234567890
  endless: 1e999
  stamp: 2026-01-02T03:04:05Z
  day: 2026-01-02
  hex: 0x10
  merge: <<
  block: |
    - not: an item
    kind: nothing
  folded: "a
    b"
"""
    (item,) = await events(tmp_path, HEAD + text + END)
    assert item == {
        "count": 3, "negative": -2, "ratio": 150.0, "yes": "yes", "on": "on", "flag": True, "none": None,
        "tilde": None, "empty": "", "text": "12", "octal": "0644", "sexagesimal": "12:30:45",
        "huge": "123456789012345678901234567890", "endless": "1e999", "stamp": "2026-01-02T03:04:05Z",
        "day": "2026-01-02", "hex": "0x10", "merge": "<<", "block": "- not: an item\nkind: nothing\n",
        "folded": "a b",
    }  # fmt: skip


@pytest.mark.parametrize("items", [b"items: null\n", b"items: []\n", b"items:\n"])
async def test_an_empty_list_is_an_answer(items: bytes, tmp_path: Path) -> None:
    assert await events(tmp_path, b"apiVersion: v1\n" + items + END) == []


async def test_indented_items_are_items_too(tmp_path: Path) -> None:
    text = b"items:\n  - message: a\n    list:\n      - x\n  - message: b\n" + END
    assert [item["message"] for item in await events(tmp_path, text)] == ["a", "b"]


async def test_what_managers_wrote_is_known_but_not_which_fields(tmp_path: Path) -> None:
    text = b"""- message: |
    managedFields:
    - manager: nobody
      fieldsV1:
        f:this: stays
  metadata:
    annotations:
      note: |
        managedFields:
        - fieldsV1:
            f:this: stays
    managedFields:
    - apiVersion: v1
      fieldsV1:
        f:metadata:
          f:labels: {}
      manager: kubectl
      operation: Update
    - fieldsV1: {}
      manager: helm
    name: e
  reason: Because
"""
    (item,) = await events(tmp_path, HEAD + text + END)
    managers = [(entry["manager"], entry.get("fieldsV1")) for entry in item["metadata"]["managedFields"]]
    assert managers == [("kubectl", None), ("helm", {})]
    assert "f:this: stays" in item["message"]
    assert "f:this: stays" in item["metadata"]["annotations"]["note"]
    assert (item["metadata"]["name"], item["reason"]) == ("e", "Because")


async def test_a_list_that_is_cut_lacks_its_torn_item_and_says_so(tmp_path: Path) -> None:
    text = HEAD + b"- message: a\n- message: b\n- mess"
    got = await answered(archive(tmp_path, k8s_events_yaml=text), EVENTS)
    assert [item["message"] for item in json.loads(got.body)["items"]] == ["a", "b"]
    assert got.end.is_truncated


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + b"- {a: [}\n" + END, "no YAML"),
        (HEAD + b"- just a word\n" + END, "none"),
        (HEAD + b"- a: &x [1]\n  b: *x\n" + END, "aliases"),
        (HEAD + b"- ? [a]\n  : b\n" + END, "a key that is no word"),
        (HEAD + b"- a: " + b"[" * 5000 + b"\n" + END, "100 levels"),
        (HEAD + b"- " + b"- " * 5000 + b"x\n" + END, "100 levels"),
        (HEAD + b"- a: \xff\xfe\n" + END, "no YAML"),
        (HEAD + b"- a: [" + b"1, " * 5100 + b"1]\n" + END, "5,000 values"),
        (HEAD + b"- kind: Pod\n" + END, "a Pod among events"),
        (HEAD + b"- a: 1\nkind: PodList\n", "a PodList and not events"),
        (b"items: [{a: 1}]\n" + END, "one below the other"),
        (b"Error from server (Forbidden): events is forbidden\n", "neither a list of events"),
        (b"kind: Secret\ndata: {}\n", "neither a list of events"),
        (b"kind: Event\nmetadata: [\n", "no YAML"),
        (HEAD + b"- a: '" + Random(0).randbytes(1 << 20).hex().encode() + b"'\n" + END, "larger than 1 MiB"),
    ],
    ids=range(15),
)
async def test_what_no_collector_writes_is_a_gap(
    text: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "NODES", 5000)
    monkeypatch.setattr(limits, "ITEM", limits.MIB)
    gap = await missed(archive(tmp_path, k8s_events_yaml=text), EVENTS)
    assert gap.kind is GapKind.UNREADABLE
    assert words in gap.detail
    assert "k8s-events-" in gap.detail


async def test_a_large_list_comes_in_pages_in_its_order(tmp_path: Path) -> None:
    item = PODS.partition(b"items:\n")[2].partition(b"- metadata:\n    name: db-1")[0]
    pods = b"".join(item.replace(b"web-1", b"web-%04d" % number) for number in range(2100))
    source = archive(tmp_path, k8s_pods_yaml=HEAD + pods + b"kind: PodList\nmetadata: {}\n")
    try:
        got = await answered(source, Objects(resources.PODS))
        pages = [json.loads(line)["items"] for line in got.body.splitlines()]
        assert max(map(len, pages)) <= 250
        names = [pod["metadata"]["name"] for page in pages for pod in page]
        assert names == [f"web-{number:04}" for number in range(2100)]
        one = await answered(source, Objects(resources.PODS, "shop", "web-2099"))
        assert json.loads(one.body)["metadata"]["name"] == "web-2099"
        reading = asyncio.create_task(answered(source, Objects(resources.PODS)))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        reader = Pods.ways[0].reader()
        reader.feed(got.body)
        fact = reader.finish(got.request, got.end)
        assert isinstance(fact, Pods)
        assert len(fact.items) == 2100
    finally:
        await source.close()
    assert (await missed(source, Objects(resources.PODS))).kind is GapKind.UNREADABLE


async def test_closing_while_a_large_list_is_read_is_a_gap_and_no_cancellation(tmp_path: Path) -> None:
    pods = b"".join(PODS.partition(b"items:\n")[2].partition(b"kind: PodList")[0] for _ in range(1500))
    source = archive(tmp_path, k8s_pods_yaml=HEAD + pods + b"kind: PodList\n")
    stream = source.open(Objects(resources.PODS), 1)
    assert isinstance(await anext(stream), bytes)
    await source.close()
    rest = [piece async for piece in stream]
    assert getattr(rest[-1], "kind", "") == GapKind.UNREADABLE


async def test_processes_that_have_nothing_to_do_end_and_come_back() -> None:
    readers = Readers(idle=0)
    batch = Batch((b"- a: 1\n",), True, Selection())
    for _ in range(2):
        assert (await readers.read(batch, is_large=True)).objects == (b'{"a":1}',)
        # Once round the loop, so that the timer of no seconds has run.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert readers.processes == ()
    readers.close()


async def test_a_reader_that_dies_is_a_gap_and_the_next_question_gets_a_new_one(tmp_path: Path) -> None:
    pods = b"".join(PODS.partition(b"items:\n")[2].partition(b"kind: PodList")[0] for _ in range(1500))
    source = archive(tmp_path, k8s_pods_yaml=HEAD + pods + b"kind: PodList\n")
    try:
        stream = source.open(Objects(resources.PODS), 1)
        assert isinstance(await anext(stream), bytes)
        for process in source._readers.processes:
            os.kill(process, signal.SIGKILL)
        rest = [piece async for piece in stream]
        assert getattr(rest[-1], "kind", "") == GapKind.UNREADABLE
        assert "sudden end" in rest[-1].detail  # type: ignore[union-attr]
        assert (await answered(source, Objects(resources.PODS))).body
    finally:
        await source.close()

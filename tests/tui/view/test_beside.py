"""Tables of three sides at every width, with whatever a cluster may call things."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from playbooks.engine.beside.gathering import Beside
from playbooks.engine.beside.logs import LogLines
from playbooks.engine.beside.tables import SILENT, Column, Row, Table, Verdict, absent, held, table, unseen
from playbooks.model.answer import Gap, GapKind
from playbooks.model.finding import Ref
from playbooks.model.text import Text
from tui.ink import Ink
from tui.view.beside import LogPage, TablePage, exhibits_of

NOW = datetime(2026, 1, 1, 12, 1, 7, tzinfo=UTC)
EVIL = "\x1b[2J\u202egnp.exe\x07[b]\u200b"


def _table(*rows: Row, unseen_by: Gap | None = None) -> Table:
    columns = (
        Column("Kubernetes", (Text("kubectl get services -A -o json"),), NOW),
        Column("agent", (Text("kubectl exec agent -- cilium-dbg service list"),), NOW),
        Column("BPF map", (Text("kubectl exec agent -- cilium-dbg bpf lb list"),), NOW, unseen_by),
    )
    made = table(Ref("Service", "cart", "shop"), "service map", "node-1", columns, rows)
    assert made is not None
    return made


ROWS = (
    Row(Text("10.96.0.7:80/TCP"), (held("80 → 8080"), held("ClusterIP"), held("2 backends")), Verdict.AGREES),
    Row(
        Text("→ 10.0.0.1:8080"),
        (held("ready 購物車-7c9"), held("active"), absent()),
        Verdict.MISSING,
        Text("in the map"),
        1,
    ),
    Row(
        Text("→ 10.0.0.2:8080"),
        (SILENT, held("active"), unseen()),
        Verdict.UNSEEN,
        Text("the map not seen"),
        1,
    ),
)


@pytest.mark.parametrize("width", [30, 46, 58, 78, 120, 200])
def test_nothing_is_wider_than_the_pane_and_nothing_is_lost(width: int) -> None:
    """Cells are beside each other, wrapped, or below each other."""
    lines = TablePage(_table(*ROWS)).lines(width)
    grid = lines[: next(at for at, one in enumerate(lines) if one.text.startswith("Kubernetes 2026"))]
    assert max(one.width for one in grid[2:]) <= width
    said = "".join(one.text for one in grid).replace(" ", "")
    for part in ("購物車-7c9", "—noentry—", "missinginthemap", "?notseen", "ClusterIP", "·"):
        assert part in said


def test_columns_align_with_wide_characters() -> None:
    """Columns begin at the same cell in every row."""
    lines = TablePage(_table(*ROWS)).lines(120)
    starts = [
        cell_len(one.text[: one.text.index(word)])
        for one, word in zip(lines[3:7], ("agent", "ClusterIP", "active", "active"), strict=True)
    ]
    assert len(set(starts)) == 1


def test_wrong_cells_stand_out() -> None:
    """What a side lacks is in the ink of an error where that is wrong, and only there."""
    quiet = Row(Text("x"), (absent(), absent(), absent()), Verdict.AGREES)
    lines = TablePage(_table(*ROWS, quiet)).lines(120)
    inks = {one.ink for line in lines for one in line.pieces if one.text == "— no entry —"}
    assert inks == {Ink.ERROR, Ink.QUIET}


def test_side_that_was_not_seen_says_why_and_what_to_do() -> None:
    """With the command that was refused."""
    gap = Gap(GapKind.FORBIDDEN, "pods/exec is forbidden", remedy="ask for the role")
    said = "\n".join(one.text for one in TablePage(_table(*ROWS, unseen_by=gap)).lines(78))
    assert "? forbidden: pods/exec is forbidden" in said
    assert "ask for the role" in said
    assert "1 of 3 rows do not agree, 1 not known" in said


def test_copy_has_no_borders_and_has_the_commands() -> None:
    """For a ticket."""
    whole, *commands = TablePage(_table(*ROWS)).copies()
    assert not set("│┃╭─|") & set(whole.text)
    assert "BPF map 2026-01-01T12:01:07Z\n  $ kubectl exec agent -- cilium-dbg bpf lb list\n" in whole.text
    assert [one.text for one in commands][2] == "kubectl exec agent -- cilium-dbg bpf lb list"
    assert not any(one.endswith(" ") for one in whole.text.split("\n"))


def test_only_rows_that_hold_a_text() -> None:
    """Counted."""
    said = [one.text for one in TablePage(_table(*ROWS)).keeping("MISSING").lines(120)]
    assert "1 of 3 rows hold 'MISSING'" in said
    assert not any("10.0.0.2" in one for one in said)


def test_text_of_the_cluster_is_harmless() -> None:
    """On the screen, in the list, in copies."""
    evil = Row(Text(EVIL), (held(EVIL), absent(EVIL), unseen(EVIL)), Verdict.DIFFERS, Text(EVIL))
    columns = tuple(Column(name, (Text(EVIL),), NOW) for name in ("Kubernetes", "agent", "BPF map"))
    made = table(Ref("Service", EVIL, EVIL), "service map", EVIL, columns, [evil], note=EVIL)  # type: ignore[arg-type]
    assert made is not None
    log = LogLines("log", Ref("Pod", EVIL, EVIL), EVIL, Text("kubectl logs"), NOW, (Text(EVIL),), 3)
    exhibits = exhibits_of(Beside((made,), (log,)))
    pages = [one.page for one in exhibits if one.page]
    shown = [one.line.text for one in exhibits]
    shown += [line.text for page in pages for width in (0, 30, 78, 200) for line in page.lines(width)]
    shown += [copy.text for page in pages for copy in page.copies()]
    for text in shown:
        assert not set(text) & set("\x1b\u202e\x07\u200b")
    assert pages[0].copies()[1].refusal == "it holds hidden characters"


def test_lines_of_a_log() -> None:
    """The newest, counted, with the command."""
    lines = tuple(Text(f"level=info msg=line{at}") for at in range(3))
    page = LogPage(
        LogLines("log", Ref("Pod", "cart", "shop"), "node-1", Text("kubectl logs x"), NOW, lines, 5)
    )
    said = [one.text for one in page.lines(78)]
    assert said[:2] == [
        "5 lines of the agent's log on node-1 name Pod shop/cart",
        "3 of them are shown, the newest last",
    ]
    assert said[-1] == "level=info msg=line2"
    assert [one.text for one in page.keeping("LINE1").lines(78)][-1] == "level=info msg=line1"

"""What keys do in the console."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from tests.tui.consoles import WIDE, diagnosed, screen_text, text_after, until
from tui.app import Console
from tui.keys import ACTIONS, BadKeymap, Keys, Place

TMUX_AND_TERMINALS = {f"ctrl+{letter}" for letter in "basqhijm"}


def test_no_key_has_two_meanings() -> None:
    assert {key: ids for key, ids in Keys().meanings().items() if len(ids) > 1} == {}


def test_no_key_belongs_to_tmux_screen_or_the_terminal() -> None:
    assert not TMUX_AND_TERMINALS & Keys().meanings().keys()


async def test_every_binding_of_every_screen_and_widget_comes_from_the_registry() -> None:
    known = {(key, action.id) for action in ACTIONS for key in action.keys}
    async with diagnosed() as (app, pilot):
        for keys in ((), ("d",), ("d",), ("escape", "question_mark"), ("q", "c")):
            await pilot.press(*keys)
            await pilot.pause()
            for node in (app, app.screen, *app.screen.query("*")):
                found = {
                    (key, one.id) for key, each in node._bindings.key_to_bindings.items() for one in each
                }
                assert found <= known, node


def test_a_keymap_that_is_wrong_is_refused_with_the_reason() -> None:
    with pytest.raises(BadKeymap, match="no action is called fly"):
        Keys.mapped({"fly": "f"})
    with pytest.raises(BadKeymap, match="q would mean both"):
        Keys.mapped({"help": "q"})


async def test_keys_can_be_changed_and_are_shown_as_changed() -> None:
    async with diagnosed(keymap={"open": "o"}) as (app, pilot):
        assert "o open" in screen_text(app)
        assert "PLAYBOOKS" in await text_after(app, pilot, "enter")
        assert "where " in await text_after(app, pilot, "o")


async def test_a_wrong_keymap_is_told_and_the_usual_keys_work() -> None:
    async with diagnosed(keymap={"help": "q"}) as (app, pilot):
        assert "the keymap is not used" in screen_text(app)
        assert "where " in await text_after(app, pilot, "enter")


async def test_help_has_the_keys_of_this_pane_then_the_words_on_this_screen() -> None:
    async with diagnosed(size=WIDE) as (app, pilot):
        shown = await text_after(app, pilot, "question_mark")
        assert shown.index("Keys in: list of playbooks and findings") < shown.index("Words on this screen")
        page = "\n".join(one.text for one in app.screen.printed())
        here, _, rest = page.partition("Words on this screen")[2].partition("All words")
        assert "agent" in here
        assert "ClusterMesh" in rest
        assert "WHAT IS WRONG" in await text_after(app, pilot, "escape")


async def test_copying_says_where_to_and_writes_what_was_chosen(tmp_path: Path) -> None:
    async with diagnosed(copy_folder=tmp_path) as (app, pilot):
        choice = await text_after(app, pilot, "c")
        assert "Copy what?" in choice
        assert "the finding, as Markdown" in choice
        told = await text_after(app, pilot, "enter")
        assert "Copied by OSC 52 and to" in told
        written = (tmp_path / "copied.txt").read_text()
        assert written.startswith("kubectl ")
        assert app.clipboard == written
        assert (tmp_path / "copied.txt").stat().st_mode & 0o077 == 0


async def test_the_whole_finding_is_copied_as_markdown(tmp_path: Path) -> None:
    async with diagnosed(copy_folder=tmp_path) as (app, pilot):
        await pilot.press("c")
        await pilot.pause()
        names = [row.line.text for row in app.screen.listing.entries]
        at = next(at for at, name in enumerate(names) if name.startswith("the finding"))
        await pilot.press(*["down"] * at, "enter")
        await pilot.pause()
        assert (tmp_path / "copied.txt").read_text().startswith("## ✗ ERROR AGT0")


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with diagnosed(copy_folder=tmp_path / "file") as (app, pilot):
        assert "to no file" in await text_after(app, pilot, "c", "enter")


async def test_the_raw_answer_fills_the_screen_and_is_filtered() -> None:
    async with diagnosed(size=WIDE) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: app.screen.answer.sheet)
        assert screen_text(app).startswith("$ kubectl ")
        await pilot.press("slash")
        app.focused.post_message(Paste("level=fatal"))
        await pilot.press("enter")
        await until(pilot, lambda: "1 of" in screen_text(app))
        assert "level=info" not in screen_text(app)
        await pilot.press("slash", "ctrl+u", "enter")
        await until(pilot, lambda: "level=info" in screen_text(app))


async def test_the_log_of_the_broken_agent_is_one_key_away() -> None:
    async with diagnosed() as (app, pilot):
        await pilot.press("down", "l")
        await until(pilot, lambda: app.screen.answer.sheet)
        assert "$ kubectl -n kube-system logs cilium-" in screen_text(app)
        assert "level=fatal" in screen_text(app) or "level=" in screen_text(app)


async def test_the_list_is_filtered_while_typing() -> None:
    async with diagnosed() as (app, pilot):
        app.diagnose.panes.board.select("playbook agent")
        shown = await text_after(app, pilot, "space", "slash", *"operator")
        assert "Is the operator there" in shown
        assert "Is there an agent pod" not in shown
        assert "Is there an agent pod" in await text_after(app, pilot, "ctrl+u", "enter")


async def test_history_goes_back_to_what_was_opened_before() -> None:
    async with diagnosed(size=WIDE) as (app, pilot):
        board = app.diagnose.panes.board
        first = board.selected
        await pilot.press("enter", "escape", "down", "down", "enter", "escape")
        second = board.selected
        assert first != second
        await pilot.press("left_square_bracket")
        assert board.selected == first
        await pilot.press("right_square_bracket")
        assert board.selected == second


async def test_escape_only_ever_goes_back() -> None:
    async with diagnosed() as (app, pilot):
        for _ in range(4):
            await pilot.press("escape", "backspace")
        assert app.is_running
        assert "PLAYBOOKS" in screen_text(app)


async def test_q_leaves_a_reader_first_and_then_the_console() -> None:
    async with diagnosed() as (app, pilot):
        await pilot.press("i")
        assert "Terminal" in "\n".join(one.text for one in app.screen.printed())
        await pilot.press("q")
        assert app.screen is app.diagnose
        await pilot.press("q")
        await pilot.pause()
        assert app._exit
        assert app.return_code == 0


async def test_tab_goes_round_the_panes() -> None:
    async with diagnosed(size=WIDE) as (app, pilot):
        seen = []
        for _ in range(4):
            await pilot.press("tab")
            seen.append(app.focused.id)
        assert seen == ["evidence", "answer", "page", "board"]
        await pilot.press("shift+tab")
        assert app.focused.id == "page"


async def test_folding_hides_the_steps() -> None:
    async with diagnosed() as (app, pilot):
        assert "+8 steps" in screen_text(app)
        app.diagnose.panes.board.select("playbook agent")
        assert "Is the operator there" in await text_after(app, pilot, "space")
        app.diagnose.panes.board.select("playbook agent")
        folded = await text_after(app, pilot, "space")
        assert "+8 steps" in folded
        assert "Is the operator there" not in folded


async def obeyed(app: Console, pilot: Pilot[None], command: str) -> str:
    await pilot.press("colon")
    app.focused.post_message(Paste(command))
    return await text_after(app, pilot, "enter")


async def test_unknown_commands_say_what_is_near() -> None:
    async with diagnosed() as (app, pilot):
        assert "near: check" in await obeyed(app, pilot, "chek")
        assert "there is: agent" in await obeyed(app, pilot, "check zebra")
        assert "near: agent" in await obeyed(app, pilot, "check agnt")
        assert "near: contrast" in await obeyed(app, pilot, "theme contrst")


async def test_commands_complete_with_tab() -> None:
    async with diagnosed() as (app, pilot):
        assert ":ch eck  tab" in await text_after(app, pilot, "colon", "c", "h")
        await pilot.press("tab", "space", "a", "tab", "enter")
        await pilot.pause()
        assert "asking again: agent" in screen_text(app)


async def test_a_command_chooses_nodes() -> None:
    async with diagnosed() as (app, pilot):
        node = app.session.snapshot.nodes[0]
        await obeyed(app, pilot, f"node {node}")
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.is_over)
        assert app.session.snapshot.nodes == (node,)
        await until(pilot, lambda: f"nodes {node}" in screen_text(app))


async def test_a_rule_is_found_by_its_id() -> None:
    async with diagnosed() as (app, pilot):
        root = app.session.snapshot.roots[0].rule.id
        await obeyed(app, pilot, f"rule {root.lower()}")
        assert app.diagnose.topic.rules[0].id == root
        assert "is its step" in await obeyed(app, pilot, "rule AGT020")


@pytest.mark.parametrize("place", list(Place), ids=lambda place: place.name)
def test_every_place_but_the_prompt_has_a_way_back_and_out(place: Place) -> None:
    ids = {action.id for action in Keys().at(place)}
    assert place is Place.PROMPT or {"back", "quit"} <= ids

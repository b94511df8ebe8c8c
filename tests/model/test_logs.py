"""Lines of logs in every format, and the facts that hold them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, GapKind, Source
from playbooks.model.cilium.last_run import LastRun
from playbooks.model.cilium.logs import last_words, lines_of, options_in, parsed
from playbooks.model.cilium.logs_agent import AgentLog, InitLog, PreviousAgentLog
from playbooks.model.fact import Choice, F
from playbooks.model.request import ContainerLog
from tests import recorded
from tests.agent.kept import container, init_stuck, running, terminated
from tests.edited import edited, gap, log, log_lines

NODE = "lab-node-1"
MOMENT = datetime(2026, 11, 23, 1, 50, 32, 209651, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        'time=2026-11-23T01:50:32.209651986Z level=warn msg="a \\"b\\"" error="c\\nd" module=agent',
        'time="2026-11-23T01:50:32.209651986Z" level=warning msg="a \\"b\\"" error="c\\nd" subsys=daemon',
        '{"time":"2026-11-23T01:50:32.209651986Z","level":"warn","msg":"a \\"b\\"","error":"c\\nd","n":3}',
    ],
    ids=["slog", "logfmt", "json"],
)
def test_one_line_in_three_formats(raw: str) -> None:
    line = parsed(raw)
    assert (line.level, line.message, line.error) == ("warning", 'a "b"', "c\nd")
    assert line.said == 'a "b": c\nd'
    assert line.time is not None
    assert abs((line.time - MOMENT).total_seconds()) < 0.001


@pytest.mark.parametrize(
    ("raw", "level"),
    [
        ('level=info msg="old, without a time" subsys=daemon', "info"),
        ("E1123 01:50:30.207189       1 reflector.go:150] failed to list", "error"),
        ("[2026-11-23 01:50:30.123][15][critical][main] bye", "error"),
        ("panic: runtime error: index out of range", ""),
        ("goroutine 1 [running]:", ""),
        ("{not json", ""),
        ('{"level":3}', "3"),
        ("level=", ""),
        ('x="level=fatal"', ""),
    ],
)
def test_what_other_programs_write(raw: str, level: str) -> None:
    assert parsed(raw).level == level
    assert parsed(raw).raw == raw


@given(st.text(max_size=400))
def test_no_line_breaks_the_reader(text: str) -> None:
    for line in lines_of(f"level=error msg={text}\n{{{text}\n{text}"):
        assert line.said is not None
        assert line.time is None or line.time.tzinfo


def test_the_last_words_are_the_fatal_line_not_what_follows_it() -> None:
    lines = tuple(
        lines_of('level=error msg="Invoke failed" error=x\nlevel=fatal msg=why\nlevel=info msg=bye')
    )
    found = last_words(lines)
    assert found is not None
    assert found.message == "why"


def test_a_failed_start_is_a_last_word_too() -> None:
    found = last_words(
        tuple(lines_of('level=error msg="Start failed" error="no device"\nlevel=info msg=bye'))
    )
    assert found is not None
    assert found.error == "no device"
    assert last_words(tuple(lines_of("level=warn msg=odd"))) is None


def test_options_are_what_the_run_echoed() -> None:
    lines = tuple(lines_of('level=info msg="  --tunnel-protocol=\'vxlann\'"\nlevel=info msg="--x"'))
    assert options_in(lines) == {"tunnel-protocol": "vxlann"}


def known(kind: type[F], source: Source) -> F | Gap:
    async def ask() -> F | Gap:
        knowing = Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)
        return await knowing.know(kind, NODE)

    return asyncio.run(ask())


def test_the_log_of_a_crashed_run_is_the_current_one() -> None:
    last = known(LastRun, recorded.source("05"))
    assert isinstance(last, LastRun)
    assert last.cause == 'invalid tunnel protocol "vxlann"'
    assert last.options["tunnel-protocol"] == "vxlann"
    assert last.log is not None
    assert "--previous" not in last.log.provenance.command


def test_the_log_of_a_run_before_the_one_under_way_is_the_previous_one() -> None:
    source = edited(
        recorded.source("healthy"),
        container(state=running(minutes=2), last=terminated(1), ready=True),
        log_lines("level=fatal msg=why", previous=True),
    )
    last = known(LastRun, source)
    assert isinstance(last, LastRun)
    assert last.cause == "why"
    assert last.log is not None
    assert "--previous" in last.log.provenance.command


def test_a_container_that_never_ended_has_no_previous_log_and_that_is_no_gap() -> None:
    previous = known(PreviousAgentLog, recorded.source("healthy"))
    assert isinstance(previous, PreviousAgentLog)
    assert not previous.is_there
    init = known(InitLog, recorded.source("healthy"))
    assert isinstance(init, InitLog)
    assert not init.is_there


def test_the_log_is_of_the_init_container_that_is_stuck() -> None:
    source = edited(recorded.source("healthy"), init_stuck("config", last=terminated(1)))
    init = known(InitLog, source)
    assert isinstance(init, InitLog)
    assert init.container == "config"
    agent = known(AgentLog, source)
    assert isinstance(agent, AgentLog)
    assert not agent.is_there


def test_a_log_that_cannot_be_read_is_a_gap_with_its_reason() -> None:
    found = known(AgentLog, edited(recorded.source("healthy"), gap(log(), GapKind.FORBIDDEN)))
    assert isinstance(found, Gap)
    assert found.kind is GapKind.FORBIDDEN
    last = known(LastRun, edited(recorded.source("05"), gap(log(), GapKind.FORBIDDEN)))
    assert isinstance(last, LastRun)
    assert last.log is not None
    assert last.log.provenance.way == "termination message"


def test_the_lines_asked_for_are_bounded() -> None:
    assert ContainerLog("kube-system", "cilium", "cilium-agent").tail == 500


@pytest.mark.parametrize(
    "line", ['level=info msg="a b" module=agent.x', '{"level": "info", "msg": "a b", "module": "agent.x"}']
)
def test_logs_that_say_the_same_keep_it_once(line: str) -> None:
    (one,), (other,) = lines_of(line), lines_of(line)
    assert one == other
    assert one.message is other.message
    assert one.fields == {"module": "agent.x"}

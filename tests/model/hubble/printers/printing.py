"""Prints events made by a test."""

from __future__ import annotations

from playbooks.model.hubble.filters.asked import Look
from playbooks.model.hubble.printers import Screen, printer
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent

AT = {"seconds": 1_795_165_201, "nanos": 5_000_000}


def printed(*events: ExportEvent, look: Look = Look(), screen: Screen = Screen()) -> tuple[str, str]:  # noqa: B008
    out: list[str] = []
    err: list[str] = []
    made = printer(look, out.append, err.append, screen)
    for event in events:
        kind = event.WhichOneof("response_types")
        if kind == "agent_event":
            made.agent_event(event)
        elif kind == "debug_event":
            made.debug_event(event)
        else:
            made.response(event.SerializeToString())
    made.close()
    return "".join(out), "".join(err)


def flow(**fields: object) -> ExportEvent:
    return ExportEvent(flow={"time": AT, **fields}, node_name="n", time=AT)

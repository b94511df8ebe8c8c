"""What the real hubble command did with the corpus, and the corpus as messages."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from playbooks.model.hubble.proto import observer_pb2

GOLDEN = Path(__file__).parents[1] / "golden"


@cache
def entries(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GOLDEN / "golden" / "golden.json").read_text())[kind]
    return found


@cache
def events() -> tuple[observer_pb2.ExportEvent, ...]:
    lines = (GOLDEN / "flows.jsonl").read_text().splitlines()
    return tuple(
        json_format.Parse(line, observer_pb2.ExportEvent(), ignore_unknown_fields=True) for line in lines
    )


def name(event: observer_pb2.ExportEvent) -> str:
    """An event as golden.json names it."""
    moment = event.time.ToJsonString()
    if event.WhichOneof("response_types") != "flow":
        return f"{event.WhichOneof('response_types')}@{moment}"
    return event.flow.uuid or f"no-uuid:{moment}"

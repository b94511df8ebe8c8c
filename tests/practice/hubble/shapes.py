"""Makes `shapes.json` from a folder of recordings: `python -m tests.practice.hubble.shapes FOLDER`.

For each kind of flow: the fields that all recorded ones have, and those that some have.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHAPES = Path(__file__).with_name("shapes.json")


def kind(document: dict[str, Any]) -> str:
    """What decides which fields a flow has."""
    flow = document["flow"]
    event = flow["event_type"]
    words = [f"{event.get('type', 0)}:{event.get('sub_type', 0)}", flow["verdict"]]
    words += [flow.get("traffic_direction", ""), *flow["l4"], str(flow.get("is_reply", "unknown"))]
    if layer7 := flow.get("l7"):
        words += [layer7["type"], *({"dns", "http", "kafka"} & layer7.keys())]
    return " ".join(words)


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The paths of all fields."""
    if isinstance(value, dict):
        for key, inner in value.items():
            # Who is at the ends differs from flow to flow, and which flags a packet has.
            if (key in ("source", "destination") and isinstance(inner, dict)) or key == "flags":
                yield f"{at}.{key}"
                continue
            yield from paths(inner, f"{at}.{key}")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        yield at


def main(folder: Path) -> None:
    every: dict[str, tuple[set[str], set[str]]] = {}
    for file in sorted(folder.glob("*/look-*/agent/hubble_observe*_jsonpb*.jsonl")):
        for line in file.read_text().splitlines():
            document = json.loads(line)
            if "flow" in document and document["flow"]["event_type"].get("type") != 7:
                found = set(paths(document))
                always, some = every.setdefault(kind(document), (set(found), set()))
                always &= found
                some |= found
    shapes = {name: {"always": sorted(a), "some": sorted(b - a)} for name, (a, b) in sorted(every.items())}
    SHAPES.write_text(json.dumps(shapes, indent=0) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

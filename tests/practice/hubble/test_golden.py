"""Filters of the real hubble command, sent to an observer that has loaded the command's corpus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import json_format

from playbooks.model.hubble.filters.asked import Observe
from playbooks.model.hubble.filters.observing import observe
from playbooks.model.hubble.filters.wording import Refused
from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.practice.hubble.loaded import Loaded
from tests.model.hubble.filters import golden
from tests.practice.hubble.asking import NOTHING, Client, served

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    loaded = Loaded.of(golden.GOLDEN / "flows.jsonl")
    with served(loaded, lambda: NOTHING, tmp_path_factory.mktemp("h")) as made:
        yield made


def request(entry: dict[str, Any]) -> observer_pb2.GetFlowsRequest | Refused:
    """What the arguments of an entry make: lists from the command's own raw filters, the rest from ours."""
    asked = observe(entry["args"], NOW)
    if not isinstance(asked, Observe):
        assert isinstance(asked, Refused)
        return asked
    made = asked.request()
    made.ClearField("field_mask")
    filters = yaml.safe_load(entry["raw_filters"]) or {}
    for name, into in (("allowlist", made.whitelist), ("denylist", made.blacklist)):
        del into[:]
        for text in filters.get(name) or ():
            into.append(json_format.Parse(text, flow_pb2.FlowFilter()))
    return made


@pytest.mark.parametrize("entry", golden.entries("filters"), ids=lambda entry: " ".join(entry["args"]))
def test_the_observer_keeps_what_the_hubble_command_keeps(entry: dict[str, Any], client: Client) -> None:
    asked = request(entry)
    if isinstance(asked, Refused):
        assert (entry["exit"], asked.message) == (1, entry["stderr"].rstrip("\n"))
        return
    call = client.stream("GetFlows", asked)
    if entry["exit"]:
        with pytest.raises(grpc.RpcError) as wrong:
            list(call)
        assert wrong.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert wrong.value.details() == entry["stderr"].strip()
        return
    assert [golden.name(observer_pb2.ExportEvent.FromString(raw)) for raw in call] == entry["matches"]


def test_a_loaded_observer_tells_what_agents_did_and_how_much_it_has(client: Client) -> None:
    call = client.stream("GetAgentEvents", observer_pb2.GetAgentEventsRequest(number=2))
    told = [observer_pb2.GetAgentEventsResponse.FromString(raw) for raw in call]
    known = [event for event in golden.events() if event.HasField("agent_event")]
    assert [one.agent_event for one in told] == [one.agent_event for one in known[-2:]]
    status = client.single("ServerStatus", observer_pb2.ServerStatusResponse)
    assert status.num_flows == sum(event.HasField("flow") for event in golden.events())
    spaces = client.single("GetNamespaces", observer_pb2.GetNamespacesResponse).namespaces
    assert "shop" in [space.namespace for space in spaces]


def test_a_loaded_observer_tells_debug_events(tmp_path: Path) -> None:
    events = [observer_pb2.ExportEvent(debug_event=flow_pb2.DebugEvent(message=text)) for text in "abc"]
    with served(Loaded(events), lambda: NOTHING, tmp_path) as own:
        for first, text in ((True, "a"), (False, "c")):
            asked = observer_pb2.GetDebugEventsRequest(number=1, first=first)
            (raw,) = own.stream("GetDebugEvents", asked)
            assert observer_pb2.GetDebugEventsResponse.FromString(raw).debug_event.message == text
        assert own.flows(number=5) == []


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Loaded.of(tmp_path / "nowhere.jsonl")

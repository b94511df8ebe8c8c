"""The bytes that agents of the recorded clusters printed."""

from __future__ import annotations

import asyncio

from playbooks.model.answer import Answer, answer
from playbooks.model.request import AgentCommand
from tests import recorded


def told(cluster: str, *argv: str, look: int = 1) -> bytes:
    """What the agent of a recorded cluster printed for a command."""
    source = recorded.source(cluster)
    for number, request in source.asked:
        if number == look and isinstance(request, AgentCommand) and request.argv == argv:
            got = asyncio.run(answer(source, request, look))
            if isinstance(got, Answer):
                return got.body
    raise LookupError(f"not recorded in {cluster}: {' '.join(argv)}")

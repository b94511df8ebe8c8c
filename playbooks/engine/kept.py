"""Answers of a look that stay in memory: the newest as they came, older ones packed."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from playbooks.model.answer import Answer, Gap
from playbooks.model.request import Request

FRESH = 4 * 1024 * 1024
"""Bytes of the newest answers, which most second readers want."""
PACKED = 16 * 1024 * 1024
"""Bytes of packed ones, some 100 MB of what agents print; beyond it the oldest go."""
_FAST = 1


@dataclass(slots=True)
class Kept:
    """The latest small answers and all gaps of a look, by request."""

    fresh: int = FRESH
    """Bytes up to which answers stay as they came."""
    packed: int = PACKED
    """Bytes up to which packed answers stay."""
    _gaps: dict[Request, Gap] = field(default_factory=dict)
    _fresh: OrderedDict[Request, Answer] = field(default_factory=OrderedDict)
    _fresh_size: int = 0
    _packed: OrderedDict[Request, Answer] = field(default_factory=OrderedDict)
    _packed_size: int = 0

    def get(self, request: Request) -> Answer | Gap | None:
        """What is kept of a request; nothing when it was too large, too old, or never asked."""
        gap = self._gaps.get(request)
        if gap is not None:
            return gap
        if (packed := self._packed.get(request)) is not None:
            return replace(packed, body=zlib.decompress(packed.body))
        return self._fresh.get(request)

    def miss(self, request: Request, gap: Gap) -> None:
        """Keep why there is no answer, unless there is one."""
        if self.get(request) is None:
            self._gaps[request] = gap

    def keep(self, answer: Answer) -> None:
        """Keep an answer, instead of an earlier one or of a gap."""
        self._forget(answer.request)
        self._fresh[answer.request] = answer
        self._fresh_size += len(answer.body)
        while self._fresh_size > self.fresh:
            _, oldest = self._fresh.popitem(last=False)
            self._fresh_size -= len(oldest.body)
            self._pack(oldest)

    def _pack(self, answer: Answer) -> None:
        packed = replace(answer, body=zlib.compress(answer.body, _FAST))
        self._packed[answer.request] = packed
        self._packed_size += len(packed.body)
        while self._packed_size > self.packed:
            _, oldest = self._packed.popitem(last=False)
            self._packed_size -= len(oldest.body)

    def _forget(self, request: Request) -> None:
        self._gaps.pop(request, None)
        if (fresh := self._fresh.pop(request, None)) is not None:
            self._fresh_size -= len(fresh.body)
        if (packed := self._packed.pop(request, None)) is not None:
            self._packed_size -= len(packed.body)

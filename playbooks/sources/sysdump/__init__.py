"""Answers from a sysdump or from the output of cilium-bugtool, packed or unpacked."""

from __future__ import annotations

from playbooks.sources.sysdump.source import ONE_LOOK, SysdumpSource
from playbooks.sources.sysdump.trouble import UnreadableArchive

__all__ = ["ONE_LOOK", "SysdumpSource", "UnreadableArchive"]

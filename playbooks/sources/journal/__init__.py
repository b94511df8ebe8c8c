"""The journal of a session: recording what a cluster answers, and answering from the record."""

from __future__ import annotations

from playbooks.sources.journal.contents import Run
from playbooks.sources.journal.folder import is_journal, session_folder
from playbooks.sources.journal.reading import ONE_LOOK, JournalSource
from playbooks.sources.journal.recording import Recording
from playbooks.sources.journal.trouble import UnreadableJournal, UnwritableJournal
from playbooks.sources.journal.writing import About, Journal

__all__ = [
    "ONE_LOOK",
    "About",
    "Journal",
    "JournalSource",
    "Recording",
    "Run",
    "UnreadableJournal",
    "UnwritableJournal",
    "is_journal",
    "session_folder",
]

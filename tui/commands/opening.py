"""Opens what is diagnosed: a live cluster, recorded if wanted, or a recording."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks import __version__
from tui.commands.options import Options
from tui.commands.trouble import CANNOT_CONNECT, Trouble

if TYPE_CHECKING:
    from playbooks.model.answer import Source
    from playbooks.sources.access import Access, CannotConnect
    from playbooks.sources.journal import Journal
    from playbooks.sources.live import LiveCluster


@dataclass(frozen=True, slots=True)
class Opened:
    """A live cluster, reached."""

    source: Source
    """What is asked: careful, scrubbed, recorded."""
    cluster: LiveCluster
    """The cluster itself, for questions about ourselves and about what spares it."""
    version: str
    """The API server's version."""
    journal: Journal | None = None
    """Where answers are recorded, if they are."""

    def recorded_in(self, folder: Path, access: Access) -> Opened:
        """The same, with every answer kept in a new recording. Raises `Trouble`."""
        from playbooks.sources.journal import Recording

        journal = journal_in(folder, access)
        return replace(self, source=Recording(self.source, journal), journal=journal)

    async def close(self) -> None:
        """Let go of the cluster, and wait until the disk has the recording."""
        await self.source.close()
        if self.journal:
            await self.journal.close()


def way_in(options: Options) -> Access:
    """Endpoint and credentials; runs credential plug-ins. Raises `Trouble`."""
    from playbooks.sources.access import CannotConnect, load

    try:
        return load(options.connect_options())
    except CannotConnect as error:
        raise cannot_connect(error) from error


def contexts_of(options: Options) -> tuple[tuple[str, ...], str]:
    """The contexts that there are; beside them why they cannot be read, if they cannot."""
    from playbooks.sources.access import CannotConnect, contexts

    try:
        return contexts(options.connect_options()), ""
    except CannotConnect as error:
        return (), f"{error.what} ({error.where}): {error.remedy}"


async def open_live(access: Access, options: Options) -> Opened:
    """Reach a cluster. Raises `Trouble`."""
    from playbooks.sources.access import CannotConnect
    from playbooks.sources.careful import Limits
    from playbooks.sources.live import live_cluster

    cluster = live_cluster(access, Limits(workers=options.workers, no_exec=options.no_exec))
    try:
        version = await cluster.live.connect()
    except CannotConnect as error:
        await cluster.live.close()
        raise cannot_connect(error) from error
    return Opened(cluster.source, cluster, version)


def journal_in(folder: Path, access: Access) -> Journal:
    """A new recording. Raises `Trouble`."""
    from playbooks.sources.journal import About, Journal, UnwritableJournal

    about = About(access.name, __version__, author(), access.command_prefix)
    try:
        return Journal.open(folder, about)
    except UnwritableJournal as error:
        raise Trouble(error.what, error.where, error.remedy) from error


def usual_folder(cluster: str) -> Path:
    """Where a session of the console is kept when nobody says where."""
    from playbooks.sources.journal import session_folder

    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return session_folder(Path(state) / "honeyguide" / "sessions", cluster, datetime.now(UTC))


def author() -> str:
    """Who sits here, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A cluster as it was: a recording of ours, or an archive that `cilium sysdump` made."""

    source: Source
    """What is asked."""
    kubectl: str
    """What its commands begin with."""


def recording(path: str) -> Recorded:
    """A recording, a sysdump or the output of cilium-bugtool. Raises `Trouble`."""
    from playbooks.sources.journal import JournalSource, UnreadableJournal, is_journal

    try:
        if is_journal(Path(path)):
            journal = JournalSource(Path(path))
            return Recorded(journal, journal.kubectl)
    except UnreadableJournal as error:
        raise Trouble(error.what, error.where, error.remedy, CANNOT_CONNECT) from error
    return _archive(Path(path))


def _archive(path: Path) -> Recorded:
    from playbooks.sources.scrubber import Scrubber
    from playbooks.sources.sysdump import SysdumpSource, UnreadableArchive

    try:
        archive = SysdumpSource(path)
    except UnreadableArchive as error:
        remedy = f"{error.remedy}; a recording is the folder that --record or the console wrote"
        raise Trouble(error.what, error.where, remedy, CANNOT_CONNECT) from error
    return Recorded(Scrubber(archive, archive.kubectl), archive.kubectl)


def cannot_connect(error: CannotConnect) -> Trouble:
    """The trouble that a refused connection is."""
    return Trouble(error.what, error.where, error.remedy, CANNOT_CONNECT)

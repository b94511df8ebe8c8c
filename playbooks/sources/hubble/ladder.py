"""The ladder: whoever can tell of flows, the best first."""

from __future__ import annotations

from dataclasses import replace

from playbooks.sources.access import Access
from playbooks.sources.hubble.agents import InAgents, InMonitors, InRelay
from playbooks.sources.hubble.api import Api
from playbooks.sources.hubble.dial import Target, target_of
from playbooks.sources.hubble.dialled import Dialled
from playbooks.sources.hubble.places import Choice
from playbooks.sources.hubble.relay import Forwarded
from playbooks.sources.hubble.settings import Settings
from playbooks.sources.hubble.stream import Step
from playbooks.sources.live.patience import Patience

FOLLOW = 300.0
"""Seconds after which a command that follows is ended and begun anew: a closed connection does not end it."""
BUDGET = 256 * 1024 * 1024
"""Bytes of a full stream through the API server, unless a person wants more."""


def ladder(
    settings: Settings, access: Access | None, choice: Choice | None = None, patience: Patience | None = None
) -> list[Step]:
    """The rungs that can be tried: the named server, then what a cluster offers. Raises `CannotConnect`.

    Without `access` there is only the server. Nothing is opened yet.
    """
    steps: list[Step] = []
    if settings.server:
        steps.append(Dialled(target_of(settings)))
    if access is not None:
        usual = patience or Patience.of(access.options)
        api = Api(access, replace(usual, dump=FOLLOW))
        steps += [
            Forwarded(api, choice, _trust(settings)),
            InRelay(api, choice),
            InAgents(api, choice),
            InMonitors(api, choice),
        ]
    return steps


def _trust(settings: Settings) -> Target | None:
    """Whom a person said to trust, for Relay behind a forward; nothing when nothing was said."""
    if not (settings.tls_ca_cert_files or settings.tls_client_cert_file or settings.tls_allow_insecure):
        return None
    return target_of(replace(settings, server="tls://relay"))

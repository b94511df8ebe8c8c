"""What the person chose about the connection, and why there may be none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """How to reach the cluster, as given on the command line."""

    kubeconfig: tuple[str, ...] = ()
    """Files of `--kubeconfig`; empty for KUBECONFIG, then ~/.kube/config, then the pod's own account."""
    context: str = ""
    """Context to use; empty for the current one."""
    as_user: str = ""
    """User to act as."""
    as_groups: tuple[str, ...] = ()
    """Groups to act as; needs `as_user`."""
    timeout: float = 10.0
    """Seconds that a command in a container may take; a page of a list may take three times as long."""
    plugin_timeout: float = 30.0
    """Seconds that a credential plug-in may take."""
    workers: int = 64
    """Commands and logs asked for at once, at most."""


class CannotConnect(Exception):
    """Why there is no connection to a cluster: what happened, where, and what to do about it."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        """`where` names the file, context, program or address."""
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        """All three parts, as one line."""
        return f"{self.what} ({self.where}): {self.remedy}"

"""The way into a cluster: endpoint, credentials, proxy, and how a person would type it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from playbooks.sources.access.credentials import Credentials, from_kubeconfig, from_pod
from playbooks.sources.access.kubeconfig import Chosen, choose, files_of, names_of_contexts
from playbooks.sources.access.options import CannotConnect, ConnectOptions
from playbooks.sources.access.proxy import proxy_for

IN_CLUSTER = "in-cluster"


@dataclass(frozen=True, slots=True)
class Access:
    """Everything a request needs to reach the API server."""

    name: str
    """The context's name, or `in-cluster`."""
    credentials: Credentials
    """Who we are, where we go, whom we trust."""
    command_prefix: str
    """How a person's command begins, such as `kubectl --context prod-eu`."""
    is_insecure: bool
    """Whether nobody checks who answers."""
    proxy: str
    """URL of the proxy; empty for none."""
    impersonation: tuple[tuple[str, str], ...]
    """Headers that make us somebody else."""
    user_name: str
    """Name of the kubeconfig's user, for errors."""
    options: ConnectOptions
    """What it was made from; names the context, so that a refresh cannot land in another cluster."""
    environment: Mapping[str, str] | None = None
    """Variables it was made with; nothing for the process's own."""

    @property
    def server(self) -> str:
        """URL of the API server, maybe with a path, without a slash at the end."""
        return self.credentials.server

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Headers of every request."""
        mine = (("Authorization", self.credentials.authorization),) if self.credentials.authorization else ()
        return (*mine, *self.impersonation)

    def is_expired(self, now: datetime) -> bool:
        """Whether the credentials say of themselves that they are too old."""
        expires_at = self.credentials.expires_at
        return expires_at is not None and expires_at <= now

    def refreshed(self) -> Access:
        """The same way in: files are read and plug-ins run again. Raises `CannotConnect`."""
        return load(self.options, self.environment)


def load(options: ConnectOptions, environment: Mapping[str, str] | None = None) -> Access:
    """Find the kubeconfig, choose the context and get its credentials. Raises `CannotConnect`.

    Runs credential plug-ins, without our terminal. Blocks, so that an event loop calls it in a thread.
    """
    variables = os.environ if environment is None else environment
    if options.as_groups and not options.as_user:
        raise CannotConnect("--as-group is given without --as", "the command line", "give --as too")
    paths = files_of(options, variables)
    if paths:
        chosen = choose(options, paths)
        _check_server(chosen)
        credentials = from_kubeconfig(chosen, variables, options.plugin_timeout)
        return replace(_of_context(options, chosen, credentials, variables), environment=environment)
    if variables.get("KUBERNETES_SERVICE_HOST") and not options.context:
        return Access(
            IN_CLUSTER,
            from_pod(),
            _command(options, ""),
            is_insecure=False,
            proxy="",
            impersonation=_impersonation(options, "", "", ()),
            user_name="service account",
            options=options,
        )
    where = variables.get("KUBECONFIG") or "~/.kube/config"
    remedy = "give --kubeconfig, set KUBECONFIG, or get one from whoever runs the cluster"
    raise CannotConnect("there is no kubeconfig", where, remedy)


def contexts(options: ConnectOptions, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The names of all contexts of the kubeconfig; none where there is none. Raises `CannotConnect`."""
    return names_of_contexts(files_of(options, os.environ if environment is None else environment))


def _check_server(chosen: Chosen) -> None:
    server = chosen.cluster.value.server
    try:
        parts = urlsplit(server)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise CannotConnect("the server is no URL", f"{chosen.where}: {server}", "begin it with https://")


def _of_context(
    options: ConnectOptions, chosen: Chosen, credentials: Credentials, environment: Mapping[str, str]
) -> Access:
    cluster, user = chosen.cluster.value, chosen.user.value
    return Access(
        chosen.context,
        credentials,
        _command(options, chosen.context),
        is_insecure=not credentials.tls or cluster.insecure_skip_tls_verify,
        proxy=proxy_for(credentials.server, cluster.proxy_url or "", environment),
        impersonation=_impersonation(
            options, user.as_user or "", user.as_uid or "", tuple(user.as_groups or ())
        ),
        user_name=chosen.user_name,
        options=replace(options, context=chosen.context),
    )


def _impersonation(
    options: ConnectOptions, user: str, uid: str, groups: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    if options.as_user:
        user, uid, groups = options.as_user, "", options.as_groups
    headers = [("Impersonate-User", user), ("Impersonate-Uid", uid)]
    headers += [("Impersonate-Group", group) for group in groups]
    for name, value in headers:
        if not value.isprintable():
            raise CannotConnect(f"{name} holds control characters", repr(value), "check --as and --as-group")
    return tuple((name, value) for name, value in headers if value)


def _command(options: ConnectOptions, context: str) -> str:
    words = ["kubectl"]
    if len(options.kubeconfig) == 1:
        words += ["--kubeconfig", options.kubeconfig[0]]
    if context:
        words += ["--context", context]
    if options.as_user:
        words += ["--as", options.as_user]
    for group in options.as_groups:
        words += ["--as-group", group]
    return shlex.join(words)

"""The flags that say where Hubble answers and how to reach it."""

from __future__ import annotations

from playbooks.model.hubble.filters.flag import Flag, Group, Takes

SERVER = (
    Flag(
        "server",
        "Address of a Hubble server: host:port, tls://host:port, unix:path.",
        Group.SERVER,
        Takes.TEXT,
        default="localhost:4245",
    ),
    Flag("timeout", "How long dialing may take.", Group.SERVER, Takes.DURATION, default="5s"),
    Flag(
        "request-timeout", "How long a single answer may take.", Group.SERVER, Takes.DURATION, default="12s"
    ),
    Flag("tls", "Use TLS.", Group.SERVER, Takes.TRUTH, bare="true"),
    Flag("tls-allow-insecure", "Trust any certificate.", Group.SERVER, Takes.TRUTH, bare="true"),
    Flag("tls-ca-cert-files", "Files of authorities to trust.", Group.SERVER, Takes.WORDS),
    Flag("tls-client-cert-file", "File of the client's certificate.", Group.SERVER, Takes.TEXT),
    Flag("tls-client-key-file", "File of the client's key.", Group.SERVER, Takes.TEXT),
    Flag("tls-server-name", "The name that the server's certificate has to bear.", Group.SERVER, Takes.TEXT),
    Flag("basic-auth-username", "User name.", Group.SERVER, Takes.TEXT),
    Flag("basic-auth-password", "Password.", Group.SERVER, Takes.TEXT),
    Flag(
        "auto-port-forward",
        "Reach Relay through the API server.",
        Group.SERVER,
        Takes.TRUTH,
        "P",
        "true",
        since="1.17",
    ),
    Flag(
        "port-forward-port",
        "The local port of the forward.",
        Group.SERVER,
        Takes.UINT16,
        default="4245",
        since="1.17",
    ),
    Flag("kube-context", "Context of the kubeconfig.", Group.SERVER, Takes.TEXT, since="1.17"),
    Flag(
        "kube-namespace",
        "Namespace of Cilium.",
        Group.SERVER,
        Takes.TEXT,
        default="kube-system",
        since="1.17",
    ),
    Flag("kubeconfig", "File of the kubeconfig.", Group.SERVER, Takes.TEXT, since="1.17"),
)

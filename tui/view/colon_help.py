"""What can be typed after a colon: usage and one sentence each."""

from __future__ import annotations

COMMAND_HELP = (
    ("check [PLAYBOOK ...]", "Run playbooks; all of them when none is named."),
    ("rerun", "Ask again what is selected, as r does."),
    ("node [GLOB ...]", "Look at these nodes only and begin anew; all nodes when none is named."),
    ("gaps", "Show what could not be seen, why, and what to do."),
    ("raw", "Show the raw answer on the whole screen, as d does."),
    ("log NODE [previous]", "Show the log of a node's agent, or of its run before."),
    ("rule ID", "Go to the finding of a rule."),
    ("why [SRC DST[:PORT]]", "May this call that, and what decides it; a form when nothing is named."),
    (
        "target [SRC [DST]]",
        "Aim the playbooks: findings about it come first, its nodes are asked first; alone: at nothing.",
    ),
    ("from SRC", "Aim at who calls."),
    ("to DST[:PORT]", "Aim at what is called."),
    (
        "pods [TEXT]",
        "List pods that hold a text, sick ones first; also services, nodes, endpoints, identities, slices.",
    ),
    ("policies [TEXT]", "List policies of all kinds; cnp, ccnp and netpol list one kind."),
    ("ns [NAMESPACE]", "Show one namespace only; all of them when none is named."),
    ("ctx [NAME]", "Open another context of the kubeconfig; alone it lists them."),
    ("bpf lb list @NODE", "Any agent command that only reads, on @NODE, @GLOB, @all or @NAMESPACE/POD."),
    ("endpoint get NAMESPACE/POD", "The same for one pod's endpoint, on its node."),
    ("info", "All about the connection, the run and this terminal."),
    ("theme NAME", "Other colours: dark, light, contrast, sixteen, mono."),
    ("stop", "Stop all work, as x does."),
    ("help", "Keys and words, as ? does."),
    ("quit", "Leave honeyguide."),
)
"""In the order of the help page."""

SHORT = {
    "q": "quit",
    "q!": "quit",
    "exit": "quit",
    "h": "help",
    "?": "help",
    "logs": "log",
    "namespace": "ns",
    "context": "ctx",
    "contexts": "ctx",
    "t": "target",
    "r": "rerun",
}
"""What fingers type instead."""

"""Where in the datapath a packet was seen: the sub types of trace events."""

from __future__ import annotations

TRACE_POINTS = (
    "to-endpoint",
    "to-proxy",
    "to-host",
    "to-stack",
    "to-overlay",
    "from-endpoint",
    "from-proxy",
    "from-host",
    "from-stack",
    "from-overlay",
    "from-network",
    "to-network",
    "from-crypto",
    "to-crypto",
)
"""In the order of their numbers, as the monitor and the hubble command spell them."""

"""The live cluster as a source; importing this imports aiohttp."""

from playbooks.sources.live.cluster import LiveCluster, live_cluster
from playbooks.sources.live.patience import Patience, Pressure
from playbooks.sources.live.source import LiveSource

__all__ = ["LiveCluster", "LiveSource", "Patience", "Pressure", "live_cluster"]

"""The eight troubleshooting playbooks and what they stand on; works without a terminal."""

__version__ = "0.1.0"

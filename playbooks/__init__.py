"""The eight troubleshooting playbooks and what they stand on; works without a terminal."""

"""Cilium as facts: where it is installed, its agents, and what they say."""

"""Hubble in the practice world: observers of agents and Relay, over the world's flows or a file's."""

"""Worlds that tests only look at, built once."""

from __future__ import annotations

from functools import cache

from playbooks.practice.scenarios import load
from playbooks.practice.world import World, build


@cache
def seen(scenario: str = "healthy", seed: int = 0) -> World:
    """The world of a scenario; whoever changes it or lets time pass must build an own one."""
    return load(scenario).world(seed)


@cache
def set_up(profile: str, seed: int = 0) -> World:
    """The healthy world of a profile, to be looked at only."""
    return build(seed, profile=profile)

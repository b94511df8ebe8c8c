"""Faults to practise on, as data: what is changed, what a person says about it, what cures it."""

from playbooks.practice.scenarios.scenario import DEFAULT, Scenario, load, names

__all__ = ["DEFAULT", "Scenario", "load", "names"]

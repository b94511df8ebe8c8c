"""Flows in the console: what is asked for, where it comes from, what is kept and what was lost."""

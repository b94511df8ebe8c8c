"""Policies as written: whom they select, whom they admit and refuse.

This is honeyguide's own reading. What an endpoint lets through is decided by its agent and its policy map;
this reading only names the policies behind it and drafts what is missing.
"""

"""Explains words: rules, drop reasons, terms, and whatever line somebody pastes."""

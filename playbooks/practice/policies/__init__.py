"""Policies: what they say, whom they select, what each agent makes of them and what becomes of a packet."""

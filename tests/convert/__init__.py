"""Turns recorded command outputs of a real cluster into a recorded cluster for tests."""
